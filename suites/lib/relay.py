"""A relay of its own: certificates, configuration, an account with a domain and an SMTP user, the server."""

import json
import socket
import subprocess
import time

from ports import free_ports

DOMAIN = "example.org"


def make_certificates(folder):
    """An authority, and a certificate for localhost by it."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority", "-days", "2",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
    (folder / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "cert.pem", "-days", "2", "-extfile", "extensions")


class Relay:
    """A running `envoi serve`."""

    def __init__(self, binary, folder, next_hop_port):
        self.binary, self.folder = binary, folder
        self.certificate_authority = folder / "ca.pem"
        make_certificates(folder)
        starttls, tls, http = free_ports(3)
        self.ports = {"starttls": starttls, "tls": tls}
        self.config = folder / "envoi.toml"
        self.config.write_text(f"""
hostname = "localhost"
data_dir = "{folder}/data"
[submission]
starttls = ["127.0.0.1:{starttls}"]
tls = ["127.0.0.1:{tls}"]
certificate = "{folder}/cert.pem"
key = "{folder}/key.pem"
[http]
listen = ["127.0.0.1:{http}"]
[[delivery.route]]
domain = "*"
host = "127.0.0.1"
port = {next_hop_port}
tls = "none"
sign_unpublished = true
""")
        self.log = open(folder / "envoi.log", "wb")
        # should we be killed, it goes too
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", binary, "--config", self.config, "serve"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )
        try:
            self._begin()
        except BaseException:
            self.stop()
            raise

    def _begin(self):
        for port in self.ports.values():
            self._wait_for(port)
        account = self.command("account", "add", "--name", "Mailers")
        self.command("domain", "add", "--account", str(account["id"]), DOMAIN)
        domain = self.command("domain", "vouch", DOMAIN)
        self.records = {key["name"]: key["record"] for key in domain["keys"]}
        user = self.command("smtp-user", "add", "--domain", DOMAIN, "--name", "Mailers")
        self.username, self.password = user["username"], user["password"]

    def _wait_for(self, port):
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("the relay did not start:\n" + self.tail())
                time.sleep(0.05)

    def command(self, *arguments):
        """Runs the command line; what its JSON says."""
        done = subprocess.run(
            [self.binary, "--config", self.config, *arguments, "--json"], capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise AssertionError(f"envoi {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def tail(self):
        """The last lines of its log."""
        return "\n".join((self.folder / "envoi.log").read_text(errors="replace").splitlines()[-20:])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
