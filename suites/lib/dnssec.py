"""Delivery under DANE and MTA-STS: signed zones, mail servers and policies on loopback. See `suites/dnssec`."""

import http.server
import json
import pathlib
import smtplib
import socketserver
import ssl
import sys
import threading
import time

from certificates import Certificates, context
from ports import free_ports
from relay import DOMAIN, Relay
from signed_zones import Zones
from trial import Tally

# Seconds for whatever has to come about.
PATIENCE = 60


class Server(socketserver.ThreadingTCPServer):
    """A mail server at port 25; what it took, and how often it was dialled. Without a certificate it has no TLS."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, address, certificate):
        self.tls = certificate and context(certificate)
        self.taken, self.begun, self.dialled = [], 0, 0
        super().__init__((address, 25), Conversation)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A handshake that the relay breaks off is what is tested."""


class Conversation(socketserver.BaseRequestHandler):
    def handle(self):
        server, secure = self.server, False
        server.dialled += 1
        stream = self.request.makefile("rwb")

        def say(text):
            stream.write(text.encode() + b"\r\n")
            stream.flush()

        say("220 mail server of a test")
        while line := stream.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"EHLO":
                say("250-mail server of a test" + ("\r\n250-STARTTLS" if server.tls and not secure else "") + "\r\n250 8BITMIME")
            elif verb == b"STARTTLS":
                say("220 go on")
                stream.close()
                self.request = server.tls.wrap_socket(self.request, server_side=True)
                stream, secure = self.request.makefile("rwb"), True
            elif verb == b"DATA":
                say("354 go on")
                while stream.readline() not in (b".\r\n", b""):
                    pass
                server.taken.append(secure)
                say("250 2.0.0 taken")
            elif verb == b"QUIT":
                say("221 2.0.0 bye")
                return
            else:
                server.begun += verb == b"MAIL"
                say("250 2.0.0 ok")


class Policies(http.server.ThreadingHTTPServer):
    """A server of one policy at port 443."""

    allow_reuse_address = True

    def __init__(self, address, certificate, policy):
        self.policy, self.asked = policy, 0
        super().__init__((address, 443), Policy)
        self.socket = context(certificate).wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """As above."""


class Policy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        found = self.path == "/.well-known/mta-sts.txt"
        body = self.server.policy.encode() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nobody reads it."""


class Case:
    """A domain, its mail server, and what has to come of mail for it."""

    number = 0

    def __init__(self, domain, status, tls, why="", certificate=None, tlsa=None, policy=None, policy_certificate=None):
        Case.number += 1
        self.domain, self.status, self.tls, self.why = domain, status, tls, why
        self.host, self.address = f"mx.{domain}", f"127.0.1.{Case.number}"
        self.policy_address = f"127.0.2.{Case.number}"
        self.server = Server(self.address, certificate)
        self.tlsa = tlsa
        self.policies = None
        if policy:
            self.policies = Policies(self.policy_address, policy_certificate, policy)

    def records(self):
        """Its lines in the zone's file."""
        lines = [f"{self.domain}. MX 10 {self.host}.", f"{self.host}. A {self.address}"]
        if self.tlsa and "linked" in self.domain:
            lines += [f"_25._tcp.{self.host}. CNAME tlsa.{self.domain}.", f"tlsa.{self.domain}. TLSA {self.tlsa}"]
        elif self.tlsa:
            lines.append(f"_25._tcp.{self.host}. TLSA {self.tlsa}")
        if self.policies:
            lines.append(f'_mta-sts.{self.domain}. TXT "v=STSv1; id=1;"')
            lines.append(f"mta-sts.{self.domain}. A {self.policy_address}")
        return lines


