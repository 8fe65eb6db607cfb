"""Ctrl-C on a terminal: it cancels the transfer that is under way, and the session goes on.
终端上的 Ctrl-C：取消正在进行的传输，会话继续
"""
import contextlib

from ftpclient.errors import Failed


class Cancelled(Failed):
    """The user has cancelled a transfer."""


class Interrupt:
    """What Ctrl-C means at the moment. ftp_client.py's handler of SIGINT calls press().

    Between a command and its reply it may not break in: the next command would take that reply for
    its own. So it is noted, and cancels the transfer as soon as data are on the way.
    """

    def __init__(self):
        self.in_transfer = self.pressed = self.at_once = self.ignored = False

    def press(self):
        """Ctrl-C. Returns False if the client should end. Raises Cancelled."""
        if self.ignored:
            return True
        # The second one ends the client: the server may never answer.
        if not self.in_transfer or self.pressed:
            return False
        self.pressed = True
        self.check()
        return True

    def check(self):
        if self.pressed and self.at_once:
            self.at_once = False
            raise Cancelled("cancelled")

    @contextlib.contextmanager
    def transfer(self):
        """A transfer with all that belongs to it: Ctrl-C does not end the client."""
        self.in_transfer, self.pressed = True, False
        try:
            yield
        finally:
            self.in_transfer = False

    @contextlib.contextmanager
    def data(self):
        """While data are on the way, Ctrl-C breaks in at once, also into a recv that waits."""
        self.at_once = True
        try:
            self.check()
            yield
        finally:
            self.at_once = False

    @contextlib.contextmanager
    def ignore(self):
        self.ignored = True
        try:
            yield
        finally:
            self.ignored = False


# There is one terminal, so there is one of these.
ctrl_c = Interrupt()
