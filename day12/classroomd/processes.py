"""Reads /proc: the state of one process, and all descendants of a process.
/proc 里的进程：读一个进程，找出一个进程的所有后代。
"""
import collections
import os

# A state's letter in /proc/PID/stat -> the state's name in /proc/PID/status (man 5 proc).
STATES = {"R": "running", "S": "sleeping", "D": "disk sleep", "T": "stopped", "t": "tracing stop",
          "Z": "zombie", "X": "dead", "I": "idle", "P": "parked"}
# The fields of /proc/PID/stat that we use. born: the start time, in clock ticks since boot.
# (Not typing.NamedTuple: guard.py imports this file, and importing typing would delay the start of
# each run by 5 ms.)
Stat = collections.namedtuple("Stat", "pid name state ppid born")


def read_stat(path):
    """Return the Stat of a process or thread, or None if it has ended. path: such as "/proc/12"."""
    try:
        # One unbuffered read saves time: descendants() reads this file for every process.
        with open(f"{path}/stat", "rb", buffering=0) as file:
            head, _, tail = file.read(4096).decode("utf-8", "replace").rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name is in parentheses, because it can contain spaces and ")": "12 (a name) S 1 ...".
    pid, _, name = head.partition(" (")
    fields = tail.split()
    state = f"{fields[0]} ({STATES.get(fields[0], 'unknown')})"
    return Stat(int(pid), name, state, int(fields[1]), int(fields[19]))


def descendants(root):
    """Return the Stats of all descendants of a process, oldest first. root: its PID."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := read_stat(f"/proc/{name}")):
            children.setdefault(stat.ppid, []).append(stat)
    found, parents = [], [root]
    while parents:
        of_one = children.pop(parents.pop(), [])
        found += of_one
        parents += [stat.pid for stat in of_one]
    return sorted(found, key=lambda stat: (stat.born, stat.pid))


def command_line(pid):
    """Return the words of a process's command; an empty list for a zombie or a reaped process."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return os.fsdecode(file.read()).split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []
