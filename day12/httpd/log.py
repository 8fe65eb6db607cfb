"""The access log: a line for each request, in the common log format, on stderr.
访问日志：每个请求一行，通用日志格式（common log format），写到 stderr。
"""
import contextlib
import functools
import os
import re
import select
import time

# Seconds in which the last lines must be taken, and a worker must end, once the server stops.
GRACE = 3
STDERR = 2


class AccessLog:
    """Collects the lines of one turn of the loop, and writes them with as few calls as possible.

    stopping: a socket that becomes readable when the server shall stop.
    give_up_at: the time, in time.monotonic(), until which a reader is waited for once that has
    been seen while waiting; None before.
    """

    def __init__(self, stopping):
        self.lines = []
        self.give_up_at = None
        self.stamp = ""
        self.ready = select.poll()
        self.ready.register(stopping, select.POLLIN)
        self.ready.register(STDERR, select.POLLOUT)

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
        text = "".join(self.lines).encode()
        self.lines.clear()
        # The pipe is closed, or the disk is full.
        with contextlib.suppress(OSError):
            while text and self.wait_until_writable():
                # Whole lines, and at most PIPE_BUF bytes: so many are written at once, without
                # lines of other workers in between (man 7 pipe).
                end = text.rfind(b"\n", 0, select.PIPE_BUF) + 1 or text.find(b"\n") + 1
                text = text[os.write(STDERR, text[:end]):]

    def wait_until_writable(self):
        """Return whether a line can be written. No line shall be lost, so wait for a reader.

        Once the server stops, it waits GRACE seconds in all.
        """
        # poll, because select cannot watch descriptors from 1024 on (day 11).
        if any(fd == STDERR for fd, event in self.ready.poll()):
            return True
        if self.give_up_at is None:
            self.give_up_at = time.monotonic() + GRACE
        writable = select.poll()
        writable.register(STDERR, select.POLLOUT)
        return bool(writable.poll(max(0, self.give_up_at - time.monotonic()) * 1000))


@functools.lru_cache(maxsize=512)
def entry(line, status, size):
    """What the log says about a request, behind the client and the time."""
    # What a client sends must not look like a line of its own, nor move the cursor of a terminal.
    line = re.sub(r'[^ !#-\[\]-~]', lambda found: f"\\x{ord(found[0]):02x}", line)
    return f'"{line}" {status} {size or "-"}\n'
