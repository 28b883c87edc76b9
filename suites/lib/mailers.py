"""Sends through both ports with real mailers, and looks at what arrives: mailers.py BINARY FOLDER NODE_MODULES.

FOLDER is an empty one that any user may enter, with `postfix` and `exim` unpacked in it.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import letter
from capture import Capture
from relay import Relay
from servers import BY_DOMAIN, Exim, Postfix

CLIENTS = pathlib.Path(__file__).resolve().parent.parent / "clients"
SECONDS = 60


class Mailer:
    """A client program. `composes`: it makes the message itself; `shows_id`: it prints our last reply;
    `adds`: what it sends after a message that it was given whole; `writes`: what it makes of a text."""

    def __init__(self, name, command, composes, shows_id=True, adds=b"", writes=str):
        self.name, self.command, self.composes, self.shows_id = name, command, composes, shows_id
        self.adds, self.writes = adds, writes

    def send(self, env):
        command = self.command(env) if callable(self.command) else self.command
        done = subprocess.run(
            command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=SECONDS,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"it failed with {done.returncode}:\n{said[-3000:]}"
        return said


def swaks(env):
    tls = {"tls": "--tlsc", "starttls": "--tls"}[env["MAILER_TLS"]]
    return [
        "swaks", "--server", env["MAILER_HOST"], "--port", env["MAILER_PORT"], tls, "--tls-verify",
        "--tls-ca-path", env["MAILER_CA"], "--auth", "PLAIN", "--auth-user", env["MAILER_USERNAME"],
        "--auth-password", env["MAILER_PASSWORD"], "--from", env["MAILER_FROM"],
        "--to", env["MAILER_TO"].replace(" ", ","), "--data", "@" + env["MAILER_MESSAGE"],
    ]  # fmt: skip


def curl(env):
    scheme = {"tls": "smtps", "starttls": "smtp"}[env["MAILER_TLS"]]
    recipients = [word for one in env["MAILER_TO"].split() for word in ("--mail-rcpt", one)]
    return [
        "curl", "--verbose", "--silent", "--show-error", "--ssl-reqd", "--cacert", env["MAILER_CA"],
        "--user", f"{env['MAILER_USERNAME']}:{env['MAILER_PASSWORD']}", "--mail-from", env["MAILER_FROM"], *recipients,
        "--upload-file", env["MAILER_MESSAGE"], f"{scheme}://{env['MAILER_HOST']}:{env['MAILER_PORT']}/localhost",
    ]  # fmt: skip


def msmtp(env):
    command = [
        "msmtp", "--file=/dev/null", "--debug", f"--host={env['MAILER_HOST']}", f"--port={env['MAILER_PORT']}",
        "--tls=on", f"--tls-starttls={'on' if env['MAILER_TLS'] == 'starttls' else 'off'}",
        f"--tls-trust-file={env['MAILER_CA']}", "--auth=plain", f"--user={env['MAILER_USERNAME']}",
        f"--from={env['MAILER_FROM']}", "--passwordeval=printenv MAILER_PASSWORD", "--", *env["MAILER_TO"].split(),
    ]  # fmt: skip
    # it reads lines with LF, as a sendmail does
    return ["bash", "-c", 'tr -d "\\r" < "$MAILER_MESSAGE" | "$@"', "msmtp", *command]


def java(env):
    store = pathlib.Path(env["MAILER_CA"]).with_name("trust.p12")
    if not store.exists():
        keytool = ["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", env["MAILER_CA"]]
        subprocess.run([*keytool, "-keystore", store, "-storepass", "changeit"], check=True, capture_output=True)
    return [
        "java", f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit",
        "-cp", "/usr/share/java/javax.mail.jar", CLIENTS / "JavaMail.java",
    ]  # fmt: skip


def mailers(node_modules):
    client = lambda name: str(CLIENTS / name)
    node = ["env", f"NODE_PATH={node_modules}", "node", client("nodemailer.js")]
    return [
        Mailer("PHPMailer", ["php", client("phpmailer.php")], composes=True),
        Mailer("Symfony Mailer", ["php", client("symfony.php")], composes=True),
        Mailer("Nodemailer", node, composes=True),
        Mailer("smtplib", [sys.executable, client("python_smtplib.py")], composes=True, writes=letter.mangled),
        Mailer("smtplib with octets", [sys.executable, client("python_smtplib_raw.py")], composes=False),
        Mailer("aiosmtplib", [sys.executable, client("python_aiosmtplib.py")], composes=False),
        Mailer("Django", [sys.executable, client("python_django.py")], composes=True, shows_id=False),
        Mailer("Net::SMTP of Perl", ["perl", client("net_smtp.pl")], composes=False),
        Mailer("Net::SMTP of Ruby", ["ruby", client("net_smtp.rb")], composes=False),
        Mailer("JavaMail", java, composes=True),
        Mailer("swaks", swaks, composes=False, adds=b"\r\n"),
        Mailer("msmtp", msmtp, composes=False),
        Mailer("curl", curl, composes=False),
    ]


class Suite:
    def __init__(self, folder, relay, capture):
        self.folder, self.relay, self.capture = folder, relay, capture
        self.passed = self.failed = self.number = 0
        (folder / "text").write_bytes(letter.TEXT.encode())
        (folder / "data.bin").write_bytes(letter.attachment())

    def run(self, name, case):
        """Counts a case; `case` takes a token that is nobody else's."""
        self.number += 1
        try:
            case(f"token{self.number}")
        except (AssertionError, subprocess.SubprocessError, OSError) as error:
            self.failed += 1
            print(f"FAILED: {name}: {error}", flush=True)
        else:
            self.passed += 1
            print(f"ok: {name}", flush=True)

    def mailer(self, mailer, tls):
        def case(token):
            recipients = [f"{token}.{who}@example.net" for who in ("bob", "carol")]
            sent = letter.raw(token)
            (self.folder / "message.eml").write_bytes(sent)
            said = mailer.send(self.environment(token, tls, recipients))
            (message,) = self.arrived(recipients, letter.SENDER)
            if mailer.composes:
                letter.check_composed(message.content, token, recipients, mailer.writes(letter.TEXT))
            else:
                letter.check_raw(message.content, sent + mailer.adds)
            self.known(recipients, said if mailer.shows_id else None)

        self.run(f"{mailer.name}, {tls}", case)

    def server(self, name, server, tls, count=2, sender=letter.SENDER):
        """A mail server that sends to `count` recipients; its bounces have no sender, but a From."""

        def case(token):
            recipients = [f"{token}.{number}@{BY_DOMAIN[tls]}" for number in range(count)]
            sent = letter.raw(token, sender=sender or "MAILER-DAEMON@example.org")
            said = server.send(sender, recipients, sent)
            for message in self.arrived(recipients, sender):
                letter.check_raw(message.content, sent)
            self.known(recipients, said)

        self.run(f"{name}, {tls}", case)

    def environment(self, token, tls, recipients):
        return {
            "MAILER_HOST": "localhost",
            "MAILER_PORT": str(self.relay.ports[tls]),
            "MAILER_TLS": tls,
            "MAILER_USERNAME": self.relay.username,
            "MAILER_PASSWORD": self.relay.password,
            "MAILER_CA": str(self.relay.certificate_authority),
            "MAILER_FROM": letter.SENDER,
            "MAILER_TO": " ".join(recipients),
            "MAILER_MESSAGE": str(self.folder / "message.eml"),
            "MAILER_SUBJECT": letter.subject(token),
            "MAILER_TEXT": str(self.folder / "text"),
            "MAILER_ATTACHMENT": str(self.folder / "data.bin"),
        }

    def arrived(self, recipients, sender):
        """Every message for them, each recipient once, signed."""
        found = self.capture.wait_for(recipients, SECONDS)
        reached = [recipient for message in found for recipient in message.recipients]
        assert sorted(reached) == sorted(recipients), f"it reached {reached}"
        for message in found:
            assert message.sender == sender, f"the reverse-path is {message.sender!r}"
            letter.check_signatures(message.content, self.relay.records)
        return found

    def known(self, recipients, said):
        """Activity knows the message by the id that the mailer was told."""
        until = time.monotonic() + SECONDS
        # activity reads a quarter of a second behind the log
        while not (rows := self.relay.command("activity", "--recipient", recipients[0])) and time.monotonic() < until:
            time.sleep(0.05)
        assert len(rows) == 1, f"{len(rows)} rows of activity for {recipients[0]}"
        if said is not None:
            ids = re.findall(r"queued as ([0-9A-Z]{26})\b", said)
            assert rows[0]["message"] in ids, f"the mailer was told {ids} of {rows[0]['message']}:\n{said[-2000:]}"


def main():
    binary, folder, node_modules = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    # so that everything that was started is stopped
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    started = []
    try:
        capture = Capture()
        started.append(capture)
        (folder / "relay").mkdir()
        relay = Relay(binary, folder / "relay", capture.port)
        started.append(relay)
        suite = Suite(folder, relay, capture)
        for mailer in mailers(node_modules):
            for tls in relay.ports:
                suite.mailer(mailer, tls)
        postfix = Postfix(folder / "postfix", relay)
        started.append(postfix)
        exim = Exim(folder / "exim", relay)
        for tls in relay.ports:
            suite.server("Postfix", postfix, tls)
            suite.server("Postfix, 60 recipients", postfix, tls, count=60)
            suite.server("Postfix, a bounce", postfix, tls, sender="")
            suite.server("Exim", exim, tls)
        if suite.failed:
            print(relay.tail())
        print(f"{suite.passed} passed, {suite.failed} failed")
        sys.exit(1 if suite.failed else 0)
    finally:
        for one in reversed(started):
            one.stop()


main()
