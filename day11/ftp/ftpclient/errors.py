"""Three kinds of errors: on this machine, in the reply to a command, on the connection.
三类错误：本机的错误、服务器拒绝命令、连接断开
"""
import contextlib
import ftplib

from ftpclient.screen import clean, from_wire

# What ftplib raises if the server refuses a command (reply 4xx or 5xx); the session goes on.
REFUSED = (ftplib.error_temp, ftplib.error_perm)
# All exceptions that a broken connection or a faulty server can cause.
LOST = (*ftplib.all_errors, ValueError, OverflowError)


class Failed(Exception):
    """A command failed; the text of the exception says why. The session goes on."""


@contextlib.contextmanager
def local():
    """Turn an error in the `with` block, such as a full disk, into Failed."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Failed(reason(error)) from None


def reason(error):
    """Return a description of an exception, in one line."""
    if isinstance(error, EOFError):
        return "the server closed the connection"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, ftplib.Error):
        text = from_wire(text.split("\n")[-1])
    return clean(text)
