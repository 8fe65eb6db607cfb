"""Run the course's programs as a student would, wait for their output, and check that they leave nothing behind.

    run(script, ...)    runs a program that ends by itself, and returns the ended Program with its output
    serve(script, ...)  runs a server during a `with` block, and ends it with Ctrl-C
    Program             is the process that run and serve start; use it directly for terminals, signals, several programs
    Wire                is a socket that has a time limit and records the bytes that it sends and receives

Three rules hold for all of them.

- A program is a real process in its own session. It gets an explicit environment, an empty current folder, and an empty
  folder for temporary files.
- Every wait is for an event (a line of output, the end of a process) and has a time limit. The harness sleeps only to check
  that nothing happens. A wait ends early if no event is likely to come any more: if all processes of all
  programs have slept for STILL seconds without using CPU time, or have used BUSY seconds of CPU time since the wait began.
- When a program has ended, nothing of it may be left. This process is a subreaper (man 2 prctl): the orphans and the zombies
  that a program leaves behind become our children, so the harness finds them. It also looks for files that were left behind.

The harness needs only the standard library, so that `make demo` can use it too.
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
TIMEOUT = 30                                       # seconds; only a test that fails waits so long
STILL = 6                                          # seconds; if all programs sleep for so long, no event is expected any more
BUSY = 8                                           # seconds of CPU time; if programs use so much during a wait, no event is expected
ORPHAN_TIMEOUT = 5                                 # seconds within which orphans must end after their program has ended
PIPE_SIZE = 1 << 20                                # bytes that a program can print before the harness must read them
READ_SIZE = 1 << 16
SHARED_MEMORY = Path("/dev/shm")
PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 15, 36       # from <sys/prctl.h>
GUARDIAN = "test-guardian"                         # Linux keeps at most 15 bytes of a process's name

# Put these words before the words of a script. The script's standard output is then a non-blocking pipe of one page, like
# the one that some programs pass on to their children.
NARROW_OUTPUT = (sys.executable, "-c",
                 "import fcntl, os, sys; fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 4096); os.set_blocking(1, False); "
                 "os.execv(sys.executable, sys.orig_argv[:1] + sys.argv[1:])")

# The PIDs of children that do not belong to a test. Some exist before this process becomes a subreaper: the command
# `sleep 100 & exec make test` starts such a child.
not_ours = set()
guardian = None                                    # a descriptor: the harness writes to start_guardian's process through it
# The programs and sockets of the current test. If the test fails, its report shows the transcript() of each.
participants = []


class Failure(AssertionError):
    """A program behaved wrongly, or left something behind."""


class Program:
    """A program of the course that runs as a process in its own session.

    argv: the command. If its first word ends in .py, that is a script in the course's folder, run by this interpreter.
    stdin: text to send to standard input at once, followed by end of input. None keeps standard input open for write().
    tty: whether the program gets a terminal instead of pipes. Its stderr is then part of stdout, as on a screen.
    cwd: the folder in which the program starts (default: an empty one).  env: variables to add to its environment.
    echo: a function that is called with all bytes that the program prints, as soon as they arrive.
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
        self._seen = 0                             # the end of expect()'s last match in stdout
        self._room = Path(tempfile.mkdtemp(prefix="course-"))
        for name in ("cwd", "tmp", "home"):
            (self._room / name).mkdir()
        self.folder = Path(cwd or self._room / "cwd")                  # the program's current folder
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
                with contextlib.suppress(PermissionError):         # an ordinary user may have only a few large pipes
                    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        try:
            # Without a preexec_fn, Python calls vfork, which does not copy this large process.
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
            with contextlib.suppress(BrokenPipeError):     # a program need not read its standard input
                self.write(stdin)
            self.close_stdin()

    def _environment(self, extra):
        """Return the environment of the program. extra: a dict of further variables, or None.

        Only the variables that a program needs to start are copied from ours, so programs behave alike on every machine.
        """
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        # Show all warnings except one: Python 3.12 and later warn if a process with threads forks. This warning comes by
        # chance, because the kernel may still count a thread that has been joined. (Older versions do not get the filter,
        # because a filter with a text makes Python import re at every start.)
        warnings = "default" + (",ignore:This process (pid=:DeprecationWarning" if sys.version_info >= (3, 12) else "")
        return {**kept, "LANG": "C.UTF-8", "TERM": "xterm", "HOME": str(self._room / "home"),
                "TMPDIR": str(self._room / "tmp"), "PYTHONWARNINGS": warnings, **(extra or {})}

    # The output and the end of the program

    def expect(self, pattern, stream="stdout", timeout=TIMEOUT, still=STILL):
        """Wait until the output after the last match contains the pattern (a regular expression). Return the match.

        timeout: the limit in seconds.  still: how many seconds the program may sleep before it prints the pattern.
        """
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
        """Wait until the program has ended. Return its exit status; -N means that signal N killed it.

        timeout, still: seconds, as in expect.
        """
        deadline = time.monotonic() + timeout
        while self.status is None:
            if not self._read(deadline, still):
                raise Failure(f"{self} did not end within {timeout} seconds, or only sleeps or computes")
        return self.status

    def _read(self, deadline, still):
        """Wait until the program prints or ends, and store the output or the status. Return False if it does neither in time."""
        if time.monotonic() > deadline:            # a program that keeps printing does not extend the deadline
            return False
        poll = select.poll()
        for fd in [*self._outputs, self._pidfd]:
            poll.register(fd, select.POLLIN)
        stillness = Stillness(still)
        while not (events := poll.poll(min(1, max(0, deadline - time.monotonic())) * 1000)):
            if time.monotonic() >= deadline or stillness.is_long():
                events = poll.poll(0)              # it may have printed or ended while we looked
                break
        for fd, _ in events:
            if fd in self._outputs:
                self._take(fd)
        if self._pidfd in dict(events) and self.status is None:
            # All output of the process is in the pipes by now. Do not wait for EOF: if the process has left a child behind,
            # EOF may never come.
            self._take_rest()
            self.status = self._process.wait()
            tell_guardian(f"-{self.pid}")
        return bool(events)

    def _take_rest(self):
        """Read the bytes that are now in each output, at most the size of a pipe, and close the outputs."""
        for fd in list(self._outputs):
            for _ in range(PIPE_SIZE // READ_SIZE):
                if fd in self._outputs and select.select([fd], [], [], 0)[0]:
                    self._take(fd)
        self._close_outputs()

    def _take(self, fd):
        """Read the bytes that are now in the output fd. At EOF, close fd."""
        name = self._outputs[fd]
        try:
            data = os.read(fd, READ_SIZE)
        except OSError:                            # EIO: no program has this terminal open any more
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

    # Input and signals for the program

    def write(self, text):
        """Send text to the program's standard input, or type it on the program's terminal."""
        data = text.encode() if isinstance(text, str) else text
        while data:
            if not select.select([], [self._stdin], [], TIMEOUT)[1]:
                raise Failure(f"{self} does not read its standard input")
            data = data[os.write(self._stdin, data[:4096]):]

    def close_stdin(self):
        """Close the program's standard input. A terminal stays open until hang_up() closes it."""
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None

    def hang_up(self):
        """Close the program's terminal, as a user does by closing the window."""
        self.close_stdin()
        self._close_outputs()

    def terminal_settings(self):
        return termios.tcgetattr(self._stdin)

    def change_terminal_settings(self, settings):
        termios.tcsetattr(self._stdin, termios.TCSANOW, settings)

    def signal(self, signum):
        """Send a signal to the process, but not to its children."""
        if self.status is None:
            os.kill(self.pid, signum)              # the process has not been reaped, so its PID is still valid

    def interrupt(self):
        """Wait until the program sleeps, then send SIGINT to its process group, as Ctrl-C does."""
        self.wait_until_asleep()
        if self.status is None:
            os.killpg(self.pid, signal.SIGINT)

    def wait_until_asleep(self, timeout=1):
        """Wait until the program's main thread sleeps, or has computed for `timeout` seconds.

        Python runs a signal handler only between two steps of the program. If a signal comes just before a step that blocks,
        the handler runs only when that step is over. For a server without clients, that is never. In a process that sleeps,
        the signal interrupts the step; in a process that computes, the next step comes soon.
        """
        # Its CPU time counts: on a busy machine, it may stand just before a step for a second without computing.
        limit, deadline = None, time.monotonic() + TIMEOUT
        while (fields := stat_of(self.pid)) and fields[0] not in ("S", "T", "Z") and time.monotonic() < deadline:
            used = ticks_in(fields) / os.sysconf("SC_CLK_TCK")
            limit = used + timeout if limit is None else limit
            if used >= limit:
                break
            os.sched_yield()

    # The resources of the program

    def descriptors(self):
        return descriptors(self.pid)

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def children(self):
        return children(self.pid)

    def memory(self):
        """Return the program's resident memory, in KiB."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1])

    # The checks after the end of the program

    def finish(self, status=0, stderr="", orphans=0, timeout=TIMEOUT, still=STILL):
        """Wait until the program has ended, check how it has ended, and return self. Raises Failure.

        status: the expected exit status.  stderr: a regular expression that must match all of its stderr.
        orphans: how many processes it may leave behind (a number, or a range). They must end by themselves.
        timeout, still: seconds, as in expect.
        """
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
        """Return the PIDs of the processes that the program has left behind.

        They are in its session, or in a session that belongs to no other program.
        """
        others = {program.pid for program in running() if program is not self}
        return [pid for pid in adopted_by_us() if session_of(pid) not in others]

    def _left_in_shared_memory(self):
        """Return the new names in shared memory that stay there, although no living process uses what they name.

        Our program has ended, so a name that is in use belongs to another program of this user.
        """
        if not self._uses_multiprocessing():
            return set()
        left = shared_memory() - self._shared_memory
        deadline = time.monotonic() + ORPHAN_TIMEOUT
        while left and time.monotonic() < deadline:
            os.sched_yield()
            left &= shared_memory()
            left -= in_use(left)
        return left

    def _uses_multiprocessing(self):
        scripts = [self.folder / word for word in self.argv if word.endswith(".py")]
        texts = [*self.argv, *(script.read_text(encoding="utf-8") for script in scripts if script.exists())]
        return any("multiprocessing" in text for text in texts)

    def destroy(self):
        """Kill the program and all processes that it has started, and free its resources."""
        if self._destroyed:
            return
        self._destroyed = True
        if self.status is None:                    # the process has not been reaped, so its PID is still valid
            os.kill(self.pid, signal.SIGKILL)
            self.status = self._process.wait()
            tell_guardian(f"-{self.pid}")
        self._take_rest()                          # the report shows the last output too
        while left := self._left():                # killing a process may turn its children into orphans
            # A resource tracker ends when no other process of its program is left.
            for pid in [pid for pid in left if not is_resource_tracker(pid)] or left:
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
        """Return the command, the state and the output of the program, for the report of a failed test."""
        state = "running" if self.status is None else f"ended with {self.status}"
        text = f"$ {self}      [PID {self.pid}, {state}]\n{self.stdout}"
        return text + (f"\n--- stderr\n{self.stderr}" if self.stderr else "")


def run(*argv, stdin="", status=0, stderr="", orphans=0, timeout=TIMEOUT, still=STILL, **options):
    """Run a program to its end, and check it as Program.finish does. Return the Program, which has .stdout and .stderr."""
    return Program(*argv, stdin=stdin, **options).finish(status, stderr, orphans, timeout, still)


@contextlib.contextmanager
def serve(script, *args, port=0, stdin="", status=0, stderr="", **options):
    """Start a server, wait until it listens, and yield its Program, with the address as .host and .port.

    At the end of the block, the server gets a Ctrl-C. It must then end with the given status and stderr, and leave nothing
    behind.
    """
    with Program(script, port, *args, stdin=stdin, **options) as server:
        ready(server)
        yield server
        server.interrupt()
        server.finish(status, stderr)


def ready(server):
    """Wait for the first line that a server prints, and store its address as server.host and server.port."""
    found = server.expect(r"\Alistening on (.+):(\d+)\n")
    server.host, server.port = found[1].strip("[]"), int(found[2])


class Wire(socket.socket):
    """A socket that waits at most TIMEOUT seconds, and records the bytes that it sends and receives."""

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
    """Wait until a socket is readable. Raises TimeoutError after the socket's timeout, or if all programs only sleep or compute."""
    if not conn.gettimeout():                      # the socket is non-blocking, or has no time limit
        return
    deadline, stillness = time.monotonic() + conn.gettimeout(), Stillness()
    poll = select.poll()                           # select cannot watch descriptors above 1023
    poll.register(conn, select.POLLIN)
    while not poll.poll(min(1, max(0, deadline - time.monotonic())) * 1000):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"no bytes came within {conn.gettimeout()} seconds")
        if stillness.is_long() and not poll.poll(0):       # they may have come while we looked
            raise TimeoutError("no bytes came, and all programs only sleep or compute")


