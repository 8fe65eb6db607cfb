"""Several processes on one port (pre-fork): starts workers, replaces those that die, ends them.
一个端口上的多个进程（pre-fork）：启动工作进程，死了就补上，最后一起结束。
"""
import contextlib
import functools
import mmap
import os
import signal
import socket
import struct
import time
import traceback

from httpd.log import GRACE

MAX_WORKERS = 64
# Seconds until a worker that could not be started, or has died, is replaced.
PAUSE = 0.1
# What ends the server: Ctrl-C, and `kill`.
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


class Scoreboard:
    """A row of numbers for each worker, in memory that all of them share (Apache's scoreboard).

    Each writes only its own row, so no lock is needed. 各写各的一行，不需要加锁。
    """
    # PID, the time at which it started, connections, requests, bytes
    ROW = struct.Struct("5q")

    def __init__(self):
        self.memory = mmap.mmap(-1, MAX_WORKERS * self.ROW.size)

    def row(self, worker):
        """Return a function that writes a worker's row: its connections, requests and bytes."""
        return functools.partial(self.ROW.pack_into, self.memory, worker * self.ROW.size,
                                 os.getpid(), time.monotonic_ns())

    def read(self):
        """Return a dict for each worker that has written its row."""
        now = time.monotonic_ns()
        return [dict(pid=pid, uptime=round((now - born) / 1e9, 3), connections=connections,
                     requests=requests, bytes=size)
                for pid, born, connections, requests, size in self.ROW.iter_unpack(self.memory)
                if pid]


def supervise(server, count):
    """Keep so many workers alive until SIGINT or SIGTERM comes; then end them.

    server: an HTTPServer, which each of them runs.  STOP_SIGNALS must be blocked: instead of
    interrupting, they wait until sigwait asks for them.
    """
    # PID -> number of the worker
    workers = {}
    # If it was ignored when we were started, it would not come.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        for number in set(range(count)).difference(workers.values()):
            # No process is to be had now (EAGAIN): try again below.
            with contextlib.suppress(OSError):
                workers[fork_worker(server, number)] = number
        if len(workers) == count and not wait_for_child():
            break
        reap(workers)
        # Not at once: a worker that dies as soon as it starts would keep us busy.
        if signal.sigtimedwait(STOP_SIGNALS, PAUSE):
            break
    server.shutdown()
    while workers and signal.sigtimedwait({signal.SIGCHLD}, GRACE):
        reap(workers)
    # These have a route that does not return.
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    server.close()


def wait_for_child():
    """Wait for a signal; return whether it says that a worker has ended, and not to stop."""
    return signal.sigwait({*STOP_SIGNALS, signal.SIGCHLD}) == signal.SIGCHLD


def fork_worker(server, number):
    """Fork a worker and return its PID."""
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid

    def stop_parent():
        if os.getppid() == parent:
            os.kill(parent, signal.SIGTERM)

    try:
        # If the parent is killed, the last copy of shutdown_writer is closed, and all workers see
        # that at their shutdown_reader. So a worker must not keep a copy itself.
        server.shutdown_writer.close()
        # A worker that shall stop tells the parent, which stops all of them.
        server.shutdown = stop_parent
        # Ctrl-C reaches the workers too, but it is the parent that stops them.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # SIGTERM, to this worker or to all of the process group, ends it when it has answered what
        # it has been asked: its byte comes through a self-pipe of the worker's own.
        # 收到 SIGTERM 也先把正在处理的请求答完。
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda signum, frame: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {*STOP_SIGNALS, signal.SIGCHLD})
        server.serve_forever(number, reader)
    except BaseException:
        traceback.print_exc()
    finally:
        # Never return into the parent's loop.
        os._exit(0)


def reap(workers):
    """Forget the workers that have ended."""
    while workers and (pid := os.waitpid(-1, os.WNOHANG)[0]):
        workers.pop(pid, None)
