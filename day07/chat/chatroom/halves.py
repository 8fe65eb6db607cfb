"""Two processes that end together, and how the child hands a line to the parent.
fork 出来的两个进程同生共死；子进程把一行文字交给父进程

The two processes are the halves of one program: one waits for the keyboard, the other for the
network. When one half ends, the other must end too:

    what happens                    the parent                      the child
    Ctrl-C; the terminal closes     ends both                       ignores it: the parent decides
      (both get SIGINT, SIGHUP)
    kill PARENT (SIGTERM)           ends both                       -
    the child ends, or is killed    SIGCHLD: ends too               -
    the parent is killed (kill -9)  -                               PR_SET_PDEATHSIG: the kernel
                                                                    kills it
"""
import contextlib
import ctypes
import os
import signal
import socket
import sys

PR_SET_PDEATHSIG = 1            # from <sys/prctl.h>
SIGNAL_AGAIN = 0.1              # seconds to wait for an answer before the child repeats its signal
MAX_LINE = 10_000               # characters; the rest of a longer line is cut off


# Windows lacks most of these signals. Signals are named only inside functions, so that the programs
# can start on Windows and print a message that says what is missing.
def ending_signals():
    """Return the signals of Ctrl-C, kill and a closing terminal, which end both halves."""
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def held_signals():
    return *ending_signals(), signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1


def hold_signals():
    """Block the signals that the halves handle (all but SIGCONT). Call this before the fork."""
    signal.pthread_sigmask(signal.SIG_BLOCK, held_signals())


def release_signals():
    """Unblock the signals again. Each half calls this when it has set its handlers."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, held_signals())


def handle(signum, handler):
    """Set a signal's handler, unless the signal is ignored (nohup makes us ignore SIGHUP)."""
    if signal.getsignal(signum) is not signal.SIG_IGN:
        signal.signal(signum, handler)


def every(seconds, function):
    """Use SIGALRM to call function() again and again, even while the process is waiting.

    seconds: interval between two calls.  While a call lasts, perhaps because it waits for a
    terminal, no other call begins: the calls that are due meanwhile are left out.
    """
    in_call = False

    def call(signum, frame):
        nonlocal in_call
        if not in_call:
            in_call = True
            try:
                function()
            finally:
                in_call = False

    signal.signal(signal.SIGALRM, call)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def has_prctl():
    """Return True if the system has prctl, which become_child calls."""
    return hasattr(ctypes.CDLL(None), "prctl")


def become_child(parent):
    """Make this process end when its parent ends. Call this in the child after the fork.

    The child ignores the terminal's signals, because the parent handles them.
    parent: the parent's PID.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    handle(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before prctl was called. 父进程可能在 prctl 之前就已经结束。
    if os.getppid() != parent:
        os._exit(1)
    release_signals()


class Parent:
    """The parent half: it ends both halves when a signal arrives or the child ends.

    name: the program's name, for error messages.  child: the child's PID.
    goodbye: a function that is called when the child has ended, before the parent exits.
    """

    def __init__(self, name, child, goodbye):
        self.name = name
        self.child = child
        self.goodbye = goodbye
        self.ending = False
        for signum in ending_signals():
            handle(signum, self.end_on_signal)
        signal.signal(signal.SIGCHLD, self.child_changed)

    def end_on_signal(self, signum, frame):
        self.end(0)

    def child_changed(self, signum, frame):
        """Handle SIGCHLD: end if the child has ended, but not if the child was only stopped."""
        if self.ending:
            return
        change = os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if change and change.si_code == os.CLD_EXITED:
            self.end(change.si_status)
        elif change:
            self.end(1, "the other process was killed · 另一个进程被杀死了")

    def end(self, status, problem=None):
        """Kill the child, call goodbye() and exit with this status.

        problem: an error message to print, or None.
        Signal handlers call this method, so it can run between any two instructions of the
        program. An `except` around the interrupted code might catch an exception raised here, but
        os._exit cannot be caught. 信号随时可能到来，所以在处理函数里直接结束，而不是抛出异常。
        """
        # A second signal, such as another Ctrl-C, interrupted the first call: let that call finish.
        if self.ending:
            return
        self.ending = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        # A stopped child would not react to SIGTERM. If the child has already ended, SIGKILL has no
        # effect.
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        self.goodbye()
        if problem and sys.stderr is not None:
            with contextlib.suppress(OSError):
                os.write(2, f"{self.name}: {problem}\n".encode())
        os._exit(status)


class Handover:
    """Hands lines from the child to the parent, which is waiting for the keyboard.

    The child writes a line to its end of a socket pair and sends SIGUSR1. The signal interrupts the
    parent, which takes the line, shows it and answers. A signal that comes just before the parent
    begins to wait does not interrupt the wait, so the child repeats the signal until it gets the
    answer. 没有得到应答就再发一次信号。
    """

    def __init__(self):
        self.for_parent, self.for_child = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.for_child.settimeout(SIGNAL_AGAIN)

    def give(self, line, parent):
        """In the child: hand a line to the parent, and return when the parent has shown the line.

        parent: the parent's PID.
        """
        self.for_child.send(line[:MAX_LINE].encode())
        answer = b""
        while not answer:
            os.kill(parent, signal.SIGUSR1)
            with contextlib.suppress(TimeoutError):
                answer = self.for_child.recv(1)

    def take(self, show):
        """In the parent: if the child has sent a line, call show(line) and answer the child."""
        try:
            # In UTF-8, a character takes at most four bytes.
            line = self.for_parent.recv(4 * MAX_LINE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            # The child repeated its signal, but this method has already taken the line.
            return
        show(line.decode())
        self.for_parent.send(b"!")