class SecureRelay(Relay):
    """A relay that delivers by MX alone."""

    def __init__(self, binary, folder, zones, authority):
        folder.mkdir()
        self.zones, self.authority = zones, authority
        super().__init__(binary, folder, 0)

    hostname = "relay.test"

    def _delivery(self):
        return f"""
[delivery]
allow_private = true
name_servers = ["127.0.0.1:{self.zones.port}"]
dane = "on"
trust_anchors = "{self.zones.anchors}"
ca_file = "{self.authority}"
"""

    def send(self, domain):
        """Hands in a message for somebody at this domain."""
        unchecked = ssl._create_unverified_context()
        with smtplib.SMTP_SSL("127.0.0.1", self.ports["tls"], timeout=PATIENCE, context=unchecked) as session:
            session.login(self.username, self.password)
            session.sendmail(f"shop@{DOMAIN}", [f"somebody@{domain}"], f"From: shop@{DOMAIN}\r\nSubject: hello\r\n\r\nhello\r\n")

    def outcome(self, domain, number=1):
        """The row of the message for this domain, with its events, once it was tried."""
        deadline = time.monotonic() + PATIENCE
        while True:
            rows = [row for row in self.command("activity", "--limit", "1000") if row["recipient"].endswith(f"@{domain}")]
            if len(rows) == number:
                row = max(rows, key=lambda row: row["row"])
                detail = self.command("activity", "--show", str(row["row"]))
                tried = [event for event in detail["events"] if event["attempt"]]
                if tried:
                    return detail["row"], tried[0]
            assert time.monotonic() < deadline, f"nothing came of mail for {domain}: {rows}\n{self.tail()}"
            time.sleep(0.1)


def dane(made):
    """Cases of DANE, in a zone that is signed."""
    right = made.issue("elsewhere.test", expired=True)
    named, other = made.issue("mx.ta.secure.test"), made.issue("mx.other.test")
    own, authority = f"3 1 1 {made.key_digest(right)}", f"2 0 1 {made.authority_digest()}"
    refused = "has TLSA records, and "
    return [
        Case("ee.secure.test", "delivered", "TLS 1.3, DANE", certificate=right, tlsa=own),
        Case("ta.secure.test", "delivered", "TLS 1.3, DANE", certificate=named, tlsa=authority),
        Case("elsewhere.secure.test", "deferred", "none", refused + "its certificate is not for", other, authority),
        Case("wrong.secure.test", "deferred", "none", refused + "its certificate is not one", other, own),
        Case("clear.secure.test", "deferred", "none", refused + "the next hop does not offer STARTTLS", None, own),
        Case("odd.secure.test", "delivered", "TLS 1.3, DANE without usable records", certificate=other,
             tlsa=f"0 0 1 {made.authority_digest()}"),
        Case("linked.secure.test", "delivered", "TLS 1.3, DANE", certificate=right, tlsa=own),
        Case("linkedwrong.secure.test", "deferred", "none", refused + "its certificate is not one", other, own),
        Case("none.secure.test", "delivered", "TLS 1.3", certificate=other),
        Case("nothing.secure.test", "delivered", "none"),
        # records that nobody signed count for nothing
        Case("open.plain.test", "delivered", "TLS 1.3", certificate=other, tlsa=own),
        Case("records.bogus.test", "deferred", "none", "no answer about the TLSA records of mx.records.bogus.test", right, own),
        Case("servers.bogus.test", "deferred", "none", "no answer about the MX of servers.bogus.test", right, own),
    ]


# Domains that lead to the server of ee.secure.test: by an alias, a wildcard, an alias of the domain itself.
BEHIND = [
    "alias.secure.test. MX 10 mx.alias.secure.test.",
    "mx.alias.secure.test. CNAME mx.ee.secure.test.",
    "*.wild.secure.test. MX 10 mx.ee.secure.test.",
    "renamed.secure.test. CNAME ee.secure.test.",
]


def policy(host, mode="enforce"):
    return f"version: STSv1\nmode: {mode}\nmx: {host}\nmax_age: 86400\n"


def mta_sts(made):
    """Cases of MTA-STS, in a zone that is not signed."""
    other = made.issue("mx.other.test")

    def case(label, status, tls, why="", named=None, mode="enforce", certificate="right", policy_by="right", **more):
        domain = f"{label}.plain.test"
        certificates = {"right": lambda: made.issue(f"mx.{domain}"), "expired": lambda: made.issue(f"mx.{domain}", True),
                        "wrong": lambda: other, "none": lambda: None}
        served = made.issue(f"mta-sts.{domain}") if policy_by == "right" else other
        return Case(domain, status, tls, why, certificates[certificate](), policy=policy(named or f"mx.{domain}", mode),
                    policy_certificate=served, **more)

    wanted = "the MTA-STS policy of {}.plain.test demands it, and "
    return [
        case("sts", "delivered", "TLS 1.3, MTA-STS"),
        case("star", "delivered", "TLS 1.3, MTA-STS", named="*.star.plain.test"),
        case("stswrong", "deferred", "none", wanted.format("stswrong"), certificate="wrong"),
        case("stsexpired", "deferred", "none", wanted.format("stsexpired"), certificate="expired"),
        case("stsclear", "deferred", "none", wanted.format("stsclear"), certificate="none"),
        case("stsother", "deferred", "none", "does not name the mail server mx.stsother.plain.test", named="mx.other.test"),
        case("testing", "delivered", "TLS 1.3, MTA-STS testing", mode="testing"),
        case("testwrong", "delivered", "TLS 1.3, MTA-STS testing (would fail: ", mode="testing", certificate="wrong"),
        case("testclear", "delivered", "none, MTA-STS testing (would fail: ", mode="testing", certificate="none"),
        case("over", "delivered", "TLS 1.3", mode="none", certificate="wrong"),
        # a policy that cannot be fetched is none, and hurts nobody
        case("forged", "delivered", "TLS 1.3", certificate="wrong", policy_by="wrong"),
    ]


