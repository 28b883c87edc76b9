"""A relay under load between a crowd of clients and a sink, to be ended by force, and the reckoning afterwards."""

import collections
import datetime
import json
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

import reckoning
from relay import Relay

HERE = pathlib.Path(__file__).parent
CLIENTS, USERS = 12, 6
# Small files of the spool: its segments are filled, left and used again while the suite runs.
SETTINGS = """
[log]
format = "json"
[store]
segment = "4MB"
reserve = "4MB"
disk_free_min = "16MB"
"""
# Seconds until the queue has to be empty once nobody sends any more.
DRAINED_WITHIN = 300


class Tally:
    """Checks passed and failed, with the faults of the latter."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def check(self, what, faults):
        """Passed where there are no faults."""
        if not faults:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED: {what}: {len(faults)} faults")
        for fault in faults[:10]:
            print(f"  {fault[:400]}")

    def end(self):
        """The last line, and the exit code."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def process(name, *arguments):
    """Another program of the suites, which ends when its standard input does, or with us."""
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, HERE / name, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Crowd:
    """The clients, running."""

    def __init__(self, relay, seed, journal):
        self.journal = journal
        journal.touch()
        self.process = process("crowd.py")
        told = {
            "ports": relay.ports, "authority": str(relay.certificate_authority), "users": relay.users,
            "clients": CLIENTS, "seed": seed, "journal": str(journal),
        }
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()

    def stop(self):
        """Transactions under way end; then nobody sends."""
        self.process.stdin.close()
        assert self.process.wait(120) == 0, "the clients broke off: see above"

    def sent(self):
        return reckoning.read_sent(self.journal)

    def kept(self, since):
        """How many messages were acknowledged since a moment."""
        return sum(one.heard == "kept" and one.heard_at > since for one in self.sent().values())

    def refusals(self, since):
        """The replies that messages and logins were refused with since a moment."""
        return [reply for at, reply in reckoning.read_refusals(self.journal) if at > since]


