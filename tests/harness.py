"""Run the course's programs as a student would, wait for what they do, and prove that nothing of them is left.

    run(script, ...)    a program that ends by itself; returns what it printed
    serve(script, ...)  a server, for the length of a `with` block; ended by Ctrl-C
    Program             the process behind both, for everything in between: terminals, signals, several at once
    Wire                a socket with a time limit that records what went over it

Three rules hold for all of them.

- A program is a real process in a session of its own, with an explicit environment, an empty folder to stand in and an
  empty one for temporary files.
- Every wait is for an event (a line of output, the end of a process) and has a limit. Nothing here sleeps, but to see that nothing happens. A wait
  ends early when nothing is likely to come any more: for STILL seconds, all processes of all programs have only slept, without using CPU time; or,
  since the wait began, they have used BUSY seconds of it.
- When a program has ended, nothing may be left: this process is a subreaper (man 2 prctl), so whatever a program leaves
  running, or dead and unreaped, becomes our child, and we look. Files are looked for as well.

Needs nothing but the standard library, so that `make demo` can use it too.
"""
import codecs
import contextlib
import ctypes
import fcntl
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 30                                       # seconds; only a failure ever takes so long
STILL = 6                                          # seconds after which nothing is expected of programs that only sleep
BUSY = 8                                           # seconds of CPU time after which nothing is expected of programs that only compute
ORPHAN_TIMEOUT = 5                                 # seconds in which orphans must end, when their program has
PIPE_SIZE = 1 << 20                                # bytes of output that a program can print before somebody reads them
READ_SIZE = 1 << 16
SHARED_MEMORY = Path("/dev/shm")
PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 15, 36       # from <sys/prctl.h>
GUARDIAN = "test-guardian"                         # at most 15 bytes

# Before the words of a script: it then has a standard output of one page that does not block, as some programs hand down.
NARROW_OUTPUT = (sys.executable, "-c",
                 "import fcntl, os, sys; fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 4096); os.set_blocking(1, False); "
                 "os.execv(sys.executable, sys.orig_argv[:1] + sys.argv[1:])")

# Children that this process had before it became a subreaper: `sleep 100 & exec make test` leaves one.
not_ours = set()
guardian = None                                    # a descriptor: where start_guardian's process learns of our programs
# What took part in the present test, for the report of a failure: objects with a transcript().
participants = []


class Failure(AssertionError):
    """A program did not do what it should, or left something behind."""


