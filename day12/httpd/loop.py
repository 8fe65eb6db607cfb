"""The event loop runs coroutines on epoll. It knows descriptors and deadlines, but not HTTP.
事件循环（event loop）：在 epoll 上运行协程；只认识描述符和截止时间，不认识 HTTP。

A coroutine here is a generator that belongs to one descriptor. Its code reads like a blocking
program, with a `yield` where a blocking program would wait:

    def echo(loop, conn, timeout):
        with conn:
            while True:
                loop.deadlines[conn.fileno()] = loop.now + timeout
                yield                   # wait until there is something to read
                data = conn.recv(65536)
                ...

The loop is the scheduler of coroutine_0.py with two additions. First, the loop resumes a
coroutine only when the coroutine's descriptor is ready. (The descriptor is registered once, so
a bare `yield` costs no system call.) Second, if a coroutine waits beyond its deadline, the loop
throws a TimeoutError into the coroutine at the `yield`. A blocking socket with settimeout would
raise the exception at the same place.
"""
import contextlib
import select
import sys
import time
import traceback


class Loop:
    """Runs each coroutine when its descriptor is ready. One thread runs them all, without locks.

    tasks: descriptor -> coroutine.
    deadlines: descriptor -> the time until which its coroutine may wait. Each coroutine sets its
    own deadline.
    asked: when the loop last asked epoll for ready descriptors.  now: when epoll answered.
    All times are values of time.monotonic(), in seconds.
    """

    def __init__(self):
        self.epoll = select.epoll()
        self.tasks = {}
        self.deadlines = {}
        self.now = self.asked = time.monotonic()
        self.next_check = 0

    def start(self, fd, task, event=None):
        """Run a coroutine up to its first yield, and later resume it whenever fd is ready.

        event: the epoll events to watch for (default: EPOLLIN).
        The coroutine must unregister fd from loop.epoll before it closes fd.
        """
        self.epoll.register(fd, event or select.EPOLLIN)
        self.tasks[fd] = task
        next(task)

    def wait(self):
        """Wait until descriptors are ready, and return them as [(descriptor, event)].

        If there are deadlines, the wait ends after a second at most, and the list may be empty.
        """
        began, self.asked = self.now, time.monotonic()
        # Ask for all ready descriptors. By default, poll returns at most FD_SETSIZE - 1 = 1,023
        # descriptors, and expire() could treat the remaining clients as late.
        events = self.epoll.poll(1 if self.deadlines else None, len(self.tasks) or 1)
        self.now = time.monotonic()
        # If a route was slow in the last turn, or this process was stopped, the clients could not
        # send (their bytes waited for us), so give this time back to all of them.
        # 我们自己耽误的时间，补给每个客户端。
        lost = self.asked - began + max(0, self.now - self.asked - 1)
        if lost > 1:
            for fd in self.deadlines:
                self.deadlines[fd] += lost
        return events

    def resume(self, events):
        """Resume the coroutine of each ready descriptor, and run it up to its next yield.

        events: the list that wait() has returned.
        """
        for fd, event in events:
            try:
                next(self.tasks[fd])
            except Exception as ending:
                self.end(fd, ending)

    def expire(self):
        """Once a second, throw a TimeoutError into each coroutine whose deadline has passed.

        Call expire() after resume(), when each client whose bytes arrived before `asked` has had
        its turn. Deadlines are compared with `asked`, not with the current time, because a client
        is not to blame for the time during which this process was stopped or a route was slow.
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
        """Forget the coroutine of fd, which has ended with the exception `ending`."""
        del self.tasks[fd]
        self.deadlines.pop(fd, None)
        # StopIteration: the coroutine has returned. OSError: the client was too slow, or has reset
        # the connection, for example. All other exceptions are bugs in this program.
        if not isinstance(ending, (StopIteration, OSError)):
            report()

    def pause(self, fd):
        """Wait for two seconds at most. Call this method with `yield from`. fd: not registered."""
        # Deadline 0 has already passed, so the next check in expire() throws a TimeoutError.
        self.deadlines[fd] = 0
        with contextlib.suppress(TimeoutError):
            yield
        del self.deadlines[fd]

    def watch(self, fd, events):
        """Register fd; after an error, try again after a pause. Call this with `yield from`.

        The kernel can be out of memory (ENOMEM), or the user can watch too many descriptors already
        (ENOSPC, man 7 epoll).
        """
        while True:
            try:
                self.epoll.register(fd, events)
                return
            except OSError:
                yield from self.pause(fd)

    def wait_to_write(self, fd, deadline):
        """Wait until the send buffer of the socket fd has room. Call this method with `yield from`.

        deadline: a value of time.monotonic().  If the buffer already has room, the other coroutines
        still get a turn first.
        """
        self.deadlines[fd] = deadline
        self.epoll.modify(fd, select.EPOLLOUT)
        yield
        self.epoll.modify(fd, select.EPOLLIN)

    def close(self):
        """End all coroutines. Each coroutine gets a GeneratorExit at its yield."""
        for task in list(self.tasks.values()):
            task.close()
        self.epoll.close()


def report():
    """Print the traceback of the current exception, if stderr can be written."""
    # sys.stderr may be closed, or the program may have replaced it. The server must go on.
    with contextlib.suppress(Exception):
        if sys.stderr:
            traceback.print_exc()
