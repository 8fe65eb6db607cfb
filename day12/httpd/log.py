"""Write the access log: a line for each request, in the common log format, on stderr.
访问日志：每个请求一行，通用日志格式（common log format），写到 stderr。
"""
import contextlib
import functools
import os
import re
import select
import sys
import time

# The server may take this many seconds to stop. After this time, a worker no longer waits for the
# log's reader (the program or the terminal that receives stderr), and the parent kills each worker
# that has not ended.
GRACE = 3


class AccessLog:
    """Collects the lines of one turn of the loop, and writes them with as few calls as possible.

    stream: the value of sys.stderr when the server is created.
    give_up_at: the value of time.monotonic() at which the log stops waiting for its reader. It is
    set when a shutdown is requested while the log is waiting; until then, it is None.
    """

    def __init__(self, stream):
        self.lines = []
        # The rest of a line of which the disk, before it was full, took only the beginning.
        self.rest = b""
        self.give_up_at = None
        self.stamp = ""
        self.stream = stream
        # Copy the descriptor: if number 2 is closed later, a client's socket may get this number.
        # If the program has replaced sys.stderr, the new object may have no descriptor.
        # 自己复制一个描述符：2 号若被关闭，可能很快变成某个客户端的套接字。
        self.fd = os.dup(stream.fileno()) if stream is sys.__stderr__ else None
        self.ready = select.poll()
        if self.fd is not None:
            self.ready.register(self.fd, select.POLLOUT)

    def watch(self, reader):
        """Watch a socket. Once it is readable, wait at most GRACE seconds for the log's reader."""
        self.ready.register(reader, select.POLLIN)

    def set_time(self, now):
        """Set the time that the next lines show. now: seconds since 1970."""
        self.stamp = time.strftime("%d/%b/%Y:%H:%M:%S %z", time.localtime(now))

    def add(self, client, line, status, size):
        """Log a request. client: an address.  line: the request line.  size: bytes of the body."""
        self.lines.append(f"{client} - - [{self.stamp}] {entry(line, status, size)}")

    def flush(self):
        """Write the collected lines to stderr. Errors are ignored."""
        if not self.lines:
            return
        text = "".join(self.lines)
        self.lines.clear()
        # The pipe or the stream may be closed, or the disk may be full. The server must go on.
        with contextlib.suppress(Exception):
            if self.fd is None:
                self.stream.write(text)
                self.stream.flush()
            else:
                self.write(text.encode())

    def write(self, data):
        """Write bytes to the real stderr, in complete lines. Raises OSError."""
        data = self.rest + data
        while data and self.wait_until_writable():
            # The kernel writes up to PIPE_BUF bytes to a pipe in one piece, so lines of different
            # workers do not mix (man 7 pipe). A line longer than PIPE_BUF is written alone.
            end = data.rfind(b"\n", 0, select.PIPE_BUF) + 1 or data.find(b"\n") + 1
            # BlockingIOError: another process has made the pipe non-blocking, and the pipe is full.
            with contextlib.suppress(BlockingIOError):
                count = os.write(self.fd, data[:end])
                is_cut = data[count - 1:count] != b"\n"
                data = data[count:]
                self.rest = data[:data.find(b"\n") + 1] if is_cut else b""

    def wait_until_writable(self):
        """Wait until the log can be written. Return False if its reader has not read in time.

        Lines must not be lost, so there is no time limit while the server runs. After a shutdown,
        all these waits together last at most GRACE seconds.
        """
        # Use poll, because select cannot watch a descriptor above 1023 (day 11).
        if any(fd == self.fd for fd, event in self.ready.poll()):
            return True
        if self.give_up_at is None:
            self.give_up_at = time.monotonic() + GRACE
        writable = select.poll()
        writable.register(self.fd, select.POLLOUT)
        return bool(writable.poll(max(0, self.give_up_at - time.monotonic()) * 1000))

    def close(self):
        """Close the log's descriptor. Lines that are added later are ignored."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = self.stream = None


def open_log():
    """Return an AccessLog for the current sys.stderr, or None if sys.stderr cannot be used."""
    # The descriptor may be closed (OSError), or the object sys.stderr may be closed (ValueError).
    with contextlib.suppress(OSError, ValueError):
        return AccessLog(sys.stderr) if sys.stderr else None


@functools.lru_cache(maxsize=512)
def entry(line, status, size):
    """Return the part of a log line that follows the client and the time."""
    # Escape special characters, so that no client can forge a line or move a terminal's cursor.
    line = re.sub(r'[^ !#-\[\]-~]', lambda found: f"\\x{ord(found[0]):02x}", line)
    return f'"{line}" {status} {size or "-"}\n'