class Program:
    """A process of its own session.

    argv: the command; a first word that ends in .py is a script, relative to the course's folder, for this interpreter.
    stdin: text, given at once and followed by end of input; None keeps standard input open for write().
    tty: give it a terminal instead of pipes; what it prints on stderr is then part of stdout, as on a screen.
    cwd, env: the folder to start in (default: an empty one) and variables to add to the environment.
    echo: called with all that it prints, as it comes.
    """

    def __init__(self, *argv, stdin=None, tty=False, cwd=None, env=None, echo=None):
        become_subreaper()
        argv = [str(word) for word in argv]
        if argv[0].endswith(".py"):
            argv = [sys.executable, str(ROOT / argv[0]) if cwd is None else argv[0], *argv[1:]]
        self.argv = argv
        self.stdout = self.stderr = ""
        self.status = None
        self._echo = echo
        self._destroyed = False
        self._seen = 0                             # how far expect() has come in stdout
        self._room = Path(tempfile.mkdtemp(prefix="course-"))
        for name in ("cwd", "tmp", "home"):
            (self._room / name).mkdir()
        self.folder = Path(cwd or self._room / "cwd")                  # where it stands
        self._shared_memory = shared_memory()

        if tty:
            master, slave = os.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
            self.first_terminal_settings = termios.tcgetattr(slave)
            self._stdin, self._outputs, theirs = os.dup(master), {master: "stdout"}, (slave, slave, slave)
        else:
            stdin_reader, self._stdin = os.pipe()
            stdout_reader, stdout_writer = os.pipe()
            stderr_reader, stderr_writer = os.pipe()
            self._outputs = {stdout_reader: "stdout", stderr_reader: "stderr"}
            theirs = (stdin_reader, stdout_writer, stderr_writer)
            for fd in self._outputs:
                with contextlib.suppress(PermissionError):         # an ordinary user has a limited number of big ones
                    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        try:
            # Without a preexec_fn, Python uses vfork, which does not copy this large process.
            self._process = subprocess.Popen(
                argv, stdin=theirs[0], stdout=theirs[1], stderr=theirs[2], cwd=self.folder,
                env=self._environment(env), start_new_session=True, preexec_fn=take_terminal if tty else None)
        except OSError:
            for fd in (self._stdin, *self._outputs):
                os.close(fd)
            shutil.rmtree(self._room)
            raise
        finally:
            for fd in set(theirs):
                os.close(fd)
        self._decoders = {fd: codecs.getincrementaldecoder("utf-8")("replace") for fd in self._outputs}
        self.pid = self._process.pid
        tell_guardian(f"+{self.pid}")
        self._pidfd = os.pidfd_open(self.pid)      # readable when the process has ended
        participants.append(self)
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):     # it need not read what we give it
                self.write(stdin)
            self.close_stdin()

    def _environment(self, extra):
        """Nothing of the caller's environment but what a program needs to start, so that every machine shows the same."""
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        # All warnings, but for one of Python 3.12 and later that comes by chance: that a process forks which has threads,
        # where a thread has been joined and the kernel still counts it. (A filter with a text makes each start import re.)
        warnings = "default" + (",ignore:This process (pid=:DeprecationWarning" if sys.version_info >= (3, 12) else "")
        return {**kept, "LANG": "C.UTF-8", "TERM": "xterm", "HOME": str(self._room / "home"),
                "TMPDIR": str(self._room / "tmp"), "PYTHONWARNINGS": warnings, **(extra or {})}

    # What it does

    def expect(self, pattern, stream="stdout", timeout=TIMEOUT, still=STILL):
        """Wait until the pattern (a regular expression) comes in the output, after the last match; return the match.

        timeout, still: seconds; give `still` if the program sleeps for longer than STILL before it goes on."""
        deadline = time.monotonic() + timeout
        while True:
            text = getattr(self, stream)
            start = self._seen if stream == "stdout" else 0
            found = re.compile(pattern, re.MULTILINE).search(text, start)
            if found:
                if stream == "stdout":
                    self._seen = found.end()
                return found
            if not self._outputs:
                raise Failure(f"{self} ended without printing {pattern!r}")
            if not self._read(deadline, still):
                raise Failure(f"{self} did not print {pattern!r} within {timeout} seconds, or only sleeps or computes")

    def wait(self, timeout=TIMEOUT, still=STILL):
        """Wait until it has ended; return its exit status, negative for a signal. timeout, still: as for expect."""
        deadline = time.monotonic() + timeout
        while self.status is None:
            if not self._read(deadline, still):
                raise Failure(f"{self} did not end within {timeout} seconds, or only sleeps or computes")
        return self.status

    def _read(self, deadline, still):
        """Wait for output or the end of the process and take note of it; False if neither came in time."""
        if time.monotonic() > deadline:            # a program that keeps printing does not extend it
            return False
        poll = select.poll()
        for fd in [*self._outputs, self._pidfd]:
            poll.register(fd, select.POLLIN)
        stillness = Stillness(still)
        while not (events := poll.poll(min(1, max(0, deadline - time.monotonic())) * 1000)):
            if time.monotonic() >= deadline or stillness.is_long():
                break
        for fd, _ in events:
            if fd in self._outputs:
                self._take(fd)
        if self._pidfd in dict(events) and self.status is None:
            # All that the process wrote is in the pipes by now. They may never end, if it has left a child behind.
            self._take_rest()
            self.status = self._process.wait()
            tell_guardian(f"-{self.pid}")
        return bool(events)

    def _take_rest(self):
        """Read what there is from every output, as much as a pipe holds, and close it."""
        for fd in list(self._outputs):
            for _ in range(PIPE_SIZE // READ_SIZE):
                if fd in self._outputs and select.select([fd], [], [], 0)[0]:
                    self._take(fd)
        self._close_outputs()

    def _take(self, fd):
        """Read what there is; at its end, close it."""
        name = self._outputs[fd]
        try:
            data = os.read(fd, READ_SIZE)
        except OSError:                            # EIO: how a terminal says that its program has gone
            data = b""
        if data:
            text = self._decoders[fd].decode(data)
            setattr(self, name, (getattr(self, name) + text).replace("\r\n", "\n"))
            if self._echo:
                self._echo(data)
        else:
            os.close(fd)
            del self._outputs[fd]

    def _close_outputs(self):
        for fd in self._outputs:
            os.close(fd)
        self._outputs.clear()

    # What it is told

    def write(self, text):
        """Give it text on standard input, or type it on its terminal."""
        data = text.encode() if isinstance(text, str) else text
        while data:
            if not select.select([], [self._stdin], [], TIMEOUT)[1]:
                raise Failure(f"{self} does not read its standard input")
            data = data[os.write(self._stdin, data[:4096]):]

    def close_stdin(self):
        """End its standard input; on a terminal, hang up."""
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None

    def hang_up(self):
        """Close its terminal, as when the window is closed."""
        self.close_stdin()
        self._close_outputs()

    def terminal_settings(self):
        return termios.tcgetattr(self._stdin)

    def change_terminal_settings(self, settings):
        termios.tcsetattr(self._stdin, termios.TCSANOW, settings)

    def signal(self, signum):
        """Signal the process alone."""
        if self.status is None:
            os.kill(self.pid, signum)              # not yet waited for, so the PID is still its own

    def interrupt(self):
        """Press Ctrl-C, as a person does who sees that it waits: SIGINT for its whole process group."""
        self.wait_until_asleep()
        if self.status is None:
            os.killpg(self.pid, signal.SIGINT)

    def wait_until_asleep(self, timeout=1):
        """Wait until its main thread waits for something; if it goes on computing, that is fine too.

        Python runs a signal's handler between two steps of the program. One that comes in the microsecond before a step
        that blocks is seen only when that step is over: for a server without a client, never. In a sleeping process it
        interrupts the wait, and in a computing one there is always a next step.
        """
        deadline = time.monotonic() + timeout
        while state_of(self.pid) not in ("S", "T", "Z", None) and time.monotonic() < deadline:
            os.sched_yield()

    # What it is made of

    def descriptors(self):
        return descriptors(self.pid)

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def children(self):
        return children(self.pid)

    def memory(self):
        """Its resident memory, in KiB."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1])

    # Its end

    def finish(self, status=0, stderr="", orphans=0, timeout=TIMEOUT, still=STILL):
        """Wait until it has ended and check how: its exit status, its stderr (a regular expression for all of it), and
        that nothing is left of it but that number of orphans (or one in a range), which must end by themselves.

        Returns self; raises Failure."""
        try:
            self.wait(timeout, still)
            problems = []
            if self.status != status:
                problems.append(f"ended with status {self.status} instead of {status}")
            if not re.fullmatch(stderr, self.stderr, re.DOTALL):
                problems.append(f"wrote to stderr:\n{self.stderr}")
            left = self._left()
            if len(left) in (orphans if isinstance(orphans, range) else [orphans]):
                deadline = time.monotonic() + ORPHAN_TIMEOUT
                left = [pid for pid in left if not reap(pid, max(0, deadline - time.monotonic()))]
            if left:
                problems.append("left processes behind:\n    " + "\n    ".join(map(describe, left)))
            files = [path.relative_to(self._room) for path in self._room.rglob("*") if path.parent != self._room]
            files += [SHARED_MEMORY / name for name in self._left_in_shared_memory()]
            if files:
                problems.append(f"left files behind: {', '.join(map(str, sorted(files)))}")
            if problems:
                raise Failure(f"{self} " + "\nand ".join(problems))
            return self
        finally:
            self.destroy()

    def _left(self):
        """The processes that it has left: of its session, or of one that belongs to no other program."""
        others = {program.pid for program in running() if program is not self}
        return [pid for pid in adopted_by_us() if session_of(pid) not in others]

    def _left_in_shared_memory(self):
        """What is new there and stays. (Another program of this user may make something too, but that goes away.)"""
        if not self._uses_multiprocessing():       # then it is another program's, whose tests run beside these
            return set()
        left = shared_memory() - self._shared_memory
        deadline = time.monotonic() + ORPHAN_TIMEOUT
        while left and time.monotonic() < deadline:
            os.sched_yield()
            left &= shared_memory()
        return left

    def _uses_multiprocessing(self):
        scripts = [self.folder / word for word in self.argv if word.endswith(".py")]
        texts = [*self.argv, *(script.read_text(encoding="utf-8") for script in scripts if script.exists())]
        return any("multiprocessing" in text for text in texts)

    def destroy(self):
        """End it by force, with all that it has started, and give back what it needed."""
        if self._destroyed:
            return
        self._destroyed = True
        if self.status is None:                    # not reaped yet, so the PID still is its own
            os.killpg(self.pid, signal.SIGKILL)
            self.status = self._process.wait()
            tell_guardian(f"-{self.pid}")
        self._take_rest()                          # what it said last, for the report
        while left := self._left():                # killing one may make orphans of its children
            for pid in left:
                kill(pid)
        self.close_stdin()
        os.close(self._pidfd)
        shutil.rmtree(self._room)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.destroy()

    def __str__(self):
        return " ".join(word.removeprefix(f"{ROOT}/") for word in self.argv)

    def transcript(self):
        """What it was and said, for the report of a failure."""
        state = "running" if self.status is None else f"ended with {self.status}"
        text = f"$ {self}      [PID {self.pid}, {state}]\n{self.stdout}"
        return text + (f"\n--- stderr\n{self.stderr}" if self.stderr else "")


def run(*argv, stdin="", status=0, stderr="", orphans=0, timeout=TIMEOUT, still=STILL, **options):
    """Run a program to its end and check it as Program.finish does; return it, for its stdout and stderr."""
    return Program(*argv, stdin=stdin, **options).finish(status, stderr, orphans, timeout, still)


@contextlib.contextmanager
def serve(script, *args, port=0, stdin="", status=0, stderr="", **options):
    """Start a server, wait for its ready line, and yield it with its address as .host and .port.

    At the end of the block it gets a Ctrl-C and must end with that status and stderr, leaving nothing.
    """
    with Program(script, port, *args, stdin=stdin, **options) as server:
        ready(server)
        yield server
        server.interrupt()
        server.finish(status, stderr)


def ready(server):
    """Wait for the first line of a server, and note its address, as .host and .port."""
    found = server.expect(r"\Alistening on (.+):(\d+)\n")
    server.host, server.port = found[1].strip("[]"), int(found[2])


class Wire(socket.socket):
    """A socket that waits at most TIMEOUT seconds and records what went over it."""

    def __init__(self, *args, name="socket", **kwargs):
        super().__init__(*args, **kwargs)
        self.settimeout(TIMEOUT)
        self.name = name
        self._record = []
        participants.append(self)

    def send(self, data, *args):
        count = super().send(data, *args)
        self._record.append(("sent", bytes(data[:count])))
        return count

    def sendall(self, data, *args):
        super().sendall(data, *args)
        self._record.append(("sent", bytes(data)))

    def sendto(self, data, *args):
        self._record.append(("sent", bytes(data)))
        return super().sendto(data, *args)

    def recv(self, *args):
        await_bytes(self)
        data = super().recv(*args)
        self._record.append(("got", data))
        return data

    def recvfrom(self, *args):
        await_bytes(self)
        data, address = super().recvfrom(*args)
        self._record.append(("got", data))
        return data, address

    def transcript(self):
        lines = [f"    {what:4} {shorten(data)}" for what, data in self._record[-50:]]
        return "\n".join([f"{self.name}, the last {len(lines)} of {len(self._record)}", *lines])


def shorten(data, limit=200):
    text = data.decode("utf-8", "backslashreplace") if len(data) <= limit else f"{data[:limit]!r}... {len(data)} bytes"
    return text.replace("\r", "\\r").replace("\n", "\\n")


def await_bytes(conn):
    """Wait until a socket can be read. Raises TimeoutError after its timeout, or when all programs only sleep or compute."""
    if not conn.gettimeout():                      # it does not wait, or has no limit
        return
    deadline, stillness = time.monotonic() + conn.gettimeout(), Stillness()
    poll = select.poll()                           # there may be more than 1,024 connections
    poll.register(conn, select.POLLIN)
    while not poll.poll(min(1, max(0, deadline - time.monotonic())) * 1000):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"nothing came within {conn.gettimeout()} seconds")
        if stillness.is_long():
            raise TimeoutError("nothing came, and all programs only sleep or compute")


def await_ready(readers, writers, timeout=TIMEOUT):
    """Wait as select.select does; two empty lists after the timeout, or when all programs only sleep or compute."""
    deadline, stillness = time.monotonic() + timeout, Stillness()
    while True:
        readable, writable, _ = select.select(readers, writers, [], min(1, max(0, deadline - time.monotonic())))
        if readable or writable or time.monotonic() >= deadline or stillness.is_long():
            return readable, writable


class Stillness:
    """Notices, during one wait, that nothing will come any more: the running programs only sleep, or only compute."""

    def __init__(self, limit=STILL):
        self.limit, self.since = limit, time.monotonic()
        self.seen, self.used = None, 0             # the CPU times at the last look, and what they have grown by

    def is_long(self):
        """Whether they have slept for `limit` seconds, or used BUSY seconds of CPU time. Ask about once a second."""
        times, is_running = activity()
        if is_running or not times or times != self.seen:
            self.since = time.monotonic()
        if self.seen is not None:
            self.used += sum(ticks - self.seen.get(pid, 0) for pid, ticks in times.items())
        self.seen = times
        is_asleep = bool(times) and time.monotonic() - self.since >= self.limit
        return is_asleep or self.used >= BUSY * os.sysconf("SC_CLK_TCK")


def activity():
    """The CPU time of each process of the running programs, in clock ticks by PID, and whether one runs or wants to."""
    sessions, times, is_running = {program.pid for program in running()}, {}, False
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := stat_of(name)) and int(fields[3]) in sessions:
            is_running |= fields[0] in "RD"
            times[int(name)] = int(fields[11]) + int(fields[12])
    return times, is_running


# Processes and what they leave

def become_subreaper():
    """From now on, orphans among our descendants become our children instead of init's."""
    if not not_ours:
        not_ours.update([0, *children(os.getpid())])
        hand_down_no_habits()
        start_guardian()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def hand_down_no_habits():
    """Let programs start with the default action of each signal, also if we were started with some ignored.

    `make test &` in a shell ignores SIGINT, and nohup SIGHUP. Programs would inherit that, but not a handler."""
    for signum in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, lambda *_: None)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def start_guardian():
    """Start a process that ends the running programs when this process has ended, however it ends.

    (PR_SET_PDEATHSIG would do, but must be set between fork and exec, and that needs a copy of this large process.)"""
    global guardian
    reader, guardian = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()                            # a Ctrl-C is not for it
            ctypes.CDLL(None).prctl(PR_SET_NAME, GUARDIAN.encode(), 0, 0, 0)
            os.close(guardian)
            for fd in (0, 1, 2):                   # whoever reads what we print waits for its end
                os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            guard(reader)
        finally:
            os._exit(0)
    os.close(reader)
    not_ours.add(pid)


