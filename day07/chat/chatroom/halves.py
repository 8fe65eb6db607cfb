"""Two forked halves that end together, and a line that the child hands to the parent.
fork 出来的两个进程同生共死；子进程把一行文字交给父进程

One process waits for the keyboard, the other for the network. Whatever ends one must end both:

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
RING_AGAIN = 0.1                # seconds
MAX_LINE = 10_000               # characters; the rest is cut off


# Windows lacks most of these signals. They are named in functions only, so that the programs can
# still be imported there and say what they need.
def ending_signals():
    """The signals that end both halves: Ctrl-C, kill, and a terminal that closes."""
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def held_signals():
    return *ending_signals(), signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1


def hold_signals():
    """Make signals wait. Called before the fork: neither half is ready for one yet."""
    signal.pthread_sigmask(signal.SIG_BLOCK, held_signals())


def release_signals():
    """Let them come: this half has said what each means to it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, held_signals())


def handle(signum, handler):
    """Set a handler, unless the signal is ignored on purpose, as nohup does with SIGHUP."""
    if signal.getsignal(signum) is not signal.SIG_IGN:
        signal.signal(signum, handler)


def every(seconds, function):
    """Call a function again and again, whatever this process waits for (SIGALRM)."""
    signal.signal(signal.SIGALRM, lambda signum, frame: function())
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def become_child(parent):
    """In the child, after the fork: leave the terminal's signals to the parent, and die with it.

    parent: its PID.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    handle(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before the prctl, which then came too late.
    if os.getppid() != parent:
        os._exit(1)
    release_signals()


class Parent:
    """The parent, after the fork: it decides when both halves end.

    name: of the command, for error messages.  child: its PID.  goodbye: called before they end.
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
        """SIGCHLD: the child has ended; or it was only stopped or continued."""
        if self.ending:
            return
        change = os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if change and change.si_code == os.CLD_EXITED:
            self.end(change.si_status)
        elif change:
            self.end(1, "its other half was killed · 另一个进程被杀死了")

    def end(self, status, problem=None):
        """End both halves. It does not return.

        A signal's handler calls this, so it may begin between any two steps of the program. An
        exception thrown from there might be caught by an `except` that happens to be around;
        os._exit cannot be. 信号随时可能到来，所以在处理函数里直接结束，而不是抛出异常。
        """
        # A second Ctrl-C, in the middle of this.
        if self.ending:
            return
        self.ending = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        # Not SIGTERM, because the child may be stopped. If it is dead already, this does nothing.
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        self.goodbye()
        if problem and sys.stderr is not None:
            with contextlib.suppress(OSError):
                os.write(2, f"{self.name}: {problem}\n".encode())
        os._exit(status)


class Handover:
    """Lines from the child to the parent, which is busy waiting for the keyboard.

    The child puts a line into its end of a socket pair and rings (SIGUSR1). This interrupts the
    parent: it takes the line, shows it, and answers. A signal that comes a moment before the parent
    begins to wait does not interrupt the wait, so the child rings again until it has the answer.
    没有得到应答就再发一次信号。
    """

    def __init__(self):
        self.for_parent, self.for_child = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.for_child.settimeout(RING_AGAIN)

    def give(self, line, parent):
        """In the child: return when the parent has shown the line.  parent: its PID."""
        self.for_child.send(line[:MAX_LINE].encode())
        answer = b""
        while not answer:
            os.kill(parent, signal.SIGUSR1)
            with contextlib.suppress(TimeoutError):
                answer = self.for_child.recv(1)

    def take(self, show):
        """In the parent: call show(line), if there is a line, and then tell the child."""
        try:
            # In UTF-8, a character takes at most four bytes.
            line = self.for_parent.recv(4 * MAX_LINE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            # It has rung twice for one line.
            return
        show(line.decode())
        self.for_parent.send(b"!")
