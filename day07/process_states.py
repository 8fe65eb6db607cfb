"""The textbook's process states beside a live gallery of Linux's own, R, S, D, T and Z, read from /proc.
进程理论基础 · 进程状态（三态，五态）

Run:    python day07/process_states.py

Output:
    three states:  ready <-> running,  running -> waiting -> ready
    five states:   new -> ready <-> running -> terminated,  running -> waiting -> ready

    textbook        a process that ...                  /proc says
    ready, running  computes without a pause            R (running)
    waiting         reads from an empty socket          S (sleeping)
    waiting         waits for a vfork, uninterruptibly  D (disk sleep)
    (stopped)       was sent SIGSTOP                    T (stopped)
    terminated      has ended, nobody has waited        Z (zombie)
"""
import ctypes
import os
import signal
import socket
import tempfile
import time

PR_SET_PDEATHSIG = 1                               # from <sys/prctl.h>


def main():
    print("three states:  ready <-> running,  running -> waiting -> ready")
    print("five states:   new -> ready <-> running -> terminated,  running -> waiting -> ready")
    print()
    print("textbook        a process that ...                  /proc says")
    # One letter for both: Linux says R from the moment a process could run, with a CPU or in the queue for one.
    exhibit("ready, running", "computes without a pause", "R (running)", compute)
    exhibit("waiting", "reads from an empty socket", "S (sleeping)", read)
    with tempfile.TemporaryDirectory() as folder:
        fifo, begun = os.path.join(folder, "fifo"), os.path.join(folder, "begun")
        os.mkfifo(fifo)
        exhibit("waiting", "waits for a vfork, uninterruptibly", "D (disk sleep)",
                lambda line: vfork(line, fifo, begun), lambda: os.path.exists(begun))
    exhibit("(stopped)", "was sent SIGSTOP", "T (stopped)", stop)
    exhibit("terminated", "has ended, nobody has waited", "Z (zombie)", lambda line: None)


def exhibit(textbook, what, expected, live, arrived=lambda: True):
    """Fork a child that calls live(line), wait until /proc shows the expected state, then end the child.

    line is a socket that meets its end of file when the exhibition is over, or when the parent has died. arrived() says
    whether the child is where the state means what we say; before that, it may be in any state for a moment.
    """
    ours, theirs = socket.socketpair()
    print(end="", flush=True)
    # A Ctrl-C, or the end of the terminal, is for us. The children keep all signals blocked, and end when we do.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    pid = os.fork()
    if pid == 0:
        ours.close()
        live(theirs)
        os._exit(0)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        state = None
        deadline = time.monotonic() + 10
        while state != expected and time.monotonic() < deadline:
            os.sched_yield()                       # the child is on its way into the state
            if arrived():
                state = state_of(pid)
        print(f"{textbook:14}  {what:34}  {state}")
        assert state == expected
    finally:
        ours.close()
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            os.kill(pid, signal.SIGCONT)           # for the one that is stopped, or about to; the others take no notice
            os.sched_yield()


def state_of(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("State:"):
                return line.removeprefix("State:").strip()


def compute(line):
    line.setblocking(False)
    while True:
        try:
            line.recv(1)
            return
        except BlockingIOError:                    # nothing to read: compute on
            sum(range(1000))


def read(line):
    line.recv(1)


def stop(line):
    # A stopped process cannot notice that its parent has died, so let the kernel kill it then.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        line.recv(1, socket.MSG_DONTWAIT)          # end of file: it has died already
    except BlockingIOError:
        os.kill(os.getpid(), signal.SIGSTOP)


def vfork(line, fifo, begun):
    """After a vfork the parent sleeps, deaf to signals, until the new process runs a program of its own.

    Here the new process must first make a file, and then open a FIFO, which takes until somebody opens the other end.
    """
    opener = os.fork()
    if opener == 0:
        line.recv(1)                               # when the exhibition is over, let the other two go on
        os.close(os.open(fifo, os.O_WRONLY))
        os._exit(0)
    spawned = os.posix_spawnp("true", ["true"], {}, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, begun, os.O_WRONLY | os.O_CREAT, 0o600),
        (os.POSIX_SPAWN_OPEN, 0, fifo, os.O_RDONLY, 0)])
    os.waitpid(spawned, 0)
    os.waitpid(opener, 0)


if __name__ == "__main__":
    main()
