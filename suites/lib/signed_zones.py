"""A root of its own and zones below it, signed by BIND's tools, and a name server (Knot) that has all of them."""

import os
import re
import socket
import subprocess
import time

HEAD = "$TTL 60\n@ SOA ns.test. host.test. 1 3600 600 86400 60\n@ NS ns.test.\n"
PATIENCE = 30


class Zones:
    """`records`: lines of a zone's file by the zone's name; those in `unsigned` are left as they are. `tampered`: what is
    put in the place of what, in files that are signed already."""

    def __init__(self, folder, port, records, unsigned=(), tampered=()):
        self.folder, self.port = folder, port
        folder.mkdir()
        (folder / "database").mkdir()
        names = ["test.", *records]
        files = {}
        delegated = []
        # from below to above: a zone has the keys of those below it
        for name in reversed(names):
            own = HEAD + "\n".join(records.get(name, [])) + "\n"
            if name == "test.":
                own += "ns A 127.0.0.1\n" + "\n".join(delegated)
            files[name] = self._write(name, own)
            if name not in unsigned:
                files[name] = self._sign(name, files[name])
            ns = f"{name} NS ns.test.\n"
            delegated.append(ns + ((folder / f"dsset-{name}").read_text() if name not in unsigned else ""))
        root = HEAD + "ns.test. A 127.0.0.1\n" + delegated[-1]
        files["."] = self._sign(".", self._write(".", root))
        self.anchors = folder / "root.key"
        (key,) = [path for path in folder.glob("K.+*.key") if " 257 " in path.read_text()]
        self.anchors.write_text("".join(line for line in key.open() if not line.startswith(";")))
        for zone, before, after in tampered:
            text = files[zone].read_text()
            changed = re.sub(before, after, text)
            assert changed != text, f"{before} is not in {zone}"
            files[zone].write_text(changed)
        self._serve(files)

    def _write(self, name, text):
        path = self.folder / f"{name}zone"
        path.write_text(text)
        return path

    def _run(self, *command):
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def _sign(self, name, path):
        for flags in ([], ["-f", "KSK"]):
            self._run("dnssec-keygen", "-a", "ECDSAP256SHA256", "-L", "60", *flags, name)
        # both ways to prove that something is not there
        hashed = [] if name in (".", "test.") else ["-3", "-", "-H", "0"]
        signed = self.folder / f"{name}signed"
        self._run("dnssec-signzone", "-S", *hashed, "-o", name, "-f", signed, path)
        return signed

    def _serve(self, files):
        zones = "".join(f"  - domain: {name}\n    file: {path}\n" for name, path in files.items())
        (self.folder / "knot.conf").write_text(
            f"server:\n    listen: 127.0.0.1@{self.port}\n    rundir: {self.folder}\n"
            f"database:\n    storage: {self.folder}/database\n"
            f"template:\n  - id: default\n    storage: {self.folder}\n    journal-content: none\n    zonefile-load: whole\n"
            f"log:\n  - target: stderr\n    any: info\nzone:\n{zones}"
        )
        self.log = open(self.folder / "knot.log", "wb")
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "knotd", "-c", self.folder / "knot.conf"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "knot.log").read_text()
                time.sleep(0.05)

    def pause(self):
        """Answers nothing from now on."""
        self.process.send_signal(19)

    def stop(self):
        self.process.kill()
        self.process.wait()