def await_ready(readers, writers, timeout=TIMEOUT):
    """Wait as select.select does, and return the readable and the writable sockets.

    Both lists are empty after `timeout` seconds, or if all programs only sleep or compute.
    """
    deadline, stillness = time.monotonic() + timeout, Stillness()
    while True:
        readable, writable, _ = select.select(readers, writers, [], min(1, max(0, deadline - time.monotonic())))
        if readable or writable or time.monotonic() >= deadline:
            return readable, writable
        if stillness.is_long():                    # one of them may have become ready while we looked
            return select.select(readers, writers, [], 0)[:2]


class Stillness:
    """Notices, during one wait, that no event is likely to come: the processes of the programs only sleep, or only compute."""

    def __init__(self, limit=STILL):
        self.limit, self.since = limit, time.monotonic()
        self.seen, self.used = None, 0             # the CPU times at the last call, and their growth since the first

    def is_long(self):
        """Return whether they have slept for `limit` seconds, or used BUSY seconds of CPU time. Call it about once a second."""
        times, is_running = activity()
        if is_running or not times or times != self.seen:
            self.since = time.monotonic()
        if self.seen is not None:
            self.used += sum(ticks - self.seen.get(pid, 0) for pid, ticks in times.items())
        self.seen = times
        # A look at several processes is not of one moment: one may have ended before it was looked at, and have woken another
        # that had been looked at before. So a second look must find the same.
        is_asleep = bool(times) and time.monotonic() - self.since >= self.limit and activity() == (times, False)
        return is_asleep or self.used >= BUSY * os.sysconf("SC_CLK_TCK")


