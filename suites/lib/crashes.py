"""The relay is killed again and again under load; what was acknowledged is delivered. See `suites/crashes`."""

import collections
import pathlib
import random
import sys
import time

import killing
from trial import Tally, Trial

# Kills between two reckonings. The last of them comes when nobody sends any more, while the queue is being emptied.
KILLS_TOGETHER = 10
# Of all kills: while a sync is under way, at any moment, and while the relay starts.
KINDS, SHARES = ["sync", "moment", "start"], [0.65, 0.25, 0.1]
# The share of kills that have to be shown to have come while a sync was under way.
SYNC_SHARE_MIN = 1 / 3
# Seconds that the relay runs until it is killed, or until a sync is looked for; and that it starts.
RUNS_FOR, STARTS_FOR = (0.02, 1.2), (0.0, 0.15)
# The share of lives in which the next hop answers nothing.
PAUSED_SHARE = 0.4
# Seconds in which a sync has to be met with.
SYNC_PATIENCE = 5


class Killer:
    """Carries out the schedule that a seed stands for, and counts."""

    def __init__(self, trial, seed):
        self.trial, self.relay, self.dice = trial, trial.relay, random.Random(seed)
        self.counts, self.syncs = collections.Counter(), collections.Counter()

    def next(self, is_running):
        """Starts the relay where it does not run, lets it run for a while, and kills it."""
        (kind,) = self.dice.choices(KINDS, SHARES)
        runs_for = self.dice.uniform(*(STARTS_FOR if kind == "start" else RUNS_FOR))
        if self.dice.random() < PAUSED_SHARE:
            self.trial.pause_sink()
        if not is_running:
            self.relay.spawn()
            if kind != "start":
                self.relay.wait()
        time.sleep(runs_for)
        assert self.relay.process.poll() is None, f"the relay ended by itself:\n{self.relay.tail()}"
        thread = killing.kill(self.relay.process.pid, SYNC_PATIENCE if kind == "sync" else 0)
        self.relay.process.wait()
        is_ready = '"ready"' in self.relay.log_file().read_text()
        if thread is not None:
            self.syncs[thread] += 1
        self.counts["sync" if thread is not None else "moment" if is_ready else "start"] += 1
        self.trial.ended()
        self.trial.resume_sink()

    def hits(self):
        """Whether enough kills came while a sync was under way."""
        return self.counts["sync"] >= self.counts.total() * SYNC_SHARE_MIN

    def left(self, kills):
        """How many of so many kills are left; some more where too few came while a sync was under way."""
        done = self.counts.total()
        return kills - done if done < kills else KILLS_TOGETHER if not self.hits() and done < 2 * kills else 0

    def print_figures(self):
        counts = self.counts
        print(f"  kills                       {counts.total()}")
        threads = ", ".join(f"{count} in {thread}" for thread, count in self.syncs.most_common())
        print(f"    while a sync was under way  {counts['sync']} ({threads})")
        print(f"    while the relay started     {counts['start']}")
        print(f"    at any other moment         {counts['moment']}")


def kill_some(trial, killer, kills, seed, tally):
    """So many kills under load, and the reckoning."""
    trial.begin_load(seed)
    for number in range(kills):
        if number > 0 and number == kills - 1:
            trial.crowd.stop()
        killer.next(is_running=number == 0)
    trial.relay.start()
    tally.passed += kills
    if kills == 1:
        trial.crowd.stop()
    trial.drain()
    trial.reckon(tally)


def main(binary, folder, kills, seed):
    tally, began = Tally(), time.monotonic()
    trial = Trial(binary, pathlib.Path(folder))
    killer = Killer(trial, seed)
    print(f"{kills} kills with seed {seed}", flush=True)
    try:
        while not tally.failed and (left := killer.left(kills)) > 0:
            kill_some(trial, killer, min(KILLS_TOGETHER, left), seed, tally)
            print(f"  after {killer.counts.total()} kills: {trial.figures['kept']} messages acknowledged, "
                  f"{trial.figures['lost']} recipients lost", flush=True)
        trial.check_counters(tally)
        tally.check("a third of the kills came while a sync was under way", [] if killer.hits() else [str(killer.counts)])
    finally:
        trial.close()
    killer.print_figures()
    trial.print_figures()
    print(f"  seed                        {seed}")
    print(f"  seconds                     {time.monotonic() - began:.0f}")
    return tally.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
