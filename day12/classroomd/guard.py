"""The guardian of a run: starts the script, and later ends all processes of the run.
一次运行的监护进程：启动脚本；该结束时，把脚本和它的所有后代一起结束。

The guardian is a process between the classroom and the script, for two reasons:

- When a process ends, init normally adopts its children, and the classroom could no longer find
  these orphans. So the guardian becomes a subreaper, and the kernel makes the guardian the new
  parent of all orphans of the run (PR_SET_CHILD_SUBREAPER, man 2 prctl).
- If kill -9 ends the classroom, the classroom cannot tidy up. But the kernel closes the pipe from
  the classroom to the guardian's standard input, so the guardian reads EOF and ends the run.

Run:    python -c "from classroomd.guard import main; main()" FOLDER STDIN STDOUT STDERR COMMAND ...

STDIN, STDOUT and STDERR are descriptor numbers, for the script's standard streams. The script
starts in FOLDER; "-" means a temporary folder. The guardian's standard output is a pipe to the
classroom: the guardian writes a line such as "pid 12" when the script has started, and one such as
"status 0" when the script has ended.
"""
import contextlib
import ctypes
import os
import select
import signal
import sys
import time

from classroomd.processes import command_line, descendants

# From <sys/prctl.h>.
PR_SET_CHILD_SUBREAPER = 36
# GRACE: seconds within which a script must end after Ctrl-C. ORPHANS: seconds that orphans may
# continue after the script has ended.
GRACE, ORPHANS = 1, 10
# Two descriptors of the guardian. EOF on LEASH means that the run must end.
LEASH, REPORT = 0, 1


def main():
    folder, *numbers = sys.argv[1:5]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    child_ended = wake_on(signal.SIGCHLD)
    with standing_in(folder):
        script = start(sys.argv[5:], [int(number) for number in numbers])
        watch(script, child_ended)
        end_descendants(script, child_ended)


@contextlib.contextmanager
def standing_in(folder):
    """Work in a folder during a with block; "-" means a temporary folder, removed afterwards."""
    if folder != "-":
        os.chdir(folder)
        yield
        return
    # This import is here because it is slow and rarely needed.
    import tempfile
    with tempfile.TemporaryDirectory(prefix="classroom-", ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        yield
        os.chdir("/")


def wake_on(signum):
    """Return a descriptor that becomes readable when the signal arrives (self-pipe)."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.signal(signum, lambda signum, frame: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def start(command, fds):
    """Start the script in a new process group, as a shell does, and return the script's PID."""
    actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(fds)]
    actions += [(os.POSIX_SPAWN_CLOSE, fd) for fd in fds]
    usual = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE}
    script = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setpgroup=0,
                            setsigdef=usual)
    for fd in set(fds):
        os.close(fd)
    tell(f"pid {script}")
    return script


def tell(line):
    """Send a line to the classroom, if the classroom is still running."""
    with contextlib.suppress(OSError):
        os.write(REPORT, f"{line}\n".encode())


def watch(script, child_ended):
    """Wait until no descendant is left, or until the remaining descendants must be ended."""
    deadline = float("inf")
    while True:
        rest = deadline - time.monotonic()
        ready = select.select([LEASH, child_ended], [], [], min(3600, max(0, rest)))[0]
        if LEASH in ready or rest <= 0:
            return
        for pid, status in reap(child_ended):
            if pid == script:
                tell(f"status {os.waitstatus_to_exitcode(status)}")
                # Some scripts leave behind a process that prints something and then ends.
                deadline = time.monotonic() + ORPHANS
        if not has_children():
            return


def reap(child_ended):
    """Reap the ended children, including adopted orphans, and yield (PID, status) of each."""
    with contextlib.suppress(BlockingIOError):
        os.read(child_ended, 4096)
    while has_children() and (ended := os.waitpid(-1, os.WNOHANG))[0]:
        yield ended


def has_children():
    """Return whether we have any children, running or zombies."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return True
    except ChildProcessError:
        return False


def end_descendants(script, child_ended):
    """Send Ctrl-C to the script, so that it can tidy up; after GRACE seconds, kill what is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(script, signal.SIGINT)
    deadline, now = time.monotonic() + GRACE, 0
    while has_children():
        if now >= deadline:
            kill(descendants(os.getpid()), spares_tracker=now < deadline + GRACE)
        select.select([child_ended], [], [], 0.05)
        for pid, status in reap(child_ended):
            if pid == script:
                tell(f"status {os.waitstatus_to_exitcode(status)}")
        now = time.monotonic()


def kill(stats, spares_tracker):
    """Kill processes. spares_tracker: whether to spare multiprocessing's resource tracker, which
    removes the semaphores that the killed processes leave behind."""
    for stat in stats:
        if not (spares_tracker and "resource_tracker" in " ".join(command_line(stat.pid))):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(stat.pid, signal.SIGKILL)