def guard(reader):
    """Read +PID and -PID, of programs that have started and ended; at the end, kill those that are left."""
    programs = set()
    with open(reader) as lines:
        for line in lines:
            (programs.add if line[0] == "+" else programs.discard)(int(line[1:]))
    for pid in programs:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def tell_guardian(word):
    os.write(guardian, f"{word}\n".encode())


def stat_of(pid):
    """The fields of /proc/PID/stat from the state on, or None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()     # the name in front may contain anything
    except (FileNotFoundError, ProcessLookupError):
        return None


def name_of(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")


def session_of(pid):
    fields = stat_of(pid)
    return fields and int(fields[3])


def state_of(pid):
    """R, S, D, T, Z, ... or None if there is no such process."""
    fields = stat_of(pid)
    return fields and fields[0]


def descriptors(pid):
    """What the file descriptors of a process point to, by number."""
    folder = Path(f"/proc/{pid}/fd")
    found = {}
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):                   # closed since
            found[int(name)] = os.readlink(folder / name)
    return found


def parents():
    """The parent's PID of each process, by its own, zombies too."""
    stats = {int(name): stat_of(name) for name in os.listdir("/proc") if name.isdigit()}
    return {pid: int(fields[1]) for pid, fields in stats.items() if fields}


def children(pid):
    """The PIDs of its children, zombies too."""
    return [child for child, parent in parents().items() if parent == pid]


