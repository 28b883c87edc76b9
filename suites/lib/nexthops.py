"""Delivery to Postfix, Exim and OpenSMTPD, each in a root folder of its own. See `suites/nexthops`."""

import email.policy
import json
import os
import pathlib
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import time

from certificates import Certificates
from ports import free_ports
from relay import DOMAIN, Relay
from trial import Tally

# Seconds for whatever has to come about.
PATIENCE = 90
# Numbers of users and groups that no machine has.
UNPRIVILEGED = 61010
# Messages that come all at once to a server that takes few connections.
CROWD = 60
# Octets that each server takes in a message at the most.
SIZE_MAX = 300_000


class Server:
    """A mail server in a root folder that has its packages already."""

    # its name, the programs that it is made of, users besides root, folders with their owner
    name, programs, users, folders = "", [], [], {}
    # who reads the key, where that is not root
    key_of = None
    # what its mail goes by
    tls = "TLS 1.3"

    def __init__(self, root, certificates):
        self.root, self.domain = root, f"{self.name}.test"
        [self.port] = free_ports(1)
        self.log = (root.parent / f"{self.name}.log").open("wb")
        self._furnish(certificates.issue(f"mx.{self.domain}"))
        self.configure()
        command = ["setpriv", "--pdeathsig", "TERM", "chroot", root, *self.command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": "/usr/lib/postfix"})
        self._wait()

    def configure(self):
        """Writes what it reads at its start."""
        raise NotImplementedError

    def _furnish(self, certificate):
        """What every program needs: libraries, users, devices; and the certificate."""
        below = [folder for parent in ("usr/lib", "lib") for folder in (self.root / parent).glob("*-linux-gnu")]
        libraries = [self.root / "usr/lib/postfix", *below]
        environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
        for program in [*self.programs, "/bin/sh"]:
            inside = self.root / program.lstrip("/")
            if program == "/bin/sh":
                self._copy("/bin/sh")
            listed = subprocess.run(["ldd", inside], capture_output=True, text=True, env=environment, check=True).stdout
            missing = re.findall(r"(\S+) => not found", listed)
            assert not missing, f"{self.name} needs {missing}"
            for library in re.findall(r"(/\S+) \(0x", listed):
                if not library.startswith(str(self.root)):
                    self._copy(library)
        for folder in ("etc", "dev", "tmp", "mail"):
            (self.root / folder).mkdir(exist_ok=True)
        for folder in ("tmp", "mail"):
            (self.root / folder).chmod(0o1777)
        names = [*self.users, "somebody", "other", "nobody"]
        numbers = {name: UNPRIVILEGED + place for place, name in enumerate(names)}
        lines = [f"{name}:x:{number}:{number}::/home/{name}:/bin/sh" for name, number in numbers.items()]
        for name, number in numbers.items():
            (self.root / "home" / name).mkdir(parents=True)
            shutil.chown(self.root / "home" / name, number, number)
        self.write("etc/passwd", "\n".join(["root:x:0:0::/:/bin/sh", *lines, ""]))
        groups = [f"{name}:x:{number}:" for name, number in numbers.items()]
        self.write("etc/group", "\n".join(["root:x:0:", *groups, ""]))
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.write("etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        for device in ("null", "random", "urandom", "zero"):
            found = os.stat(f"/dev/{device}")
            os.mknod(self.root / "dev" / device, found.st_mode, found.st_rdev)
            (self.root / "dev" / device).chmod(0o666)
        for folder, owner in self.folders.items():
            made = self.root / folder
            made.mkdir(parents=True, exist_ok=True)
            if owner:
                shutil.chown(made, numbers[owner], numbers[owner])
        shutil.copy(certificate, self.root / "etc/cert.pem")
        shutil.copy(f"{certificate}.key", self.root / "etc/key.pem")
        (self.root / "etc/key.pem").chmod(0o600)
        if self.key_of:
            shutil.chown(self.root / "etc/key.pem", numbers[self.key_of], numbers[self.key_of])

    def _copy(self, file):
        inside = self.root / file.lstrip("/")
        if not inside.exists():
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.realpath(file), inside)

    def write(self, name, text):
        """Writes a file of it."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def _wait(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as line:
                    if line.recv(3) == b"220":
                        return
            except OSError:
                pass
            assert self.process.poll() is None and time.monotonic() < deadline, f"{self.name} did not start:\n{self.tail()}"
            time.sleep(0.1)

    def tail(self):
        """The last lines that it wrote."""
        logs = [pathlib.Path(self.log.name), *(self.root / "var/log").rglob("*log*")]
        return "\n".join(line for log in logs if log.is_file() for line in log.read_text(errors="replace").splitlines()[-15:])

    def boxes(self):
        """Everything that it took for mailboxes of its own, parsed."""
        files = [file for file in (self.root / "mail").rglob("*") if file.is_file() and file.parent.name == "new"]
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Postfix(Server):
    name, users = "postfix", ["postfix", "postdrop"]
    programs = ["/usr/lib/postfix/sbin/" + name for name in (
        "master", "smtpd", "cleanup", "qmgr", "virtual", "tlsmgr", "trivial-rewrite", "bounce", "anvil", "postlogd", "proxymap",
        "smtp", "error")]
    folders = {
        "var/spool/postfix": None, "var/spool/postfix/pid": None, "var/lib/postfix": "postfix", "var/log": None,
        **{f"var/spool/postfix/{queue}": "postfix" for queue in (
            "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace", "maildrop",
            "public")},
    }
    command = ["/usr/lib/postfix/sbin/master", "-d", "-c", "/etc/postfix"]
    # what it says of an unknown recipient, and of one to be tried later
    unknown, later = "550 5.1.1", "450 4.2.0"
    takes_utf8 = True

    def configure(self):
        self.write("etc/postfix/boxes", "".join(f"{name}@{self.domain} box/\n" for name in ("somebody", "other", "zoé")))
        self.write("etc/postfix/access", f"later@{self.domain} 450 4.2.0 mailbox is being moved, try again later\n")
        box = UNPRIVILEGED + 2
        self.write("etc/postfix/main.cf", f"""
compatibility_level = 3.6
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
data_directory = /var/lib/postfix
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = /var/log/mail.log
myhostname = mx.{self.domain}
mydestination =
inet_protocols = ipv4
mynetworks =
alias_maps =
virtual_mailbox_domains = {self.domain}
virtual_mailbox_maps = texthash:/etc/postfix/boxes
virtual_mailbox_base = /mail
virtual_uid_maps = static:{box}
virtual_gid_maps = static:{box}
virtual_mailbox_limit = 0
smtpd_recipient_restrictions = check_recipient_access texthash:/etc/postfix/access, reject_unauth_destination
message_size_limit = {SIZE_MAX}
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/cert.pem
smtpd_tls_key_file = /etc/key.pem
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 2
smtpd_client_event_limit_exceptions =
""")
        service = "{:<32} {:<5} {} - n {} {} {}\n".format
        self.write("etc/postfix/master.cf", "".join([
            service(f"127.0.0.1:{self.port}", "inet", "n", "-", "-", "smtpd"),
            service("cleanup", "unix", "n", "-", "0", "cleanup"), service("qmgr", "unix", "n", "300", "1", "qmgr"),
            service("tlsmgr", "unix", "-", "1000?", "1", "tlsmgr"), service("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
            service("bounce", "unix", "-", "-", "0", "bounce"), service("defer", "unix", "-", "-", "0", "bounce"),
            service("trace", "unix", "-", "-", "0", "bounce"), service("proxymap", "unix", "-", "-", "-", "proxymap"),
            service("smtp", "unix", "-", "-", "-", "smtp"), service("error", "unix", "-", "-", "-", "error"),
            service("anvil", "unix", "-", "-", "1", "anvil"),
            "virtual unix - n n - - virtual\n",
            "postlog unix-dgram n - n - 1 postlogd\n",
        ]))


class Exim(Server):
    name, users = "exim", ["Debian-exim"]
    programs, key_of = ["/usr/sbin/exim4"], "Debian-exim"
    folders = {"var/spool/exim4": "Debian-exim", "var/log/exim4": "Debian-exim", "run/exim4": "Debian-exim", "var/lib/exim4": None}
    command = ["/usr/sbin/exim4", "-bdf"]
    unknown, later = "550 Unknown user", "451"
    takes_utf8 = True

    def configure(self):
        (self.root / "usr/sbin/exim4").chmod(0o4755)
        self.write("var/lib/exim4/config.autogenerated", f"""
primary_hostname = mx.{self.domain}
exim_user = Debian-exim
exim_group = Debian-exim
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
domainlist ours = {self.domain}
acl_smtp_rcpt = recipient
tls_advertise_hosts = *
tls_certificate = /etc/cert.pem
tls_privatekey = /etc/key.pem
message_size_limit = {SIZE_MAX}
smtp_accept_max_per_host = 2
rfc1413_query_timeout = 0s
smtp_accept_queue_per_connection = 0
smtputf8_advertise_hosts = *
never_users =
begin acl
recipient:
  defer   local_parts = later
          message = Try again later
  deny    !local_parts = somebody : other : zoé
          message = Unknown user
  accept  domains = +ours
  deny    message = Relaying is not permitted
begin routers
box:
  driver = accept
  domains = +ours
  transport = box
begin transports
box:
  driver = appendfile
  directory = /mail/box
  maildir_format
  user = Debian-exim
""")
        self.write("etc/mailname", self.domain)


class OpenSmtpd(Server):
    name, users = "opensmtpd", ["opensmtpd", "opensmtpq"]
    programs = ["/usr/sbin/smtpd", "/usr/libexec/opensmtpd/mail.maildir"]
    folders = {"var/spool/smtpd": None, "var/lib/opensmtpd/empty": None, "var/run": None, "var/mail": None}
    command = ["/usr/sbin/smtpd", "-d"]
    unknown, later = "550", "451 4.2.0"
    # with the library that Debian links it to it breaks every handshake off, whatever the key: its mail goes in the clear then
    tls = "none (TLS failed: received fatal alert: InternalError)"
    takes_utf8 = False

    def configure(self):
        (self.root / "var/spool/smtpd").chmod(0o711)
        self.write("etc/mailname", f"mx.{self.domain}\n")
        self.write("etc/smtpd.conf", f"""
pki own cert "/etc/cert.pem"
pki own key "/etc/key.pem"
smtp max-message-size "{SIZE_MAX}"
table later {{ "later@{self.domain}" }}
filter later phase rcpt-to match rcpt-to <later> reject "451 4.2.0 Try again later"
listen on 127.0.0.1 port {self.port} tls pki own filter later
action box maildir "/mail/%{{user.username}}"
match from any for domain "{self.domain}" action box
""")


class RelayToThem(Relay):
    """A relay that delivers to these servers by routes."""

    def __init__(self, binary, folder, servers):
        folder.mkdir()
        self.servers = servers
        super().__init__(binary, folder, 0)

    hostname = "relay.test"

    def _delivery(self):
        return "".join(f"""
[[delivery.route]]
domain = "{server.domain}"
host = "127.0.0.1"
port = {server.port}
tls = "opportunistic"
sign_unpublished = true
""" for server in self.servers)

    def session(self):
        """A session that has logged in."""
        session = smtplib.SMTP_SSL("127.0.0.1", self.ports["tls"], timeout=PATIENCE, context=ssl._create_unverified_context())
        session.login(self.username, self.password)
        return session

    def rows(self, subject):
        """The rows of a message by its subject, as recipient: row with its events, once all are past their first attempt."""
        deadline = time.monotonic() + PATIENCE
        while True:
            rows = self.command("activity", "--limit", "1000")
            rows = [row for row in rows if row["subject"] == subject]
            if rows and all(is_told(row) for row in rows):
                details = [self.command("activity", "--show", str(row["row"])) for row in rows]
                return {detail["row"]["recipient"]: detail for detail in details}
            assert time.monotonic() < deadline, f"{subject}: {rows}\n{self.tail()}"
            time.sleep(0.1)


def is_told(row):
    """Whether a server said what this recipient's message leads to: more than that it has too many connections."""
    return row["status"] not in ("accepted", "pending") and not (row["status"] == "deferred" and row["class"] == "connections")


def letter(subject, body):
    return f"From: shop@{DOMAIN}\r\nTo: somebody\r\nSubject: {subject}\r\n\r\n".encode() + body


# Lines that servers like to change: dots, spaces at the end, eight bits, as long as the standard allows.
LINES = [".", "..", ".hidden", "trailing  ", "\ttab", "Ça va, Zoé ? " * 3, "x" * 998, "From here", "", "."]
TRICKY = "".join(f"{line}\r\n" for line in LINES).encode()


def body_of(message):
    """The body as it lies in the mailbox, with the line ends that it was sent with."""
    text = message.as_bytes(policy=email.policy.compat32.clone(linesep="\n", max_line_length=None))
    return text.split(b"\n\n", 1)[1].replace(b"\n", b"\r\n")


def told(detail):
    return json.dumps(detail)[:900]


def look_at(tally, relay, server):
    """One server, everything but its limits of connections."""
    name, domain = server.name, server.domain
    with relay.session() as session:
        session.sendmail(f"shop@{DOMAIN}", [f"somebody@{domain}"], letter(f"tricky {name}", TRICKY), ["BODY=8BITMIME"])
        people = [f"{person}@{domain}" for person in ("somebody", "nobody-here", "later", "other")]
        session.sendmail(f"shop@{DOMAIN}", people, letter(f"mixed {name}", b"to four\r\n"))
        large = (b"0123456789abcdef" * 4 + b"\r\n") * 6_000
        session.sendmail(f"shop@{DOMAIN}", [f"somebody@{domain}"], letter(f"large {name}", large))
        session.sendmail(f"shop@{DOMAIN}", [f"zoé@{domain}"], letter(f"international {name}", b"hello\r\n"), ["SMTPUTF8"])
    [tricky] = relay.rows(f"tricky {name}").values()
    well = tricky["row"]["status"] == "delivered" and tricky["row"]["last_attempt"]["tls"] == server.tls
    tally.check(f"{name} takes a message, and shows what it went by", [] if well else [told(tricky)])
    mixed = relay.rows(f"mixed {name}")
    expected = {"somebody": ("delivered", "250"), "other": ("delivered", "250"), "later": ("deferred", server.later),
                "nobody-here": ("hard_bounce", server.unknown)}
    for person, (status, reply) in expected.items():
        row = mixed[f"{person}@{domain}"]["row"]
        well = row["status"] == status and (row["reply"]).startswith(reply)
        tally.check(f"{name}: {person} is {status}", [] if well else [told(mixed[f"{person}@{domain}"])])
    gone = mixed[f"nobody-here@{domain}"]["row"]
    tally.check(f"{name}: what it says of an unknown mailbox is understood",
                [] if gone["class"] == "no_such_mailbox" else [told(gone)])
    [large] = relay.rows(f"large {name}").values()
    well = large["row"]["status"] == "hard_bounce" and large["row"]["class"] == "message_too_large"
    tally.check(f"{name}: what is too large comes back and says so", [] if well else [told(large)])
    [utf8] = relay.rows(f"international {name}").values()
    wanted = "delivered" if server.takes_utf8 else "hard_bounce"
    tally.check(f"{name}: mail for an international address is {wanted}", [] if utf8["row"]["status"] == wanted else [told(utf8)])


def wait_for_boxes(server, count):
    """The messages in its mailboxes, once there are so many."""
    deadline = time.monotonic() + PATIENCE
    while len(boxes := server.boxes()) < count:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    return boxes


def look_into(tally, server):
    """What came into the mailboxes of a server."""
    expected = 4 if server.takes_utf8 else 3
    boxes = wait_for_boxes(server, expected)
    subjects = sorted(str(box["Subject"]) for box in boxes)
    tally.check(f"{server.name} has what it took", [] if len(boxes) == expected else [f"{subjects}\n{server.tail()}"])
    for box in boxes:
        if str(box["Subject"]).startswith("tricky"):
            found = body_of(box)
            tally.check(f"{server.name} has every octet of it", [] if found == TRICKY else [repr(found[:600])])
            signed = box.get_all("DKIM-Signature") or []
            tally.check(f"{server.name} has both signatures", [] if len(signed) == 2 else [str(signed)])


def crowd(tally, relay, servers):
    """Many messages at once to servers that take two connections: all of them come, each once."""
    with relay.session() as session:
        for number in range(CROWD):
            for server in servers:
                content = letter(f"crowd {number} {server.name}", b"one of many\r\n")
                session.sendmail(f"shop@{DOMAIN}", [f"somebody@{server.domain}"], content)
    for server in servers:
        before = 4 if server.takes_utf8 else 3
        boxes = wait_for_boxes(server, before + CROWD)
        counted = {}
        for box in boxes:
            subject = str(box["Subject"])
            counted[subject] = counted.get(subject, 0) + 1
        wanted = {f"crowd {number} {server.name}" for number in range(CROWD)}
        faults = [f"{subject}: {counted.get(subject, 0)} times" for subject in sorted(wanted) if counted.get(subject) != 1]
        tally.check(f"{server.name} has each of {CROWD} messages once", [*faults, *([server.tail()] if faults else [])])


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    made, tally, servers, relay = Certificates(folder / "certificates"), Tally(), [], None
    try:
        for kind in (Postfix, Exim, OpenSmtpd):
            servers.append(kind(folder / kind.name, made))
        relay = RelayToThem(binary, folder / "relay", servers)
        for server in servers:
            look_at(tally, relay, server)
        for server in servers:
            look_into(tally, server)
        crowd(tally, relay, servers)
    finally:
        if relay is not None:
            relay.stop()
        for server in servers:
            server.stop()
    return tally.end()


sys.exit(main())
