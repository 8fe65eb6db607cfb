"""What the server prints on its own terminal: which clients come, what they do, and the result.
服务器在自己的终端上显示的内容：哪些客户端来了、做了什么、结果如何

The sessions put their lines into a queue, and one thread prints them. So a terminal that is stopped
(Ctrl-S) or hangs makes only this thread wait, and no session.
各会话把要显示的行放进队列，由一个线程打印：终端被 Ctrl-S 暂停或卡死时，等待的只是这个线程。
"""
import contextlib
import os
import queue
import select
import sys
import threading

from ftpd.names import to_wire

# Lines that have not been printed yet. While the queue is full, further lines are dropped.
lines = queue.Queue(1000)
# The thread that prints, or None if nothing is shown.
printer = None


def start():
    """Show the lines from now on."""
    global printer
    printer = threading.Thread(target=print_lines, daemon=True)
    printer.start()


def say(text):
    """Show a line, if start() has been called. Never waits."""
    if printer:
        with contextlib.suppress(queue.Full):
            lines.put_nowait(clean(to_wire(text).decode()) + "\n")


def print_lines():
    """Print the lines of the queue until finish() ends this thread."""
    fd = sys.stdout.fileno()
    for line in iter(lines.get, None):
        # The terminal's encoding may lack characters that occur in the names of files.
        data = line.encode(sys.stdout.encoding, "replace")
        # OSError: the terminal is closed. (print would hold a lock that Python needs at its exit.)
        with contextlib.suppress(OSError):
            while data:
                select.select([], [fd], [])
                data = data[os.write(fd, data):]


def finish():
    """Wait until all lines are printed, but at most a second."""
    if printer:
        with contextlib.suppress(queue.Full):
            lines.put_nowait(None)
            printer.join(1)


def clean(text):
    """Replace control characters: text from a client must not control the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def address_text(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
