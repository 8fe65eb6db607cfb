"""Read from /proc which processes descend from which, and whether processes and threads only sleep.
从 /proc 读取：进程之间的父子关系，以及进程和线程是否一直在睡眠。

On a system without /proc these functions find nothing, so only the time limits work.
"""
import contextlib
import ctypes
import os
import signal
import time

PROC = "/proc"
EVERY = 0.05                                       # seconds between two readings of /proc
GRACE = 2                                          # seconds in which a resource tracker may end by itself
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36   # from <sys/prctl.h>


def become_subreaper():
    """Let this process adopt its descendants when their parent ends, so that we see and end them (man 2 prctl).

    Return whether it will.
    """
    with contextlib.suppress(AttributeError, OSError):
        return ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1) == 0
    return False


def end_with_parent():
    """Ask the kernel to kill this process when its parent ends."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stat_of(folder):
    """Return (state, PID of the parent, CPU ticks) from the folder /proc/PID or /proc/PID/task/TID; None if it is missing."""
    try:
        with open(f"{folder}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].decode().split()
    except OSError:
        return None
    return fields[0], int(fields[1]), int(fields[11]) + int(fields[12])


def all_stats():
    """Return {PID: what stat_of returns} of all processes."""
    pids = [int(name) for name in os.listdir(PROC) if name.isdecimal()]
    return {pid: stat for pid in pids if (stat := stat_of(f"{PROC}/{pid}"))}


def children(pid):
    try:
        found = []
        for task in os.listdir(f"{PROC}/{pid}/task"):
            with open(f"{PROC}/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
        return found
    except OSError:
        if not stat_of(f"{PROC}/{pid}"):           # the process has ended
            return []
        # This kernel does not have these files.
        return [child for child, (_, parent, _) in all_stats().items() if parent == pid]


def descendants(pid):
    """Return {PID: what stat_of returns} of all descendants of a process."""
    found, new = {}, [pid]
    while new:
        new = [child for parent in new for child in children(parent) if child not in found]
        found.update((child, stat) for child in new if (stat := stat_of(f"{PROC}/{child}")))
    return found


def is_running(pid):
    stat = stat_of(f"{PROC}/{pid}")
    return stat is not None and stat[0] != "Z"


def command_of(pid):
    try:
        with open(f"{PROC}/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def kill_children(keep=()):
    """Kill and reap all children of this process, and those that it then adopts, except the PIDs in keep.

    A resource tracker of multiprocessing gets GRACE seconds to end by itself: when the other processes of its program have
    ended, it removes the semaphores that they have left behind.
    """
    begun, pauses = time.monotonic(), Pauses()
    while (strangers := set(children(os.getpid())) - set(keep)) and (passed := time.monotonic() - begun) < GRACE + 5:
        spared = {pid for pid in strangers if passed < GRACE and "resource_tracker" in command_of(pid)}
        for pid in spared:
            send(pid, signal.SIGCONT)              # a process that is stopped would never end by itself
        stop_all(strangers - spared)
        for pid in strangers - spared:
            send(pid, signal.SIGKILL)
        if not any([has_been_reaped(pid) for pid in strangers]):
            pauses.sleep()


def stop_all(pids):
    """Stop these processes and their descendants: a process that is stopped cannot fork, so they cannot outrun us."""
    new = pids
    while new:
        for pid in new:
            send(pid, signal.SIGSTOP)
        new = [child for pid in new for child in children(pid)]


def send(pid, signum):
    with contextlib.suppress(OSError):
        os.kill(pid, signum)


def has_been_reaped(pid):
    """Reap a child if it has ended; return whether it had. Never wait: one that another process traces stays (man 2 ptrace)."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except OSError:
        return False


class Stillness:
    """Measures how long some processes or threads have slept without using the CPU, in seconds.

    look: a function that returns {key: what stat_of returns} of them.
    Each reading adds at most EVERY seconds. If the machine is so slow that we read too seldom, the processes that we watch
    run too seldom as well.
    """

    def __init__(self, look):
        self.look, self.last, self.looked, self.slept = look, None, 0, 0

    def again(self):
        """Start again from 0 seconds."""
        self.slept = 0

    def seconds(self):
        if time.monotonic() - self.looked < EVERY:
            return self.slept
        self.looked = time.monotonic()
        stats = self.look()
        is_moving = not stats or any(state not in "SZTI" for state, _, _ in stats.values()) or stats != self.last
        self.slept = 0 if is_moving else self.slept + EVERY
        self.last = stats
        return self.slept


class Pauses:
    """Pauses between two checks of a condition: short at first, so that we see an early change early; then longer."""

    def __init__(self):
        self.seconds = 0.001

    def sleep(self):
        time.sleep(self.seconds)
        self.seconds = min(EVERY / 2, self.seconds * 1.5)
