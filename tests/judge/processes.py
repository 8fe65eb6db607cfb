"""What /proc says of processes and threads: which descend from which, and whether they only sleep.
从 /proc 读取：进程之间的父子关系，以及进程和线程是否一直在睡眠。

Where there is no /proc, nothing is found, and only limits of time remain.
"""
import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

PROC = Path("/proc")
EVERY = 0.05                                       # seconds between two looks
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36   # from <sys/prctl.h>


def become_subreaper():
    """Processes that lose their parent below us become our children, so that we see and end them (man 2 prctl)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent():
    """The kernel kills us when our parent ends."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stat_of(folder):
    """(state, PID of the parent, CPU ticks) of /proc/PID or /proc/PID/task/TID; None if there is none."""
    try:
        fields = (folder / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), int(fields[11]) + int(fields[12])


def all_stats():
    """{PID: stat_of} of all processes."""
    pids = [int(path.name) for path in PROC.glob("[0-9]*")]
    return {pid: stat for pid in pids if (stat := stat_of(PROC / str(pid)))}


def children(pid):
    try:
        return [int(child) for task in (PROC / str(pid) / "task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:                                # it has ended; or the kernel was built without these files
        return [child for child, (_, parent, _) in all_stats().items() if parent == pid]


def descendants(pid):
    """{PID: stat_of} of the processes below this one."""
    found, new = {}, [pid]
    while new:
        new = [child for parent in new for child in children(parent) if child not in found]
        found.update((child, stat) for child in new if (stat := stat_of(PROC / str(child))))
    return found


def command_of(pid):
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def kill_children(keep=()):
    """Kill and reap all children of this process, and what becomes our child by that, except those in keep."""
    deadline = time.monotonic() + 5
    while (strangers := set(children(os.getpid())) - set(keep)) and time.monotonic() < deadline:
        for pid in strangers:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


class Stillness:
    """For how long some processes or threads have slept without using the CPU. look() returns {key: stat}."""

    def __init__(self, look):
        self.look, self.last, self.since = look, None, time.monotonic()
        self.looked = 0

    def seconds(self):
        if time.monotonic() - self.looked < EVERY:
            return self.looked - self.since
        self.looked = time.monotonic()
        stats = self.look()
        is_moving = not stats or any(state not in "SZTI" for state, _, _ in stats.values()) or stats != self.last
        if is_moving:
            self.last, self.since = stats, self.looked
        return self.looked - self.since
