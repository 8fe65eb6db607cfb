"""Two forked processes that end together, and a line that the child hands to the parent.
fork 出来的两个进程同生共死；子进程把一行文字交给父进程

One half waits for the keyboard, the other for the network. Whatever ends one must end both:

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
SIGNAL_AGAIN = 0.1              # seconds without an answer until the child repeats its signal
MAX_LINE = 10_000               # characters; the rest is cut off


# Windows lacks most of these signals. They are named inside functions only, so that the programs
# can still start there, and say what they need.
def ending_signals():
    """The signals that end both halves: Ctrl-C, kill, and a terminal that closes."""
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def held_signals():
    return *ending_signals(), signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1


def hold_signals():
    """Block the signals. Call this before the fork: neither half can handle them yet."""
    signal.pthread_sigmask(signal.SIG_BLOCK, held_signals())


def release_signals():
    """Unblock the signals. Call this when the half has set its handlers."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, held_signals())


def handle(signum, handler):
    """Set a handler, unless the signal was ignored on purpose, as nohup ignores SIGHUP."""
    if signal.getsignal(signum) is not signal.SIG_IGN:
        signal.signal(signum, handler)


def every(seconds, function):
    """Call function() at this interval, even while the process waits for something (SIGALRM)."""
    signal.signal(signal.SIGALRM, lambda signum, frame: function())
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def has_prctl():
    """Whether the system has prctl: with it, a child asks to be killed when its parent ends."""
    return hasattr(ctypes.CDLL(None), "prctl")


def become_child(parent):
    """In the child, after the fork: leave the terminal's signals to the parent, and end with it.

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
    """The parent, after the fork: it decides when both halves end.

    name: the command's, for error messages.  child: its PID.  goodbye: called before both end.
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
        """Handle SIGCHLD: the child has ended, or it was only stopped or continued."""
        if self.ending:
            return
        change = os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if change and change.si_code == os.CLD_EXITED:
            self.end(change.si_status)
        elif change:
            self.end(1, "its other half was killed · 另一个进程被杀死了")

    def end(self, status, problem=None):
        """End both halves, and do not return.

        Signal handlers call this, so it may run between any two steps of the program. If it raised
        an exception, an `except` around the interrupted step might catch it; os._exit cannot be
        caught. 信号随时可能到来，所以在处理函数里直接结束，而不是抛出异常。
        """
        # A second Ctrl-C has interrupted this function.
        if self.ending:
            return
        self.ending = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        # Not SIGTERM: a stopped child would not react to it. Killing a zombie does nothing.
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
        """In the child: hand over a line; return when the parent (a PID) has shown it."""
        self.for_child.send(line[:MAX_LINE].encode())
        answer = b""
        while not answer:
            os.kill(parent, signal.SIGUSR1)
            with contextlib.suppress(TimeoutError):
                answer = self.for_child.recv(1)

    def take(self, show):
        """In the parent: if there is a line, call show(line), then answer the child."""
        try:
            # In UTF-8, a character takes at most four bytes.
            line = self.for_parent.recv(4 * MAX_LINE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            # The child sent the signal twice for one line.
            return
        show(line.decode())
        self.for_parent.send(b"!")
