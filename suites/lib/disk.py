"""The relay on a disk that forgets what was not synced, and that fails. See `suites/disk`."""

import collections
import json
import pathlib
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request

import reckoning
from forgetful import Forgetful
from relay import NotStarted
from trial import Tally, Trial

# More than is ever kept: a next hop that was lost is left alone for a while, and mail for it stays.
DISK_OCTETS = 1 << 30
CUTS = ["whole", "part", "reordered", "nothing"]
ROUNDS = 4
# The share of cuts before which the next hop answers nothing.
PAUSED_SHARE = 0.5
# Seconds of load before something happens, and for what has to come about.
LOAD_FOR, PATIENCE = (0.3, 1.2), 180
# So many of what clients hear settle a question.
ENOUGH = 20

SPOOL, CONTENT, ACTIVITY = "data/spool/segments", "data/spool/content", "data/activity.db"
# What the log says of a failed write or sync, and when an outcome meets it; and of each message refused for such a cause.
STOPPED, DELIVERY_STOPS, REFUSED = "the spool stops", "delivery stops", "message not kept"
STANDS_STILL = "activity stands still"
# What clients hear of it: with a message, and with a login.
LATCHED = ("451 4.3.0", "454 4.7.0")


class Suite:
    """The relay, its disk, and what is done to both."""

    def __init__(self, relay_binary, disk_binary, folder, seed):
        self.dice, self.seed, self.tally = random.Random(seed), seed, Tally()
        self.disk = Forgetful(disk_binary, folder / "disk", DISK_OCTETS, seed)
        try:
            self.trial = Trial(relay_binary, folder, self.disk.folder / "data")
        except BaseException:
            self.disk.close()
            raise
        self.relay = self.trial.relay
        self.cuts, self.refusals = collections.Counter(), collections.Counter()

    # what is seen

    def wait_until(self, what, is_so):
        self.trial.wait_until(what, is_so, PATIENCE)

    def wait_for_refusals(self, since):
        self.wait_until("refusals", lambda: len(self.trial.crowd.refusals(since)) >= ENOUGH)

    def wait_for_mail(self, since):
        self.wait_until("acknowledged mail", lambda: self.trial.crowd.kept(since) >= ENOUGH)

    def readiness(self):
        """The status and the reasons of /health/ready."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.relay.http}/health/ready", timeout=30) as page:
                return page.status, json.load(page)["reasons"]
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)["reasons"]

    def doctor(self):
        """What `envoi doctor` finds wrong."""
        command = [self.relay.binary, "--config", self.relay.config, "doctor", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return [f"{check['found']} {check['remedy']}" for check in json.loads(done.stdout) if check["result"] == "fail"]

    def delivers_nothing(self):
        """Nothing is there to be delivered, or delivery has stopped."""
        return self.trial.metric("envoi_delivery_stopped") == 1 or self.relay.command("queue", "list") == []

    # what is checked

    def check(self, what, is_so, found=""):
        self.tally.check(what, [] if is_so else [str(found)])

    def check_refusals(self, what, since, *expected):
        """What clients were refused with, all of it."""
        replies = collections.Counter(self.trial.crowd.refusals(since))
        self.refusals.update(reply[:9] for reply in replies.elements())
        strange = [f"{count} times {reply}" for reply, count in replies.items() if not reply.startswith(expected)]
        self.tally.check(f"{what}: clients hear {' or '.join(expected)}", strange or ([] if replies else ["no reply"]))

    def check_not_ready(self, what, reason):
        """Health and doctor say why, in the same words or others."""
        status, reasons = self.readiness()
        self.check(f"{what}: health says why", status == 503 and any(reason in one for one in reasons), (status, reasons))
        found = self.doctor()
        self.check(f"{what}: doctor says why, and what to do", any(reason in one for one in found), found)

    # what is done

    def load(self):
        self.trial.begin_load(self.seed)
        time.sleep(self.dice.uniform(*LOAD_FOR))
        return time.time()

    def finish(self, expected_errors=()):
        """Nobody sends any more; everything is delivered, and reckoned."""
        self.trial.crowd.stop()
        self.trial.drain()
        self.trial.reckon(self.tally, expected_errors)

    def end_relay(self):
        self.relay.kill()
        self.trial.ended()

    def cut_power(self, cut):
        """The relay ends, and the disk loses of what was not synced what `cut` says."""
        self.disk.say("freeze")
        self.relay.process.kill()
        lost = map(int, self.disk.say(f"cut {cut}").split())
        self.relay.process.wait()
        self.trial.ended()
        self.disk.say("mount")
        self.cuts.update(dict(zip(["writes", "writes lost", "names", "names lost"], lost)))
        self.cuts["cuts"] += 1

    def start_again(self, cut):
        """A restart after a fault, with a power cut or without; mail, and a power cut that finds what the start built on."""
        if cut is None:
            self.end_relay()
        else:
            self.cut_power(cut)
        self.relay.start()
        self.wait_for_mail(time.time())
        self.cut_power("whole")
        self.relay.start()

    def power_cuts(self):
        """Power goes under load, again and again; some starts are cut too, and some that follow a mere kill."""
        self.load()
        cuts = CUTS * ROUNDS
        self.dice.shuffle(cuts)
        for cut in cuts:
            self.disk.say(f"slow {self.dice.choice([0, 0, 3, 20])}")
            if self.dice.random() < PAUSED_SHARE:
                self.trial.pause_sink()
            time.sleep(self.dice.uniform(*LOAD_FOR))
            if self.dice.random() < 0.3:
                # what was not synced is still there for the next life, and then it is not
                self.end_relay()
                self.relay.start()
                time.sleep(self.dice.uniform(0, 0.3))
            self.cut_power(cut)
            if self.dice.random() < 0.3:
                self.relay.spawn()
                time.sleep(self.dice.uniform(0, 0.15))
                self.cut_power(self.dice.choice(CUTS))
            self.trial.resume_sink()
            self.relay.start()
        self.disk.say("slow 0")
        self.finish()

    def no_room(self):
        """The disk is full: new mail is refused, mail that is there is delivered; and it ends by itself."""
        self.load()
        self.disk.say("free 0")
        since = time.time()
        self.wait_until("a full store", lambda: self.trial.metric("envoi_store_full") == 1)
        self.wait_for_refusals(since)
        self.check_refusals("no room", since, "452 4.3.1")
        self.check_not_ready("no room", "room")
        self.wait_until("delivery without room", lambda: self.relay.command("queue", "list") == [])
        self.disk.say(f"free {DISK_OCTETS // 2}")
        since = time.time()
        self.wait_for_mail(since)
        self.check("room again: ready", self.readiness()[0] == 200, self.readiness())
        self.finish((REFUSED, STANDS_STILL))

    def stopped(self, what, fault, cut=None):
        """A write or sync of the spool fails: nothing is taken or delivered, and said so, until a restart."""
        self.load()
        self.disk.say(f"fail {fault}")
        since = time.time()
        self.wait_for_refusals(since)
        self.check_refusals(what, since, *LATCHED)
        since = time.time()
        self.wait_for_refusals(since)
        self.check_refusals(what, since, *LATCHED)
        self.check_not_ready(what, "failed write")
        self.wait_until("the stop of delivery", self.delivers_nothing)
        self.disk.say("mend")
        since = time.time()
        self.wait_for_refusals(since)
        self.check_refusals(f"{what}, and mended without a restart", since, *LATCHED)
        self.check(f"{what}: the queue can be read", isinstance(self.relay.command("queue", "list"), list))
        log = self.relay.log_file().read_text()
        self.check(f"{what}: the log says so", STOPPED in log, self.relay.tail())
        self.start_again(cut)
        self.finish((STOPPED, DELIVERY_STOPS, REFUSED, STANDS_STILL))

    def content_files(self):
        """Content that is a file of its own cannot be written: such messages are refused, and nothing stops."""
        for fault in ("write", "sync"):
            self.load()
            self.disk.say(f"fail {fault} {CONTENT}")
            since = time.time()
            self.wait_until("large messages refused", lambda: len(self.trial.crowd.refusals(since)) >= 2)
            self.wait_for_mail(since)
            self.check_refusals(f"no {fault} of large content", since, "451 4.3.0")
            self.check("the relay goes on without large content", self.trial.metric("envoi_store_latched") == 0)
            self.disk.say("mend")
            self.finish((REFUSED,))

    def read_only(self):
        """The whole disk becomes read-only, as after an error: nothing is taken, and no start goes well until mended."""
        self.load()
        self.disk.say("fail read_only")
        since = time.time()
        self.wait_for_refusals(since)
        self.check_refusals("read-only", since, *LATCHED, "452 4.3.1")
        self.end_relay()
        self.relay.spawn()
        try:
            self.relay.wait()
            self.check("read-only: no start", False, "it started")
        except NotStarted as told:
            said = str(told)
            self.check("read-only: the failed start says why", "Read-only" in said and str(self.disk.folder) in said, said)
        self.relay.process.wait()
        self.disk.say("mend")
        self.relay.start()
        self.finish((STOPPED, DELIVERY_STOPS, REFUSED, STANDS_STILL))

    def activity(self):
        """The file of Activity cannot be written or synced: mail goes on, and after a restart Activity has all of it."""
        for fault, cut in (("write", None), ("sync", "whole"), ("sync", None)):
            self.load()
            self.disk.say(f"fail {fault} {ACTIVITY}")
            since = time.time()
            self.wait_for_mail(since)
            self.wait_until("a word of it", lambda: STANDS_STILL in self.relay.log_file().read_text())
            since = time.time()
            self.wait_for_mail(since)
            self.disk.say("mend")
            self.start_again(cut)
            self.finish((REFUSED, STANDS_STILL))
        self.trial.check_counters(self.tally)

    def lies(self):
        """A disk that only says it has synced: now the reckoning has to find a loss, or it would find none anywhere."""
        self.disk.say("lie")
        self.trial.pause_sink()
        since = self.load()
        self.wait_for_mail(since)
        self.cut_power("whole")
        self.trial.crowd.stop()
        self.trial.resume_sink()
        self.relay.start()
        self.trial.drain()
        sent = self.trial.crowd.sent()
        copies = [copy for copy in reckoning.read_copies(self.trial.sink_journal) if copy.mark in sent]
        lost = reckoning.Reckoning(sent, copies, self.trial.lives).lost()
        self.check("a disk that lies about syncs loses mail, and that is found", len(lost) >= ENOUGH, len(lost))

    def all(self):
        for name, act in (
            ("the power goes", self.power_cuts),
            ("no room", self.no_room),
            ("EIO on write", lambda: self.stopped("EIO on write", f"write {SPOOL}")),
            ("EIO on sync", lambda: self.stopped("EIO on sync", f"sync {SPOOL}")),
            ("EIO on sync, then the power goes", lambda: self.stopped("EIO on sync", f"sync {SPOOL}", "whole")),
            ("large content", self.content_files),
            ("read-only", self.read_only),
            ("Activity's file", self.activity),
            ("a disk that lies", self.lies),
        ):
            began, failed = time.monotonic(), self.tally.failed
            act()
            print(f"  {time.monotonic() - began:5.1f} s  {name}", flush=True)
            if self.tally.failed > failed:
                break
        self.check("power cuts lost what was not synced", self.cuts["writes lost"] and self.cuts["names lost"], self.cuts)

    def print_figures(self):
        cuts = self.cuts
        print(f"  power cuts                  {cuts['cuts']}")
        print(f"    unsynced writes           {cuts['writes']}, lost {cuts['writes lost']}")
        print(f"    unsynced names            {cuts['names']}, lost {cuts['names lost']}")
        print(f"  operations refused          {self.disk.say('refused')}")
        print(f"  refusals heard              {dict(self.refusals)}")
        self.trial.print_figures()
        print(f"  seed                        {self.seed}")

    def close(self):
        self.trial.close()
        self.disk.close()


def main(relay_binary, disk_binary, folder, seed):
    suite = Suite(relay_binary, disk_binary, pathlib.Path(folder), seed)
    print(f"seed {seed}", flush=True)
    try:
        suite.all()
        suite.print_figures()
    finally:
        suite.close()
    return suite.tally.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