class Trial:
    """All of it. `journals`: a folder on a disk that nothing happens to."""

    def __init__(self, binary, folder, data=None):
        self.folder = folder
        self.sink_journal = folder / "sink.jsonl"
        self.sink = process("sink.py", self.sink_journal)
        (folder / "relay").mkdir()
        self.relay = Relay(binary, folder / "relay", int(self.sink.stdout.readline()), data, SETTINGS)
        for number in range(1, USERS):
            self.relay.add_user(f"User {number}")
        self.lives = {}
        # what the logs said loudly, by life; and what of it was reckoned before
        self.loud, self.loud_reckoned = {}, set()
        self.crowd, self.load = None, 0
        self.figures = collections.Counter()
        self.oldest_unsettled = 0.0
        self.accepted = collections.Counter()

    def begin_load(self, seed):
        """Clients begin to send; all that they send until the next reckoning is reckoned together."""
        self.load += 1
        self.since = datetime.datetime.now(datetime.timezone.utc)
        self.crowd = Crowd(self.relay, f"{seed}x{self.load}", self.folder / f"crowd.{self.load}.jsonl")

    def pause_sink(self):
        """The next hop answers nothing: mail that is acknowledged is nowhere but on the disk."""
        self.sink.send_signal(signal.SIGSTOP)

    def resume_sink(self):
        self.sink.send_signal(signal.SIGCONT)

    def ended(self):
        """The relay's process has ended: what its log says goes to the reckoning."""
        self.lives[self.relay.life] = (time.time(), reckoning.read_settled(self.relay.log_file()))
        self.listen()

    def listen(self):
        """Reads what the log of this life says loudly: errors, and panics, which are no JSON."""
        log = self.relay.log_file()
        text = log.read_text(errors="replace")
        lines = text[: text.rfind("\n") + 1].splitlines()
        self.loud[log.name] = [line for line in lines if not line.startswith("{") or '"level":"ERROR"' in line]

    def loud_since(self):
        """What was said loudly since the last reckoning."""
        self.listen()
        lines = {f"{name}: {line}" for name, lines in self.loud.items() for line in lines}
        new = sorted(lines - self.loud_reckoned)
        self.loud_reckoned |= lines
        return new

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.relay.http}/metrics", timeout=30) as page:
            for line in page.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        raise AssertionError(f"there is no metric {name}")

    def wait_until(self, what, is_so, seconds):
        deadline = time.monotonic() + seconds
        while not is_so():
            assert self.relay.process.poll() is None, f"the relay ended by itself:\n{self.relay.tail()}"
            assert time.monotonic() < deadline, f"after {seconds} s: {what} did not come about\n{self.relay.tail()}"
            time.sleep(0.05)

    def drain(self):
        """Nobody sends any more; returns once everything is delivered and Activity has read all of it."""
        self.wait_until("an empty queue", lambda: self.relay.command("queue", "list") == [], DRAINED_WITHIN)
        self.wait_until("activity", lambda: self.metric("envoi_activity_lag_octets") == 0, DRAINED_WITHIN)

    def reckon(self, tally, expected_errors=()):
        """Compares what was acknowledged with what was delivered, and with Activity."""
        sent = self.crowd.sent()
        copies = [copy for copy in reckoning.read_copies(self.sink_journal) if copy.mark in sent or copy.mark is None]
        lives = {**self.lives, self.relay.life: (None, reckoning.read_settled(self.relay.log_file()))}
        result = reckoning.Reckoning(sent, copies, lives)
        tally.check("everything acknowledged was delivered", result.lost())
        tally.check("every client heard an end", [one.mark for one in sent.values() if one.heard is None])
        result.explain()
        tally.check("what was delivered is what was sent, again only with a cause", result.faults)
        result.faults = []
        since = self.since.isoformat().replace("+00:00", "Z")
        rows = self.relay.command("activity", "--since", since, "--limit", "1000000")
        rows = [row for row in rows if row["status"] != "rejected"]
        result.compare_activity(rows, lambda row: self.relay.command("activity", "--show", str(row)))
        tally.check("Activity tells the truth", result.faults)
        damaged = self.metric("envoi_store_damaged_records")
        tally.check("nothing is damaged", [f"{damaged} records are damaged"] if damaged else [])
        loud = [line for line in self.loud_since() if not any(expected in line for expected in expected_errors)]
        tally.check("the log has no error but the expected", loud)
        self._count(result)

    def _count(self, result):
        self.figures.update(one.heard for one in result.sent.values())
        self.figures["recipients acknowledged"] += sum(len(one.recipients) for one in result.kept())
        self.figures["recipients delivered"] += len(result.copies)
        self.figures["lost"] += len(result.lost())
        for cause, count in result.causes.items():
            self.figures[f"again: {cause or 'NO CAUSE'}"] += count
        self.oldest_unsettled = max(self.oldest_unsettled, result.oldest_unsettled)
        for mark, _ in result.copies:
            self.accepted[result.sent[mark].user] += 1

    def check_counters(self, tally):
        """What the list of SMTP users says that each sent is what was delivered for it."""
        said = {user["username"]: user["sent_30_days"] for user in self.relay.command("smtp-user", "list")}
        pairs = [(user, count, self.accepted[user]) for user, count in said.items()]
        wrong = [f"{user}: {count} instead of {sent}" for user, count, sent in pairs if count != sent]
        tally.check("what each SMTP user sent is counted once", wrong)

    def print_figures(self):
        figures = self.figures
        print(f"  messages acknowledged       {figures['kept']} ({figures['recipients acknowledged']} recipients)")
        print(f"  messages not acknowledged   {figures['gone']} cut off, {figures['refused']} refused")
        print(f"  recipients delivered        {figures['recipients delivered']}")
        print(f"  recipients lost             {figures['lost']}")
        for name in sorted(name for name in figures if name.startswith("again: ")):
            print(f"  delivered {name:<38} {figures[name]}")
        if self.oldest_unsettled:
            print(f"  (of those, from the reply to the end of the process at most {self.oldest_unsettled * 1000:.0f} ms)")

    def close(self):
        if self.crowd is not None and self.crowd.process.poll() is None:
            self.crowd.process.kill()
        self.relay.stop()
        self.resume_sink()
        self.sink.stdin.close()
        self.sink.wait(20)
