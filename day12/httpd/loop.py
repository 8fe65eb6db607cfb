"""The event loop: runs coroutines over epoll; it knows descriptors and deadlines, and not HTTP.
事件循环（event loop）：在 epoll 上运行协程；只认识描述符和截止时间，不认识 HTTP。

A coroutine here is a generator that belongs to one descriptor. It reads like a blocking program,
with a `yield` where that would wait:

    def echo(loop, conn, timeout):
        with conn:
            while True:
                loop.deadlines[conn.fileno()] = loop.now + timeout
                yield                   # wait until there is something to read
                data = conn.recv(65536)
                ...

It is the scheduler of coroutine_0.py, grown up in two points. It lets a coroutine go on only when
its descriptor is ready: that is registered once, so a bare `yield` costs no system call. And a
coroutine that waits beyond its deadline gets a TimeoutError, thrown in at its `yield`: just where
a blocking socket with settimeout would raise it.
"""
import contextlib
import select
import sys
import time
import traceback


class Loop:
    """Coroutines and what they wait for. One thread runs all of them, so nothing here needs a lock.

    tasks: descriptor -> coroutine.  deadlines: descriptor -> the time, in time.monotonic(), at
    which its coroutine has waited too long; a coroutine sets its own.  now: when this turn began.
    asked: when epoll was asked what is ready in this turn.
    """

    def __init__(self):
        self.epoll = select.epoll()
        self.tasks = {}
        self.deadlines = {}
        self.now = self.asked = time.monotonic()
        self.next_check = 0

    def start(self, fd, task, event=None):
        """Begin a coroutine: it runs up to its first yield, and later whenever fd is ready.

        event: ready for what; without it, to be read.  When the coroutine ends, it unregisters its
        descriptor from loop.epoll before it closes it.
        """
        self.epoll.register(fd, event or select.EPOLLIN)
        self.tasks[fd] = task
        next(task)

    def wait(self):
        """Wait until a descriptor is ready; return all that are, as [(descriptor, event)]."""
        self.asked = time.monotonic()
        # All: without a number, poll names at most 1,023, and the rest would look late to expire.
        events = self.epoll.poll(1 if self.deadlines else None, len(self.tasks) or 1)
        self.now = time.monotonic()
        return events

    def resume(self, events):
        """Let the coroutines of these descriptors go on, each up to its next yield."""
        for fd, event in events:
            try:
                next(self.tasks[fd])
            except Exception as ending:
                self.end(fd, ending)

    def expire(self):
        """Once a second, throw a TimeoutError into each coroutine whose deadline has passed.

        Call it after resume: whatever came before epoll was asked has been received by then. So
        that is the time that counts. While this process is stopped, or a route takes its time, the
        clients are not late. 以询问 epoll 的时刻为准：进程被暂停期间，客户端不算超时。
        """
        # To look at 10,000 deadlines takes less than a millisecond. 每秒检查一次，超时的就抛异常。
        if self.now < self.next_check:
            return
        self.next_check = self.now + 1
        for fd in [fd for fd, deadline in self.deadlines.items() if deadline <= self.asked]:
            try:
                self.tasks[fd].throw(TimeoutError())
            except Exception as ending:
                self.end(fd, ending)

    def end(self, fd, ending):
        """Forget a coroutine that has returned or failed. The others are not affected."""
        del self.tasks[fd]
        self.deadlines.pop(fd, None)
        # An OSError is a client's doing (reset, too slow); anything else is a bug in this program.
        if not isinstance(ending, (StopIteration, OSError)):
            report()

    def wait_to_write(self, fd, deadline):
        """Wait until the peer has taken some bytes. Use it with `yield from`.

        Where there is room at once, it only lets the others have their turn.
        """
        self.deadlines[fd] = deadline
        self.epoll.modify(fd, select.EPOLLOUT)
        yield
        self.epoll.modify(fd, select.EPOLLIN)

    def close(self):
        """End all coroutines: each gets a GeneratorExit at its yield."""
        for task in list(self.tasks.values()):
            task.close()
        self.epoll.close()


def report():
    """Print the traceback of the present exception, if stderr can be written."""
    # Whatever stderr is (closed, or an object of the program's own), it must not end the server.
    with contextlib.suppress(Exception):
        if sys.stderr:
            traceback.print_exc()
