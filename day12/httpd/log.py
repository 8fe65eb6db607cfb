"""The access log: a line for each request, in the common log format, on stderr.
访问日志：每个请求一行，通用日志格式（common log format），写到 stderr。
"""
import contextlib
import functools
import os
import re
import select
import sys
import time

# Seconds in which the last lines must be taken, and a worker must end, once the server stops.
GRACE = 3


class AccessLog:
    """Collects the lines of one turn of the loop, and writes them with as few calls as possible.

    stream: what sys.stderr is when the server is made.
    give_up_at: the time, in time.monotonic(), until which a reader is waited for once it has been
    seen while waiting that the server shall stop; None before.
    """

    def __init__(self, stream):
        self.lines = []
        self.give_up_at = None
        self.stamp = ""
        self.stream = stream
        # A descriptor of our own: if number 2 is closed later, it may soon be a client's socket.
        # Only for the real stderr, because the program may have put any object in its place.
        # 自己复制一个描述符：2 号若被关闭，可能很快变成某个客户端的套接字。
        self.fd = os.dup(stream.fileno()) if stream is sys.__stderr__ else None
        self.ready = select.poll()
        if self.fd is not None:
            self.ready.register(self.fd, select.POLLOUT)

    def watch(self, reader):
        """Stop waiting for a reader of the log once this socket can be read."""
        self.ready.register(reader, select.POLLIN)

    def set_time(self, now):
        """now: seconds since 1970, of the lines to come."""
        self.stamp = time.strftime("%d/%b/%Y:%H:%M:%S %z", time.localtime(now))

    def add(self, client, line, status, size):
        """client: its address.  line: the request line.  size: bytes of the body."""
        self.lines.append(f"{client} - - [{self.stamp}] {entry(line, status, size)}")

    def flush(self):
        """Write what has been collected. Where that fails, pages go out all the same."""
        if not self.lines:
            return
        text = "".join(self.lines)
        self.lines.clear()
        # The pipe or the stream is closed, the disk is full: whatever it is, the server goes on.
        with contextlib.suppress(Exception):
            if self.fd is None:
                self.stream.write(text)
                self.stream.flush()
            else:
                self.write(text.encode())

    def write(self, data):
        """Write bytes to the real stderr, in whole lines. Raises OSError."""
        while data and self.wait_until_writable():
            # At most PIPE_BUF bytes: so many are written at once, without lines of other workers in
            # between (man 7 pipe).
            end = data.rfind(b"\n", 0, select.PIPE_BUF) + 1 or data.find(b"\n") + 1
            # Another process has made it non-blocking, and another worker has filled it.
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self.fd, data[:end]):]

    def wait_until_writable(self):
        """Return whether a line can be written. No line shall be lost, so wait for a reader.

        Once the server stops, it waits GRACE seconds in all.
        """
        # poll, because select cannot watch descriptors from 1024 on (day 11).
        if any(fd == self.fd for fd, event in self.ready.poll()):
            return True
        if self.give_up_at is None:
            self.give_up_at = time.monotonic() + GRACE
        writable = select.poll()
        writable.register(self.fd, select.POLLOUT)
        return bool(writable.poll(max(0, self.give_up_at - time.monotonic()) * 1000))

    def close(self):
        """Give up the descriptor. More lines are ignored."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = self.stream = None


def open_log():
    """Return the AccessLog for what sys.stderr is now, or None if there is none to write to."""
    # It may be closed already, as a descriptor or as an object.
    with contextlib.suppress(OSError, ValueError):
        return AccessLog(sys.stderr) if sys.stderr else None


@functools.lru_cache(maxsize=512)
def entry(line, status, size):
    """What the log says about a request, behind the client and the time."""
    # What a client sends must not look like a line of its own, nor move the cursor of a terminal.
    line = re.sub(r'[^ !#-\[\]-~]', lambda found: f"\\x{ord(found[0]):02x}", line)
    return f'"{line}" {status} {size or "-"}\n'