def running():
    """The programs that have not been cleaned up."""
    return [one for one in participants if isinstance(one, Program) and not one._destroyed]


def adopted_by_us():
    """The children of this process that it did not start as a Program: orphans, alive or dead."""
    ours = {program.pid for program in running() if program.status is None}
    found = [pid for pid in own_children() if pid not in ours | not_ours]
    # The guardian of a program that uses this harness too: it ends right after its program.
    return [pid for pid in found if name_of(pid) != GUARDIAN or not reap(pid, ORPHAN_TIMEOUT)]


def own_children():
    """As children(os.getpid()), without looking at every process: the kernel has a list, but not every kernel shows it.

    (It is exact only for a process that reaps nothing while it is read, so not for others. man 5 proc_tid_children)"""
    try:
        lists = [Path(f"/proc/self/task/{tid}/children").read_text() for tid in os.listdir("/proc/self/task")]
    except FileNotFoundError:                      # such a kernel, or a thread that has ended since
        return children(os.getpid())
    return [int(pid) for one in lists for pid in one.split()]


def reap(pid, timeout):
    """Wait until a child has ended, and reap it; False if it does not end in time."""
    pidfd = os.pidfd_open(pid)
    try:
        if not select.select([pidfd], [], [], timeout)[0]:
            return False
        os.waitpid(pid, 0)
        return True
    finally:
        os.close(pidfd)


