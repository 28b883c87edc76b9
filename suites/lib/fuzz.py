"""Runs the built fuzz targets, and keeps the book of how long each was fuzzed."""

import argparse
import concurrent.futures
import datetime
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "fuzz"
BOOK = FOLDER / "HOURS.md"
ROW = re.compile(r"^\| (\d{4}-\d\d-\d\d) \| (\w+) \| (\d+) \| (\d+) \|$")
# the names that libFuzzer gives
HASH = re.compile("[0-9a-f]{40}")
# seeds that are kept of a target
KEPT_MAX = 80
# a check holds several copies of its input, the expanded phrases and the spool's files
LIMITS = ["-max_len=4096", "-timeout=20", "-rss_limit_mb=2048"]


def targets():
    return sorted(path.stem for path in (FOLDER / "fuzz_targets").glob("*.rs"))


def binary(target):
    (found,) = FOLDER.glob(f"target/*-*-*/release/{target}")
    return found


class Run:
    """One run of a target to its end."""

    def __init__(self, target, arguments):
        artifacts = FOLDER / "artifacts" / target
        artifacts.mkdir(parents=True, exist_ok=True)
        dictionary = FOLDER / "dictionaries" / f"{target}.dict"
        command = [binary(target), *LIMITS, f"-artifact_prefix={artifacts}/", "-print_final_stats=1", *arguments]
        if dictionary.exists():
            command.append(f"-dict={dictionary}")
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            self.said = log.read().decode(errors="replace")
        self.passed = process.returncode == 0
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        found = re.findall(r"stat::number_of_executed_units: (\d+)", self.said)
        self.executions = int(found[-1]) if found else 0

    def tail(self):
        return "\n".join(self.said.splitlines()[-40:])


def replay(target):
    return Run(target, ["-runs=0", FOLDER / "seeds" / target])


def fuzz(target, seconds):
    corpus = FOLDER / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    return Run(target, [f"-max_total_time={seconds}", corpus, FOLDER / "seeds" / target])


def rows():
    """What the book says: CPU seconds and executions by day and target."""
    found = {}
    for line in BOOK.read_text().splitlines():
        if row := ROW.match(line):
            found[row.group(1, 2)] = (int(row[3]), int(row[4]))
    return found


def write_down(target, run):
    """Adds a run to the book."""
    key = (datetime.datetime.now(datetime.UTC).date().isoformat(), target)
    found = rows()
    seconds, executions = found.get(key, (0, 0))
    found[key] = (seconds + round(run.cpu_seconds), executions + run.executions)
    head = BOOK.read_text().split("\n| day |")[0]
    table = ["| day | target | CPU seconds | executions |", "|---|---|---:|---:|"]
    table += [f"| {' | '.join(key)} | {seconds} | {executions} |" for key, (seconds, executions) in sorted(found.items())]
    BOOK.write_text(head + "\n" + "\n".join(table) + "\n")


def print_hours():
    sums = {target: (0, 0) for target in targets()}
    for (_, target), (seconds, executions) in rows().items():
        before = sums.get(target, (0, 0))
        sums[target] = (before[0] + seconds, before[1] + executions)
    print(f"{'target':14} {'CPU hours':>10} {'executions':>15}")
    for target, (seconds, executions) in sums.items():
        print(f"{target:14} {seconds / 3600:>10.2f} {executions:>15,}")


def keep():
    """Makes seeds of the least set of inputs that reaches what the corpus reaches, thinned evenly from the smallest to
    the largest; what has a name, because it once broke something, stays."""
    for target in targets():
        seeds = FOLDER / "seeds" / target
        with tempfile.TemporaryDirectory() as least:
            run = Run(target, ["-set_cover_merge=1", least, seeds, FOLDER / "corpus" / target])
            if not run.passed:
                sys.exit(f"{target}: {run.tail()}")
            for seed in seeds.iterdir():
                if HASH.fullmatch(seed.name):
                    seed.unlink()
            found = sorted(pathlib.Path(least).iterdir(), key=lambda one: (one.stat().st_size, one.name))
            for one in found[:: -(-len(found) // KEPT_MAX) or 1]:
                shutil.copy(one, seeds)
        files = list(seeds.iterdir())
        octets = sum(file.stat().st_size for file in files)
        print(f"{target:14} {len(files):4} seeds of {len(found)}, {octets:7} octets")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--log", action="store_true")
    parser.add_argument("--one-at-a-time", action="store_true")
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    if options.hours:
        return print_hours()
    if options.keep:
        return keep()
    chosen = options.targets or targets()
    passed = failed = 0
    for target in chosen:
        run = replay(target)
        if run.passed:
            passed += 1
        else:
            failed += 1
            print(f"{run.tail()}\n{target}: a seed FAILED", flush=True)
    with concurrent.futures.ThreadPoolExecutor(1 if options.one_at_a_time else 2) as pool:
        started = {pool.submit(fuzz, target, options.seconds): target for target in chosen}
        for done in concurrent.futures.as_completed(started):
            run, target = done.result(), started[done]
            if options.log:
                write_down(target, run)
            print(f"{target}: {run.executions:,} executions in {run.cpu_seconds:.0f} s of CPU", flush=True)
            if run.passed:
                passed += 1
            else:
                failed += 1
                print(f"{run.tail()}\n{target}: FAILED", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
