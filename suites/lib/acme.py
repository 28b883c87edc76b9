"""A relay whose certificate comes from pebble. See `suites/acme`."""

import json
import os
import pathlib
import smtplib
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

from ports import free_ports
from relay import Relay, make_certificates
from trial import Tally

NAME = "relay.envoi.test"
# Seconds for whatever has to come about.
PATIENCE = 60


def own_address():
    """An address of this machine that is not loopback: there pages are under TLS. No packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))
        return sock.getsockname()[0]


class Authority:
    """Pebble, and the name server that it asks, which has the same address for every name."""

    def __init__(self, folder, address):
        make_certificates(folder)
        self.folder, self.processes = folder, []
        self.port, self.management, self.http, self.tls, self.dns, self.names = free_ports(6)
        (folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": f"{folder}/cert.pem", "privateKey": f"{folder}/key.pem",
            "httpPort": self.http, "tlsPort": self.tls, "ocspResponderURL": "",
        }}))
        self._start("names", "pebble-challtestsrv", "-defaultIPv4", address, "-defaultIPv6", "", "-http01", "",
                    "-https01", "", "-tlsalpn01", "", "-dns01", f"127.0.0.1:{self.dns}",
                    "-management", f"127.0.0.1:{self.names}")
        self.start()

    def _start(self, log, *command):
        # no pauses, and one nonce in twenty is refused, as a busy authority may
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5"}
        with open(self.folder / f"{log}.log", "ab") as file:
            process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], env=environment,
                                       stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        self.processes.append(process)
        return process

    def start(self):
        self.pebble = self._start("pebble", "pebble", "-config", self.folder / "pebble.json",
                                  "-dnsserver", f"127.0.0.1:{self.dns}")
        trusting = ssl.create_default_context(cafile=self.folder / "ca.pem")
        roots = f"https://localhost:{self.management}/roots/0"

        def root():
            try:
                with urllib.request.urlopen(roots, context=trusting, timeout=5) as answer:
                    return answer.read()
            except OSError:
                return None

        (self.folder / "roots.pem").write_bytes(until("pebble answers", root))

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


class AutomaticRelay(Relay):
    """A relay that names no certificate of its own."""

    hostname = NAME

    def __init__(self, binary, folder, authority, settings):
        folder.mkdir()
        super().__init__(binary, folder, free_ports(1)[0], settings=f"""
[acme]
terms_agreed = true
directory = "https://localhost:{authority.port}/dir"
ca_file = "{authority.folder}/ca.pem"
contact = "postmaster@envoi.test"
{settings}
""")

    def _certificate(self):
        return ""

    def doctor(self):
        """What `doctor` finds, by what it looked at; it fails where something is not well."""
        command = [self.binary, "--config", self.config, "doctor", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        return {check["check"]: check for check in json.loads(done.stdout)}

    def certificate(self):
        """What the command line says of it."""
        (one,) = self.command("certificate", "list")
        return one

    def shown(self, port):
        """The certificate that clients are shown, unchecked."""
        return serial_of(ssl.get_server_certificate(("127.0.0.1", self.ports[port])))


def serial_of(pem):
    asked = ["openssl", "x509", "-noout", "-serial"]
    return subprocess.run(asked, input=pem, check=True, capture_output=True, text=True).stdout


def until(what, look):
    """What `look` gives as soon as it is true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"within {PATIENCE} seconds it did not come about that {what}")
        time.sleep(0.05)
    return found


def holds(tally, what, held, found):
    tally.check(what, [] if held else [str(found)])


def issued(relay):
    """The certificate, once one was issued."""

    def look():
        one = relay.certificate()
        if one["failures"]:
            raise AssertionError(f"no certificate is issued: {one['fault']}\n{relay.tail()}")
        return one if not one["self_signed"] and not one["ordering"] else None

    return until("a certificate is issued", look)


def log_in(relay, authority):
    """A session over TLS that trusts pebble's root alone, and checks the name."""
    trusting = ssl.create_default_context(cafile=authority.folder / "roots.pem")
    session = smtplib.SMTP_SSL(timeout=PATIENCE, context=trusting)
    session._host = NAME
    session.connect("127.0.0.1", relay.ports["tls"])
    session.login(relay.username, relay.password)
    return session


