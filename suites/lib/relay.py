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


class NotStarted(AssertionError):
    """The relay ended, or did not listen in time; the message has the end of its log."""


class Relay:
    """A running `envoi serve`. Each start is a life, with a log of its own and its number in the relay's name."""

    # seconds that a start may take
    PATIENCE = 60

    def __init__(self, binary, folder, next_hop_port, data=None, settings=""):
        """`data`: the data folder, one in `folder` unless named. `settings`: further tables of the configuration."""
        self.binary, self.folder, self.settings = binary, folder, settings
        self.next_hop_port, self.data = next_hop_port, data or folder / "data"
        self.certificate_authority = folder / "ca.pem"
        make_certificates(folder)
        starttls, tls, self.http = free_ports(3)
        self.ports = {"starttls": starttls, "tls": tls}
        self.config = folder / "envoi.toml"
        self.life, self.process = 0, None
        self.users = []
        try:
            self.start()
            self._furnish()
        except BaseException:
            self.stop()
            raise

    def _settings(self):
        """Further tables of the configuration. Automatic brakes are off: nobody is used to the load of a suite."""
        brakes = "[limits]\nbrake_volume_factor = 0\nbrake_bounce_percent = 0\n"
        if "[limits]\n" in self.settings:
            return self.settings.replace("[limits]\n", brakes, 1)
        return f"{self.settings}\n{brakes}"

    def _configure(self):
        self.config.write_text(f"""
hostname = "{self.hostname}"
data_dir = "{self.data}"
[submission]
starttls = ["127.0.0.1:{self.ports["starttls"]}"]
tls = ["127.0.0.1:{self.ports["tls"]}"]
{self._certificate()}
[http]
listen = ["127.0.0.1:{self.http}"]
{self._delivery()}
{self._settings()}
""")

    def _delivery(self):
        """Where its mail goes: all of it to the one next hop."""
        return f"""
[[delivery.route]]
domain = "*"
host = "127.0.0.1"
port = {self.next_hop_port}
tls = "none"
sign_unpublished = true
"""

    def _certificate(self):
        """What the configuration says of the certificate."""
        return f'certificate = "{self.folder}/cert.pem"\nkey = "{self.folder}/key.pem"'

    @property
    def hostname(self):
        """Its name in this life: what the next hop hears in EHLO."""
        return f"life-{self.life}.localhost"

    def log_file(self, life=None):
        """The log of a life; of this one, unless another is named."""
        return self.folder / f"envoi.{self.life if life is None else life}.log"

    def spawn(self):
        """Begins the next life, and does not wait for it."""
        self.life += 1
        self._configure()
        with open(self.log_file(), "wb") as log:
            # should we be killed, it goes too
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", self.binary, "--config", self.config, "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

    def wait(self):
        """Returns once it listens."""
        for port in self.ports.values():
            self._wait_for(port)

    def start(self):
        """Begins the next life; returns once it listens."""
        self.spawn()
        self.wait()

    def kill(self):
        """Ends it as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def _furnish(self):
        account = self.command("account", "add", "--name", "Mailers")
        self.command("domain", "add", "--account", str(account["id"]), DOMAIN)
        domain = self.command("domain", "vouch", DOMAIN)
        self.records = {key["name"]: key["record"] for key in domain["keys"]}
        self.username, self.password = self.add_user("Mailers")

    def add_user(self, name):
        """A further SMTP user: its username and password."""
        user = self.command("smtp-user", "add", "--domain", DOMAIN, "--name", name)
        self.users.append((user["username"], user["password"]))
        return self.users[-1]

    def _wait_for(self, port):
        deadline = time.monotonic() + self.PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise NotStarted("the relay did not start:\n" + self.tail())
                time.sleep(0.01)

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
        return "\n".join(self.log_file().read_text(errors="replace").splitlines()[-20:])

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
