"""The moment of a kill: any, or while a thread of the process is inside a sync, which is shown and not assumed."""

import os
import platform
import signal
import time

# The numbers of fsync and fdatasync in /proc/PID/task/TID/syscall.
SYNCS = {"x86_64": (b"74 ", b"75 "), "aarch64": (b"82 ", b"83 ")}.get(platform.machine())
assert SYNCS, f"the numbers of fsync and fdatasync on {platform.machine()} are not known here"
# How often the list of threads is read again, in looks at each.
LOOKS = 50


class Threads:
    """The threads of a process, as the system shows them: which call each is in."""

    def __init__(self, pid):
        self.folder = f"/proc/{pid}/task"
        self.calls, self.names = {}, {}

    def refresh(self):
        there = set(os.listdir(self.folder))
        for thread in there - self.calls.keys():
            try:
                with open(f"{self.folder}/{thread}/comm") as comm:
                    self.names[thread] = comm.read().strip()
                self.calls[thread] = os.open(f"{self.folder}/{thread}/syscall", os.O_RDONLY)
            except OSError:
                pass  # ended between the list and the look
        for thread in self.calls.keys() - there:
            os.close(self.calls.pop(thread))

    def syncing(self):
        """The name of a thread that is seen inside a sync; none, where so many looks at each saw none."""
        for _ in range(LOOKS):
            for thread, call in self.calls.items():
                try:
                    if os.pread(call, 8, 0).startswith(SYNCS):
                        return self.names[thread]
                except OSError:
                    pass  # it has ended
        return None

    def close(self):
        for call in self.calls.values():
            os.close(call)


class Ahead:
    """While it lasts, nobody takes the processor between a look and the kill, where the system lets us say so."""

    def __enter__(self):
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except PermissionError:
            pass  # fewer looks hit, and those that do are as true

    def __exit__(self, *_):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def kill(pid, wait_for_a_sync=0.0):
    """Kills the process, once one of its threads is seen inside a sync where so many seconds are given to wait for that.

    Returns the name of a thread that was inside a sync when the kill came: once killed it begins no other call, so that
    one that is in a sync after the kill was in it then. None where none was.
    """
    threads, deadline = Threads(pid), time.monotonic() + wait_for_a_sync
    try:
        with Ahead():
            threads.refresh()
            while time.monotonic() < deadline and not threads.syncing():
                threads.refresh()
            os.kill(pid, signal.SIGKILL)
            return threads.syncing()
    finally:
        threads.close()
