"""The event loop: runs coroutines over epoll; it knows descriptors and deadlines, but not HTTP.
事件循环（event loop）：在 epoll 上运行协程；只认识描述符和截止时间，不认识 HTTP。

A coroutine here is a generator that belongs to one descriptor. It reads like a blocking program,
with a `yield` where a blocking program would wait:

    def echo(loop, conn, timeout):
        with conn:
            while True:
                loop.deadlines[conn.fileno()] = loop.now + timeout
                yield                   # wait until there is something to read
                data = conn.recv(65536)
                ...

This is the scheduler of coroutine_0.py with two additions. It continues a coroutine only when its
descriptor is ready; the descriptor is registered once, so a bare `yield` costs no system call. And
if a coroutine waits beyond its deadline, the loop throws a TimeoutError into it at the `yield`:
just where a blocking socket with settimeout would raise it.
"""
import contextlib
import select
import sys
import time
import traceback


class Loop:
    """Coroutines and what they wait for. One thread runs all of them, so nothing here needs a lock.

    tasks: descriptor -> coroutine.  deadlines: descriptor -> the time, in time.monotonic(), until
    which its coroutine may wait; each coroutine sets its own.  now: when this turn began.
    asked: when this turn asked epoll which descriptors are ready.
    """

    def __init__(self):
        self.epoll = select.epoll()
        self.tasks = {}
        self.deadlines = {}
        self.now = self.asked = time.monotonic()
        self.next_check = 0

    def start(self, fd, task, event=None):
        """Run a coroutine up to its first yield, and later continue it whenever fd is ready.

        event: the events to watch for; without it, EPOLLIN.  Before the coroutine closes its
        descriptor, it must unregister it from loop.epoll.
        """
        self.epoll.register(fd, event or select.EPOLLIN)
        self.tasks[fd] = task
        next(task)

    def wait(self):
        """Wait until a descriptor is ready; return all ready ones, as [(descriptor, event)]."""
        self.asked = time.monotonic()
        # Ask for all of them: by default, poll returns at most FD_SETSIZE - 1 = 1,023, and expire
        # would treat the rest as late.
        events = self.epoll.poll(1 if self.deadlines else None, len(self.tasks) or 1)
        self.now = time.monotonic()
        return events

    def resume(self, events):
        """Continue the coroutines of these descriptors, each up to its next yield."""
        for fd, event in events:
            try:
                next(self.tasks[fd])
            except Exception as ending:
                self.end(fd, ending)

    def expire(self):
        """Once a second, throw a TimeoutError into each coroutine whose deadline has passed.

        Call it after resume: by then, all bytes that arrived before we asked epoll have been
        received. So a deadline is compared with that moment, not with the current time: the client
        is not to blame for the time in which this process was stopped, or a route was slow.
        以询问 epoll 的时刻为准：进程被暂停期间，客户端不算超时。
        """
        # Checking 10,000 deadlines takes less than a millisecond. 每秒检查一次，超时的就抛异常。
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
        # An OSError comes from a client (reset, too slow); anything else is a bug in this program.
        if not isinstance(ending, (StopIteration, OSError)):
            report()

    def wait_to_write(self, fd, deadline):
        """Wait until the peer has read some bytes. Use it with `yield from`.

        If there is room already, it only gives the other coroutines their turn.
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
    """Print the traceback of the current exception, if stderr can be written."""
    # stderr may be closed, or an object of the program; an error in it must not end the server.
    with contextlib.suppress(Exception):
        if sys.stderr:
            traceback.print_exc()