def look(tally, relay, cases):
    """Sends one message for each case, and looks what came of it."""
    for case in cases:
        relay.send(case.domain)
    for case in cases:
        row, tried = relay.outcome(case.domain)
        shown = tried["attempt"]["tls"]
        well = tried["status"] == case.status and shown.startswith(case.tls) and case.why in tried["reason"]
        exact = shown == case.tls or case.tls.endswith("(would fail: ")
        tally.check(f"mail for {case.domain} is {case.status}: {case.tls}", [] if well and exact else [json.dumps(tried)])
        # what is deferred was not even begun, and nothing went in the clear but where nothing was asked
        clean = case.server.begun == 0 if case.status == "deferred" else case.server.taken == [not case.tls.startswith("none")]
        told = f"begun {case.server.begun}, taken {case.server.taken}, dialled {case.server.dialled}"
        tally.check(f"what the server of {case.domain} heard", [] if clean else [told])


def kept(tally, relay, cases):
    """Policies stay over a restart, without their servers."""
    held = [case for case in cases if case.domain in ("sts.plain.test", "stswrong.plain.test")]
    relay.stop()
    for case in held:
        case.policies.shutdown()
        case.policies.server_close()
    relay.start()
    for case in held:
        relay.send(case.domain)
        _, tried = relay.outcome(case.domain, 2)
        told = json.dumps(tried)
        tally.check(f"the policy of {case.domain} holds after a restart",
                    [] if (tried["status"], tried["attempt"]["tls"]) == (case.status, case.tls) else [told])
    # one that was damaged is dropped, and said so
    relay.stop()
    file = relay.data / "mta-sts.json"
    tally.check("policies are kept in the data folder", [] if file.exists() else [str(file)])
    file.write_text("{")
    relay.start()
    tally.check("a damaged file is told and dropped", [] if "mta-sts.json" in relay.tail() else [relay.tail()])


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    tally = Tally()
    made = Certificates(folder / "certificates")
    (port,) = free_ports(1)
    under_dane = dane(made)
    under_sts = mta_sts(made) if "--dane" not in sys.argv else []
    records = {zone: [line for case in under_dane + under_sts if f"{case.domain}.".endswith(f".{zone}")
                      for line in case.records()] for zone in ("secure.test.", "bogus.test.", "plain.test.")}
    records["secure.test."] += BEHIND
    tampered = [("bogus.test.", r"mx\.servers\.bogus\.test\.$|10 mx\.servers\.bogus\.test\.", "10 mx.records.bogus.test."),
                ("bogus.test.", r"3 1 1 \(?", "3 0 1 (")]
    zones = Zones(folder / "zones", port, records, unsigned=["plain.test."], tampered=tampered)
    relay = SecureRelay(binary, folder / "relay", zones, made.folder / "ca.pem")
    try:
        look(tally, relay, under_dane + under_sts)
        for domain in ("alias.secure.test", "any.wild.secure.test", "renamed.secure.test"):
            relay.send(domain)
            _, tried = relay.outcome(domain)
            well = (tried["status"], tried["attempt"]["tls"]) == ("delivered", "TLS 1.3, DANE")
            tally.check(f"{domain} has the records of what it leads to", [] if well else [json.dumps(tried)])
        if under_sts:
            kept(tally, relay, under_sts)
    finally:
        relay.stop()
        zones.stop()
    sys.exit(tally.end())


main()