def activity():
    """Return {PID: CPU time in clock ticks} of the processes of all programs, and whether one of them runs (R, D).

    A program may wait for a descendant in a session of its own, as the judge of the practice does. So it matters whether that
    runs, too. But its CPU time does not count: the program limits it, and may let it compute for long.
    """
    stats = {int(name): fields for name in os.listdir("/proc") if name.isdigit() and (fields := stat_of(name))}
    ours = {program.pid for program in running()}
    times = {pid: ticks_in(fields) for pid, fields in stats.items() if int(fields[3]) in ours}
    is_running = any(fields[0] in "RD" and (pid in times or descends(pid, ours, stats)) for pid, fields in stats.items())
    return times, is_running


def descends(pid, ancestors, stats):
    """Return whether a process has one of these ancestors. stats: {PID: what stat_of returns} of all processes."""
    while pid in stats and pid not in ancestors:
        pid = int(stats[pid][1])                   # its parent
    return pid in ancestors


# Processes, and what they leave behind

def become_subreaper():
    """Make this process the new parent of all orphans among its descendants, instead of init."""
    if not not_ours:
        not_ours.update([0, *children(os.getpid())])
        hand_down_no_habits()
        start_guardian()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def hand_down_no_habits():
    """Make programs start with the default action of each signal, even if this process ignores some signals.

    A shell makes `make test &` ignore SIGINT, and nohup makes it ignore SIGHUP. A program would inherit that. But if this
    process has a handler for the signal, the program starts with the default action.
    """
    for signum in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, lambda *_: None)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def start_guardian():
    """Start a process that kills the running programs when this process has ended, even by SIGKILL.

    PR_SET_PDEATHSIG could do the same, but it must be set between fork and exec, which would copy this large process.
    """
    global guardian
    reader, guardian = os.pipe()
    has_name, gets_name = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()                            # so Ctrl-C does not reach the guardian
            ctypes.CDLL(None).prctl(PR_SET_NAME, GUARDIAN.encode(), 0, 0, 0)
            os.close(gets_name)
            os.close(guardian)
            for fd in (0, 1, 2):                   # an open copy would keep the reader of our output from getting EOF
                os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            guard(reader)
        finally:
            os._exit(0)
    os.close(reader)
    os.close(gets_name)
    # Wait until the guardian has its name. If we ended before that, our own parent would take it for a process left behind.
    os.read(has_name, 1)
    os.close(has_name)
    not_ours.add(pid)


