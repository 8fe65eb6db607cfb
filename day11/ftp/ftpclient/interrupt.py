"""Ctrl-C on a terminal cancels the current transfer, and the session goes on.
终端上的 Ctrl-C：取消正在进行的传输，会话继续
"""
import contextlib

from ftpclient.errors import Failed


class Cancelled(Failed):
    """The user cancelled a transfer."""


class Interrupt:
    """Decides what Ctrl-C does now. The SIGINT handler of ftp_client.py calls press().

    Ctrl-C must not interrupt a command before its reply has arrived: the next command would mistake
    that reply for its own. So press() only records the Ctrl-C, and the transfer is cancelled as
    soon as the data connection is in use.
    """

    def __init__(self):
        self.in_transfer = self.pressed = self.may_interrupt = self.ignored = False

    def press(self):
        """Handle Ctrl-C. Raises Cancelled to end a transfer; returns False to end the client."""
        if self.ignored:
            return True
        # A second Ctrl-C ends the client, because the server might never answer.
        if not self.in_transfer or self.pressed:
            return False
        self.pressed = True
        self.check()
        return True

    def check(self):
        """Raise Cancelled if Ctrl-C was pressed and the transfer can be interrupted now."""
        if self.pressed and self.may_interrupt:
            self.may_interrupt = False
            raise Cancelled("cancelled")

    @contextlib.contextmanager
    def transfer(self):
        """In the `with` block (a transfer and its commands), Ctrl-C ends only the transfer."""
        self.in_transfer, self.pressed = True, False
        try:
            yield
        finally:
            self.in_transfer = False

    @contextlib.contextmanager
    def data(self):
        """In the `with` block (the transfer of data), Ctrl-C interrupts even a waiting recv."""
        self.may_interrupt = True
        try:
            self.check()
            yield
        finally:
            self.may_interrupt = False

    @contextlib.contextmanager
    def ignore(self):
        """In the `with` block, ignore Ctrl-C."""
        self.ignored = True
        try:
            yield
        finally:
            self.ignored = False


# There is one terminal, so one object is enough.
ctrl_c = Interrupt()
