"""Ctrl-C on a terminal cancels the current transfer, and the session goes on.
终端上的 Ctrl-C：取消正在进行的传输，会话继续
"""
import contextlib

from ftpclient.errors import Failed


class Cancelled(Failed):
    """The user cancelled a transfer."""


class Interrupt:
    """What Ctrl-C does at the moment. The SIGINT handler of ftp_client.py calls press().

    Ctrl-C must not interrupt a command before its reply has arrived: the next command would take
    that reply for its own. So press() only remembers it, and the transfer is cancelled as soon as
    the data connection is in use.
    """

    def __init__(self):
        self.in_transfer = self.pressed = self.may_interrupt = self.ignored = False

    def press(self):
        """Handle Ctrl-C. Return False if the client should exit. Raises Cancelled."""
        if self.ignored:
            return True
        # A second Ctrl-C ends the client: the server may never answer.
        if not self.in_transfer or self.pressed:
            return False
        self.pressed = True
        self.check()
        return True

    def check(self):
        """Raise Cancelled if Ctrl-C was pressed and may interrupt now."""
        if self.pressed and self.may_interrupt:
            self.may_interrupt = False
            raise Cancelled("cancelled")

    @contextlib.contextmanager
    def transfer(self):
        """A whole transfer, with its commands and replies: Ctrl-C does not end the client."""
        self.in_transfer, self.pressed = True, False
        try:
            yield
        finally:
            self.in_transfer = False

    @contextlib.contextmanager
    def data(self):
        """While data is transferred, Ctrl-C interrupts immediately, even a recv that waits."""
        self.may_interrupt = True
        try:
            self.check()
            yield
        finally:
            self.may_interrupt = False

    @contextlib.contextmanager
    def ignore(self):
        self.ignored = True
        try:
            yield
        finally:
            self.ignored = False


# One terminal, so one object.
ctrl_c = Interrupt()