def guard(reader):
    """Read +PID when a program has started, and -PID when it has ended. At EOF, kill the programs that still run."""
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
    """Return the fields of /proc/PID/stat, beginning with the state. Return None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()     # the name before the last ) may contain any character
    except (FileNotFoundError, ProcessLookupError):
        return None


def ticks_in(fields):
    """Return the CPU time of a process, in clock ticks. fields: what stat_of returns."""
    return int(fields[11]) + int(fields[12])


def name_of(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")


def session_of(pid):
    fields = stat_of(pid)
    return fields and int(fields[3])


def state_of(pid):
    """Return the state of a process (R, S, D, T, Z, ...), or None if there is no such process."""
    fields = stat_of(pid)
    return fields and fields[0]


def descriptors(pid):
    """Return {descriptor: what it points to} for the file descriptors of a process."""
    folder = Path(f"/proc/{pid}/fd")
    found = {}
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):                   # closed since
            found[int(name)] = os.readlink(folder / name)
    return found


def parents():
    """Return {PID: its parent's PID} for all processes, including zombies."""
    stats = {int(name): stat_of(name) for name in os.listdir("/proc") if name.isdigit()}
    return {pid: int(fields[1]) for pid, fields in stats.items() if fields}


def children(pid):
    """Return the PIDs of a process's children, including zombies."""
    return [child for child, parent in parents().items() if parent == pid]


def running():
    """Return the Programs of the current test that have not been cleaned up with destroy()."""
    return [one for one in participants if isinstance(one, Program) and not one._destroyed]


def adopted_by_us():
    """Return the PIDs of our children that were not started as a Program. They are orphans, and may be zombies."""
    ours = {program.pid for program in running() if program.status is None}
    found = [pid for pid in own_children() if pid not in ours | not_ours]
    # A program that uses this harness too has its own guardian, which ends right after the program.
    return [pid for pid in found if name_of(pid) != GUARDIAN or not reap(pid, ORPHAN_TIMEOUT)]


def own_children():
    """Return the same as children(os.getpid()), from the kernel's own list if this kernel has one: this is faster.

    The list is exact only if the process reaps no child while the list is read, so it suits only this process
    (man 5 proc_tid_children).
    """
    try:
        lists = [Path(f"/proc/self/task/{tid}/children").read_text() for tid in os.listdir("/proc/self/task")]
    except FileNotFoundError:                      # the kernel has no such list, or a thread has just ended
        return children(os.getpid())
    return [int(pid) for one in lists for pid in one.split()]


def reap(pid, timeout):
    """Wait until a child has ended, and reap it. Return False if it does not end within `timeout` seconds."""
    pidfd = os.pidfd_open(pid)
    try:
        if not select.select([pidfd], [], [], timeout)[0]:
            return False
        os.waitpid(pid, 0)
        return True
    finally:
        os.close(pidfd)


def kill(pid):
    """Kill one of our children with SIGKILL, and reap it. A resource tracker may end by itself first."""
    if not (is_resource_tracker(pid) and reap(pid, ORPHAN_TIMEOUT)):
        os.kill(pid, signal.SIGKILL)
        # A process that another process traces cannot be reaped before that other process has ended (man 2 ptrace).
        deadline = time.monotonic() + ORPHAN_TIMEOUT
        while not os.waitpid(pid, os.WNOHANG)[0] and time.monotonic() < deadline:
            os.sched_yield()


def is_resource_tracker(pid):
    """Return whether a process is a resource tracker of multiprocessing.

    It removes the names in shared memory that the other processes of its program have left behind.
    """
    # For a moment, a process that begins to execute a program has no command line.
    deadline = time.monotonic() + 1
    while "no command line" in (text := describe(pid)) and state_of(pid) not in ("Z", None) and time.monotonic() < deadline:
        os.sched_yield()
    return "resource_tracker" in text


def gone(pid, timeout=TIMEOUT):
    """Wait until a process has ended, which need not be our child. Return False if it does not end in time."""
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
    """Return the CPU time that a program and its children have used, in clock ticks."""
    stats = [stat_of(server.pid), *filter(None, map(stat_of, server.children()))]      # a child may just have ended
    return sum(map(ticks_in, stats))


def unread(fd):
    """Return how many bytes can be read from fd now (FIONREAD, man 2 ioctl_tty)."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]


def assert_idle(server):
    """Check that a server only waits: it may use a tenth of a CPU. A busy loop would use at least a quarter of a CPU."""
    before = ticks(server)
    time.sleep(0.2)                                # in this time, the server must do nothing
    assert ticks(server) - before <= 0.1 * 0.2 * os.sysconf("SC_CLK_TCK")


def wait_until(condition, explain, timeout=TIMEOUT):
    """Call condition() again and again until it is true. Use it only if there is no event to wait for.

    explain: a function that returns the message of the failure.  timeout: seconds.
    """
    deadline, stillness, next_look = time.monotonic() + timeout, Stillness(), 0
    while not condition():
        assert time.monotonic() < deadline, explain()
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + 1
            if stillness.is_long():                # the condition may have become true while we looked
                assert condition(), f"{explain()} (and all programs only sleep or compute)"
                return
        select.select([], [], [], 0.001)


def receive(conn, count):
    """Receive `count` bytes, or all bytes that come before EOF."""
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
    """During a `with` block, send data again and again and receive the answers, as fast as possible."""
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
    """Return the names of our user's semaphores and shared memory segments that Python has created."""
    if not SHARED_MEMORY.is_dir():
        return set()
    with os.scandir(SHARED_MEMORY) as entries:
        found = set()
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.name.startswith(("psm_", "sem.mp-")) and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                    found.add(entry.name)
        return found


def in_use(names, pid="[0-9]*"):
    """Return those of these names in shared memory that lead to something that a process has mapped.

    pid: the process (default: any). The process that made a semaphore has mapped it under another name, but the inode is
    the same.
    """
    found, by_inode = set(), {}
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            by_inode[str((SHARED_MEMORY / name).stat().st_ino)] = name
    for maps in Path("/proc").glob(f"{pid}/maps") if by_inode else ():
        with contextlib.suppress(OSError):         # the process has ended, or belongs to another user
            inodes = re.findall(rf" (\d+) +{SHARED_MEMORY}/", maps.read_text())
            found.update(by_inode[inode] for inode in inodes if inode in by_inode)
    return found


def take_terminal():
    """Make standard input the terminal of the new session. The child calls this before it starts the program."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
