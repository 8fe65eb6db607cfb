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

# Seconds after the server was told to stop: then we no longer wait for the reader of the log, and
# a worker that has not ended is killed.
GRACE = 3


class AccessLog:
    """Collects the lines of one turn of the loop, and writes them with as few calls as possible.

    stream: the value of sys.stderr when the server is created.
    give_up_at: None, until a shutdown comes while the log waits for its reader; then the time, in
    time.monotonic(), at which the log stops waiting.
    """

    def __init__(self, stream):
        self.lines = []
        self.give_up_at = None
        self.stamp = ""
        self.stream = stream
        # Copy the descriptor: if number 2 is closed later, a client's socket may get this number.
        # Only the real stderr has one: the program may have replaced sys.stderr by any object.
        # 自己复制一个描述符：2 号若被关闭，可能很快变成某个客户端的套接字。
        self.fd = os.dup(stream.fileno()) if stream is sys.__stderr__ else None
        self.ready = select.poll()
        if self.fd is not None:
            self.ready.register(self.fd, select.POLLOUT)

    def watch(self, reader):
        """Once this socket can be read, do not wait much longer for the reader of the log."""
        self.ready.register(reader, select.POLLIN)

    def set_time(self, now):
        """Set the time of the next lines. now: seconds since 1970."""
        self.stamp = time.strftime("%d/%b/%Y:%H:%M:%S %z", time.localtime(now))

    def add(self, client, line, status, size):
        """Add a line. client: an address.  line: the request line.  size: bytes of the body."""
        self.lines.append(f"{client} - - [{self.stamp}] {entry(line, status, size)}")

    def flush(self):
        """Write the collected lines. If that fails, the server continues to serve."""
        if not self.lines:
            return
        text = "".join(self.lines)
        self.lines.clear()
        # The pipe or the stream may be closed, or the disk full: the server goes on serving.
        with contextlib.suppress(Exception):
            if self.fd is None:
                self.stream.write(text)
                self.stream.flush()
            else:
                self.write(text.encode())

    def write(self, data):
        """Write bytes to the real stderr, in complete lines. Raises OSError."""
        while data and self.wait_until_writable():
            # The kernel writes up to PIPE_BUF bytes in one piece, so that no line of another worker
            # comes in between (man 7 pipe). A line that is longer than that is written alone.
            end = data.rfind(b"\n", 0, select.PIPE_BUF) + 1 or data.find(b"\n") + 1
            # BlockingIOError: another process has made the pipe non-blocking, and the pipe is full.
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self.fd, data[:end]):]

    def wait_until_writable(self):
        """Wait until the log can be written; return False if the reader has not read in time.

        No line may be lost, so there is no limit until the server stops; then GRACE seconds in all.
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
        """Close our descriptor. Later lines are ignored."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = self.stream = None


def open_log():
    """Return an AccessLog for the current sys.stderr, or None if it cannot be written."""
    # It may already be closed, as a descriptor or as an object.
    with contextlib.suppress(OSError, ValueError):
        return AccessLog(sys.stderr) if sys.stderr else None


@functools.lru_cache(maxsize=512)
def entry(line, status, size):
    """Return what the log says about a request, after the client and the time."""
    # What a client sends must not forge a line of the log, nor move the cursor of a terminal.
    line = re.sub(r'[^ !#-\[\]-~]', lambda found: f"\\x{ord(found[0]):02x}", line)
    return f'"{line}" {status} {size or "-"}\n'
