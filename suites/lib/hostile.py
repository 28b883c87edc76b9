"""Attacks on a running relay, and what they cost it and others.

Measured for each attack: resident memory (highest, against a bound), file descriptors (given back afterwards), and the
latency of a well-behaved client, which the whole time makes a visit with one message eight times a second, from an
address of its own: median and 95th percentile during the attack are at most twice those of the quiet seconds before
and after it.

That the comparison is about the relay: attackers share the two cores with the relay and the client, so each attack has
a bounded pace, at which the attacker itself needs a fraction of a core, and runs at a lower priority. Before and after
are measured next to each attack, so that what else the machine does weighs on both alike. Where a neighbour disturbs
one of them, the attack is repeated, twice at most: a fault of the relay shows each time.
"""

import asyncio
import contextlib
import os
import pathlib
import re
import resource
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

from attacks import ATTACKS, HANDSHAKE_SECONDS, MB
from relay import DOMAIN, Relay
from swarm import Client, address, swarm

VISITOR = "127.0.0.2"
# quiet seconds before and after each attack
QUIET = (3, 2)
ROUNDS_MAX = 3
TIMES_MAX = 2
# a difference that no person and no time-out notices, whatever the ratio
SECONDS_NOTICED = 0.010
# a connection: 8 KB of input, 16 KB of replies, two TLS records of 18 KB, and the rest of its task
CONNECTION_OCTETS = 80 << 10
# content of all drafts, and messages kept for their first attempt (store: drafts_octets_max, recent_octets_max)
CONTENT_OCTETS = (256 + 64) * MB
# what the allocator and the writing of activity may hold meanwhile
SLACK_OCTETS = 24 * MB


def limit(name):
    """A limit's value, from the page that renders relay/limits.rs."""
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs/reference/limits.md").read_text()
    return int(re.search(rf"^\| `{name}` \| (\d+) \|", page, re.MULTILINE)[1])


class Visits:
    """The visitor's process, and what it saw."""

    def __init__(self, relay):
        script = pathlib.Path(__file__).with_name("visitor.py")
        port = str(relay.ports["tls"])
        user = relay.command("smtp-user", "add", "--domain", DOMAIN, "--name", "Visitor", "--sandbox", "on")
        command = [sys.executable, script, port, VISITOR, relay.certificate_authority, user["username"], user["password"]]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.seen, self.failures = [], []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            began, took, rest = line.split(" ", 2)
            if took == "failed:":
                self.failures.append((float(began), rest.strip()))
            else:
                self.seen.append((float(began), float(took), float(rest)))

    def between(self, spans):
        """(whole visit, MAIL to 250) of the visits that began in these spans."""
        inside = [(took, mail) for began, took, mail in list(self.seen) if any(one <= began < two for one, two in spans)]
        return [took for took, _ in inside], [mail for _, mail in inside]

    def failed(self, since):
        return [why for began, why in list(self.failures) if began >= since]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def middle_and_high(times):
    assert len(times) >= 10, f"only {len(times)} visits"
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


class House:
    """The relay under attack, its accounts, and how it is measured."""

    def __init__(self, binary, folder, open_files):
        bounded = folder / "envoi"
        bounded.write_text(f'#!/bin/sh\nexec prlimit --nofile={open_files} {binary} "$@"\n')
        bounded.chmod(0o755)
        # nobody is at the next hop: all mail here is captured
        self.relay = Relay(bounded, folder, 1, settings=f"[limits]\nhandshake_seconds = {HANDSHAKE_SECONDS}")
        self.pid = self.relay.process.pid
        self.context = ssl.create_default_context(cafile=self.relay.certificate_authority)
        self.clear, self.tls = self.relay.ports["starttls"], self.relay.ports["tls"]
        self.highest = 0

    def users(self, accounts, each=2):
        """SMTP users that capture instead of sending, so many in each of so many accounts."""
        made = []
        for number in range(accounts):
            name = f"hostile{number}.example"
            account = self.relay.command("account", "add", "--name", name)
            self.relay.command("domain", "add", "--account", str(account["id"]), name)
            self.relay.command("domain", "vouch", name)
            for of in range(each):
                user = self.relay.command("smtp-user", "add", "--domain", name, "--name", f"{of}", "--sandbox", "on")
                made.append({**user, "domain": name})
        return made

    def resident(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.relay.http}/metrics", timeout=20) as page:
            text = page.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))

    async def watch(self):
        """Remembers the highest memory until it is cancelled."""
        while True:
            self.highest = max(self.highest, self.resident())
            await asyncio.sleep(0.1)

    async def wait_for_descriptors(self, most, seconds):
        """Waits until no more than so many are open; how many there are in the end."""
        deadline = time.monotonic() + seconds
        while self.descriptors() > most and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        return self.descriptors()