def over_http(tally, binary, folder, authority):
    """It comes by HTTP-01, is renewed on demand while a session goes on, and stays at a restart."""
    settings = f'listen = ["127.0.0.1:{authority.http}"]'
    relay = AutomaticRelay(binary, folder / "http", authority, settings)
    try:
        first = issued(relay)
        holds(tally, "it is for the relay's name", first["names"] == [NAME], first)
        well = first["renews_at"] < first["ends_at"] and not first["alarm"]
        holds(tally, "it is renewed long before its end", well, first)
        session = log_in(relay, authority)
        before = relay.shown("tls")
        relay.command("certificate", "renew")
        until("another is shown", lambda: relay.shown("tls") != before)
        holds(tally, "a session goes on across it", session.noop()[0] == 250, "NOOP failed")
        log_in(relay, authority).quit()
        after = relay.shown("tls")
        accounts = {file: file.read_bytes() for file in (relay.data / "acme").glob("account-*.json")}
        holds(tally, "the files are the relay's alone",
                    all(file.stat().st_mode & 0o077 == 0 for file in (relay.data / "acme").iterdir()), "others may read")
        relay.stop()
        # the authority need not be there
        authority.pebble.kill()
        authority.pebble.wait()
        relay.start()
        holds(tally, "it is there after a restart", relay.shown("tls") == after, relay.shown("tls"))
        relay.command("certificate", "renew")
        failed = until("an order fails", lambda: (one := relay.certificate())["failures"] and one)
        holds(tally, "a failed order is told", "localhost" in failed["fault"] or "refused" in failed["fault"], failed)
        holds(tally, "and leaves what is there", relay.shown("tls") == after and not failed["self_signed"], failed)
        kept = {file: file.read_bytes() for file in (relay.data / "acme").glob("account-*.json")}
        holds(tally, "the account is kept", kept == accounts and len(kept) == 1, list(kept))
    finally:
        relay.stop()
        authority.start()


def refused(tally, binary, folder, authority):
    """The authority looks, and finds nobody: that is told, and mail is taken all the same."""
    settings = f'listen = ["127.0.0.1:{free_ports(1)[0]}"]'
    relay = AutomaticRelay(binary, folder / "refused", authority, settings)
    try:
        failed = until("an order fails", lambda: (one := relay.certificate())["failures"] and one)
        holds(tally, "it is told for which name and why", failed["fault"].startswith(f"{NAME}: "), failed)
        holds(tally, "it is an alarm", failed["alarm"] == "ended" and failed["self_signed"], failed)
        found = relay.doctor()
        holds(tally, "doctor tells it", found["certificate"]["result"] == "fail", found.get("certificate"))
        unchecked = ssl._create_unverified_context()
        session = smtplib.SMTP_SSL("127.0.0.1", relay.ports["tls"], timeout=PATIENCE, context=unchecked)
        holds(tally, "whoever does not check logs in", session.login(relay.username, relay.password)[0] == 235, "login")
    finally:
        relay.stop()


def within_tls(tally, binary, folder, address):
    """It comes by TLS-ALPN-01, at the port of the console."""
    authority = Authority(folder / "alpn-authority", address)
    settings = f'challenge = "tls-alpn-01"\n[console]\nlisten = ["{address}:{authority.tls}"]'
    relay = AutomaticRelay(binary, folder / "alpn", authority, settings)
    try:
        issued(relay)
        trusting = ssl.create_default_context(cafile=authority.folder / "roots.pem")
        with socket.create_connection((address, authority.tls), PATIENCE) as stream:
            with trusting.wrap_socket(stream, server_hostname=NAME) as page:
                page.sendall(f"GET /sign-in HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
                answer = page.recv(100)
        holds(tally, "a browser gets its page with it", answer.startswith(b"HTTP/1.1 200"), answer)
        log_in(relay, authority).quit()
    finally:
        relay.stop()
        authority.stop()


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    (folder / "authority").mkdir()
    (folder / "alpn-authority").mkdir()
    tally = Tally()
    authority = Authority(folder / "authority", "127.0.0.1")
    try:
        over_http(tally, binary, folder, authority)
        refused(tally, binary, folder, authority)
    finally:
        authority.stop()
    within_tls(tally, binary, folder, own_address())
    sys.exit(tally.end())


main()
