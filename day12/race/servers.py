"""A server of the race as a process: start it, stop and continue it, read what it uses, end it.
参赛的服务器进程：启动、暂停、继续，读取它的资源用量，结束。
"""
import contextlib
import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
# The CPU cores that this process may use. (On systems other than Linux, only --help works.)
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
READY_WITHIN = 10                   # seconds within which a server must print its first line
SETTLED_WITHIN = 2                  # seconds within which a child must exit once its client left
ENDED_WITHIN = 2                    # seconds within which a server must end after Ctrl-C
PR_SET_PDEATHSIG = 1                # from <sys/prctl.h>


class Unsupported(Exception):
    """Raised if a model, or this machine, cannot do what is to be measured; the table shows why."""


class Failed(Exception):
    """Raised if a server did something wrong, or did not answer."""


class Server:
    """A server and its processes.

    name: the name of its model.
    command: its script, relative to day12/, and the arguments after the port.
    limit: how many clients it serves at a time; None while unknown.
    address: (host, port), set by start().
    """

    def __init__(self, name, command):
        self.name, self.command = name, command
        self.limit = self.address = self.process = None
        self.stderr = tempfile.TemporaryFile()

    def start(self):
        """Start the server on a free port and wait for the first line that it prints.

        Raises Unsupported if a package that it needs is missing, Failed if it does not start."""
        script, *args = self.command
        race = os.getpid()
        # A Ctrl-C between the start of the process and the assignment would leave the process
        # running.
        with interrupts_blocked():
            self.process = subprocess.Popen(
                [sys.executable, os.path.normpath(FOLDER / script), "0", *args],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.stderr,
                start_new_session=True, preexec_fn=lambda: prepare(race))
        ready = re.match(r"listening on (.+):(\d+)\n", self.first_line())
        if not ready:
            reason = self.last_words() or "did not print 'listening on ...'"
            # Either the server names the package ("this needs gevent: ..."), or Python does.
            reason = re.sub("ModuleNotFoundError: No module named '(.+)'", r"this needs \1", reason)
            if reason.startswith("this needs"):
                raise Unsupported(reason.partition(":")[0])
            raise Failed(reason)
        self.address = ready[1], int(ready[2])

    def first_line(self):
        """Return the first line that the server prints, or as much of it as arrives in time."""
        fd, line = self.process.stdout.fileno(), b""
        # Use poll, because select cannot watch descriptors above 1023 (day 11).
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        while not line.endswith(b"\n") and poller.poll(READY_WITHIN * 1000):
            data = os.read(fd, 100)
            if not data:
                break
            line += data
        return line.decode(errors="replace")

    def last_words(self):
        """Return the last line on the server's stderr, or the exit status; "" if it is running."""
        if not self.process:
            return ""
        try:
            # A failing server first closes its connections, and only then prints its traceback.
            status = self.process.wait(2)
        except subprocess.TimeoutExpired:
            return ""
        self.stderr.seek(0)
        text = self.stderr.read().decode(errors="replace")
        for line in reversed(re.findall(r"^\S.*", text, re.MULTILINE)):
            if "Warning: " not in line:
                return line
        return f"ended with status {status}"

    def excuse(self, count):
        """Return why the server cannot serve `count` clients, or "" if no reason is known."""
        if self.limit is None or count <= self.limit:
            return ""
        return f"serves {self.limit:,} at a time; the next client gets no answer"

    def signal(self, signum):
        """Send a signal to the server's process group, and so to fork_server.py's children too."""
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, signum)

    def stats(self):
        """Return the server's processes: PID -> the fields after the name in /proc/PID/stat.

        The first of these fields is the state (man 5 proc)."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
                if int(fields[2]) == self.process.pid:             # its process group
                    found[pid] = fields
        return found

    def cpu(self):
        """Return the CPU seconds, user and system, of the server and of its reaped children."""
        seconds = 0
        for pid, fields in self.stats().items():
            # ~int(pid) << 3 | 2 is the ID of the process's CPU clock (clock_getcpuclockid(3)). This
            # clock counts nanoseconds, whereas /proc counts steps of 10 ms.
            with contextlib.suppress(OSError):
                seconds += time.clock_gettime(~int(pid) << 3 | 2)
            # cutime and cstime: the CPU time of the children that the process has reaped.
            seconds += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        return seconds

    def memory(self):
        """Return the server's memory in KiB; of a page shared by n processes, each counts 1/n."""
        return sum(memory_of(pid) for pid in self.stats())

    def settle(self):
        """Wait until the server has reaped all its children, but at most SETTLED_WITHIN seconds."""
        deadline = time.monotonic() + SETTLED_WITHIN
        while len(self.stats()) > 1 and time.monotonic() < deadline:
            time.sleep(0.005)

    def end(self):
        """Send SIGINT (Ctrl-C) until the server ends, or kill it if it is too slow. Reap it."""
        if self.process:
            steps = [*8 * [(signal.SIGINT, ENDED_WITHIN / 8)], (signal.SIGKILL, None)]
            for signum, patience in steps:
                self.signal(signum)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience)
            self.process.stdout.close()
        self.stderr.close()


def end_all(servers):
    """End servers, whether they are running or stopped. This takes a few seconds at most."""
    with interrupts_blocked():
        # First send the signals to all servers, so that they end at the same time.
        for server in servers:
            server.signal(signal.SIGCONT)
            server.signal(signal.SIGINT)
        for server in servers:
            server.end()


def memory_of(pid):
    """Return the memory of a process in KiB: PSS, or RSS if PSS is missing; 0 if it has ended."""
    for path, name in ((f"/proc/{pid}/smaps_rollup", "Pss"), (f"/proc/{pid}/status", "VmRSS")):
        with contextlib.suppress(OSError), open(path) as file:
            if found := re.search(rf"^{name}:\s+(\d+)", file.read(), re.MULTILINE):
                return int(found[1])
    return 0


def prepare(race):
    """Prepare the server's process, between fork and exec. race: the PID of server_race.py."""
    # If the race is killed, the kernel kills the server too.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != race:        # the race was killed before the call to prctl
        os._exit(1)
    # Threads and children inherit this setting.
    os.sched_setaffinity(0, {CORES[0]})
    # If a shell script started the race with `&`, the race ignores SIGINT; the server must not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


@contextlib.contextmanager
def interrupts_blocked():
    """Delay Ctrl-C until the end of the with block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