class Suite:
    def __init__(self, house):
        self.house, self.visits = house, Visits(house.relay)
        self.passed, self.bound = 0, 0

    def check(self, what, holds, told=""):
        if not holds:
            raise AssertionError(f"{what}: {told}")
        self.passed += 1
        print(f"    ok: {what} {told}".rstrip(), flush=True)

    async def run(self, attack):
        print(f"{attack.__name__}: {attack.__doc__.strip()}", flush=True)
        for round_ in range(1, ROUNDS_MAX + 1):
            if await self.round(attack, round_):
                return
        raise AssertionError(f"{attack.__name__}: others waited too long, in each of {ROUNDS_MAX} rounds")

    async def round(self, attack, round_):
        """One attack with its quiet seconds; false where others waited too long."""
        house, began = self.house, time.monotonic()
        house.round = round_
        await asyncio.sleep(QUIET[0])
        files, memory, cpu = house.descriptors(), house.resident(), house.cpu()
        attacked = time.monotonic()
        house.highest = 0
        watching = asyncio.create_task(house.watch())
        connections, content = await attack(house)
        over = time.monotonic()
        watching.cancel()
        spent = (house.cpu() - cpu) / (over - attacked)
        # visits and the descriptors of their sessions come and go
        files_after = await house.wait_for_descriptors(files + 6, 20)
        resting = time.monotonic()
        await asyncio.sleep(QUIET[1])
        quiet = [(began, attacked), (resting, time.monotonic())]
        is_last = round_ == ROUNDS_MAX
        print(f"    {over - attacked:.0f} s, the relay used {100 * spent:.0f} % of a core")
        if not self.compare(quiet, [(attacked, over)], is_last):
            return False
        self.check("no visit failed", not self.visits.failed(began), "; ".join(self.visits.failed(began))[:300])
        # the allocator gives back when it likes: what an earlier attack took may still be there, but peaks never add up
        self.bound = max(self.bound, self.memory_start + connections * CONNECTION_OCTETS + content + SLACK_OCTETS)
        bound = self.bound
        told = f"{house.highest / MB:.0f} MB, at most {bound / MB:.0f} (before: {memory / MB:.0f})"
        self.check("resident memory is bounded:", house.highest <= bound, told)
        self.check("file descriptors are given back:", files_after <= files + 6, f"{files_after}, before {files}")
        return True

    def compare(self, quiet, during, is_last):
        fair = True
        told = []
        for what, calm, attacked in zip(("visit", "MAIL to 250"), self.visits.between(quiet), self.visits.between(during)):
            (middle, high), (middle_then, high_then) = middle_and_high(calm), middle_and_high(attacked)
            told.append(f"{what} {1e3 * middle:.1f}/{1e3 * high:.1f} -> {1e3 * middle_then:.1f}/{1e3 * high_then:.1f} ms")
            for before, then in ((middle, middle_then), (high, high_then)):
                fair &= then <= TIMES_MAX * before + SECONDS_NOTICED
        if fair:
            self.check("others wait at most twice as long (median/p95):", True, "; ".join(told))
        else:
            print(f"    others waited: {'; '.join(told)}{'' if is_last else '; once more'}", flush=True)
        return fair

    async def whole(self, chosen):
        # the first visits warm everything
        await asyncio.sleep(3)
        self.memory_start = self.house.resident()
        files = self.house.descriptors()
        most = limit("sessions_max") * CONNECTION_OCTETS + CONTENT_OCTETS + self.memory_start + SLACK_OCTETS
        print(
            f"memory at the start {self.memory_start / MB:.0f} MB; the bound by the limits: {limit('sessions_max'):,} "
            f"sessions of {CONNECTION_OCTETS >> 10} KB and {CONTENT_OCTETS / MB:.0f} MB of content: {most / MB:.0f} MB"
        )
        for attack in chosen:
            await self.run(attack)
        await self.afterwards(files)

    async def afterwards(self, files):
        print("afterwards:")
        house = self.house
        await house.wait_for_descriptors(files + 6, 20)
        open_now = house.metric("envoi_submission_sessions")
        self.check("no session is left but the visitor's:", open_now <= 2, f"{open_now:.0f}")
        self.check("the store works:", house.metric("envoi_store_latched") == 0)
        deadline = time.monotonic() + 30
        while house.metric("envoi_delivery_queue_messages") > 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        queue = house.metric("envoi_delivery_queue_messages")
        self.check("what was accepted has left the queue:", queue <= 2, f"{queue:.0f} messages")
        memory = house.resident()
        self.check("memory at the end:", memory <= self.memory_start + CONTENT_OCTETS, f"{memory / MB:.0f} MB")