def kill(pid):
    """End one of our children by force, and reap it."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def gone(pid, timeout=TIMEOUT):
    """Wait until a process that need not be our child has ended; False if it does not in time."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], timeout)[0])
    finally:
        os.close(pidfd)


def describe(pid):
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return f"PID {pid}, state {state_of(pid)}: {command or '(no command line: a zombie)'}"
    return f"PID {pid}"


def ticks(server):
    """The processor time of a program and its children, in clock ticks."""
    stats = [stat_of(server.pid), *filter(None, map(stat_of, server.children()))]      # a child may have ended since
    return sum(int(field) for fields in stats for field in fields[11:13])


def unread(fd):
    """How many bytes there are to read (man 2 ioctl_tty: FIONREAD)."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]


def assert_idle(server):
    """It waits and uses no processor time. One that spins would use all that it can get: at the least a quarter."""
    before = ticks(server)
    time.sleep(0.2)                                # the time in which nothing may happen
    assert ticks(server) - before <= 0.1 * 0.2 * os.sysconf("SC_CLK_TCK")


def wait_until(condition, explain, timeout=TIMEOUT):
    """Wait until a condition holds that no event tells of; explain: a function that says what is wrong if it never does."""
    deadline, stillness, next_look = time.monotonic() + timeout, Stillness(), 0
    while not condition():
        assert time.monotonic() < deadline, explain()
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + 1
            assert not stillness.is_long(), f"{explain()} (and all programs only sleep or compute)"
        select.select([], [], [], 0.001)


def receive(conn, count):
    """Receive that many bytes, or what comes before the end."""
    data = bytearray()
    while len(data) < count:
        await_bytes(conn)
        more = socket.socket.recv(conn, count - len(data))
        if not more:
            break
        data += more
    return bytes(data)


@contextlib.contextmanager
def flooding(conn, data):
    """For the length of a block, send data over and over and receive what comes back, as fast as it goes."""
    stop, begun = threading.Event(), threading.Event()

    def flood():
        conn.setblocking(False)
        left = data
        while not stop.is_set():
            readable, writable, _ = select.select([conn], [conn], [], TIMEOUT)
            with contextlib.suppress(BlockingIOError):
                if writable:
                    left = left[socket.socket.send(conn, left):] or data
                if readable:
                    socket.socket.recv(conn, 1 << 20)
                    begun.set()
    thread = threading.Thread(target=flood)
    thread.start()
    try:
        assert begun.wait(TIMEOUT)
        yield
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()


def has_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
            return True
        except OSError:
            return False


def reset(conn):
    """Close a connection with RST instead of FIN."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def shared_memory():
    """The names of our user's semaphores and shared memory segments, as Python names them."""
    if not SHARED_MEMORY.is_dir():
        return set()
    with os.scandir(SHARED_MEMORY) as entries:
        found = set()
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.name.startswith(("psm_", "sem.")) and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                    found.add(entry.name)
        return found


def take_terminal():
    """In the child, before it becomes the program: standard input becomes the terminal of the new session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