async def few_descriptors(binary, folder, suite):
    """Another relay, whose system gives it 1,024 descriptors: 1,100 connections do not take those of the store."""
    print("few_descriptors:", few_descriptors.__doc__.strip())
    folder.mkdir()
    house = House(binary, folder, "1024:1024")
    visits = None
    try:
        visits = Visits(house.relay)
        user = house.users(1, 1)[0]
        session = await Client.open(house.tls, "127.0.0.3", house.context)
        await session.log_in(user)

        async def open_one(number):
            with contextlib.suppress(OSError):
                return await Client.open(house.clear, address(9, number))

        clients = await swarm(1_100, 400, open_one)
        for _ in range(5):
            await session.say(f"MAIL FROM:<ann@{user['domain']}>", 250)
            await session.say("RCPT TO:<bob@example.net>", 250)
            await session.say("DATA", 354)
            # a file of its own
            text = f"From: ann@{user['domain']}\r\n\r\n".encode() + (b"z" * 98 + b"\r\n") * 15_000 + b".\r\n"
            await session.say(text, 250)
        suite.check("a session goes on sending large messages", True)
        suite.check("the store works:", house.metric("envoi_store_latched") == 0)
        [client.drop() for client in clients if client]
        since, whole = time.monotonic(), []
        while len(whole) < 10 and time.monotonic() < since + 60:
            await asyncio.sleep(0.2)
            whole, _ = visits.between([(since, time.monotonic())])
        suite.check("and afterwards everybody is let in again", len(whole) >= 10)
        session.drop()
    finally:
        if visits:
            visits.stop()
        house.relay.stop()


def main():
    binary, folder, *names = sys.argv[1:]
    folder = pathlib.Path(folder)
    chosen = [attack for attack in ATTACKS if not names or attack.__name__ in names]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most == resource.RLIM_INFINITY or most >= 4_096, f"{most} open files are too few for the attackers"
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # the soft bound as most systems give it, which the relay raises; the hard one stays
    house = House(binary, folder, "1024:")
    suite = None
    try:
        house.attackers = house.users(8)
        suite = Suite(house)
        # the attackers, from here on
        os.nice(5)
        asyncio.run(suite.whole(chosen))
        suite.visits.stop()
        if not names or "few_descriptors" in names:
            asyncio.run(few_descriptors(binary, folder / "few", suite))
    except AssertionError as error:
        print(f"FAILED: {error}\nthe relay's log ends:\n{house.relay.tail()}")
        print(f"{suite.passed if suite else 0} passed, 1 failed")
        sys.exit(1)
    finally:
        if suite:
            suite.visits.stop()
        house.relay.stop()
    print(f"{suite.passed} passed, 0 failed")


main()
