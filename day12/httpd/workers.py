"""Run several worker processes on one port (pre-fork): start, replace and finally end them.
一个端口上的多个进程（pre-fork）：启动工作进程，有退出的就补上，最后结束它们。
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
# How many seconds to wait before we replace a dead worker, or retry after a failed fork.
PAUSE = 0.1
# These signals end the server. Ctrl-C sends SIGINT, and the command `kill` sends SIGTERM.
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


class Scoreboard:
    """Holds a row of numbers for each worker in shared memory, like Apache's scoreboard.

    Each worker writes only its own row, so no lock is needed. A reader may see a half-updated row,
    which does no harm in a status display. 各写各的一行，不需要加锁。
    """
    # PID, start time, connections, requests, bytes
    ROW = struct.Struct("5q")

    def __init__(self):
        self.memory = mmap.mmap(-1, MAX_WORKERS * self.ROW.size)

    def row(self, worker):
        """Return a function that writes a worker's row. worker: the worker's number, from 0.

        The arguments of the returned function are the numbers of connections, requests and bytes.
        """
        return functools.partial(self.ROW.pack_into, self.memory, worker * self.ROW.size,
                                 os.getpid(), time.monotonic_ns())

    def read(self):
        """Return a list with a dict for each worker that has written its row."""
        now = time.monotonic_ns()
        return [dict(pid=pid, uptime=round((now - born) / 1e9, 3), connections=connections,
                     requests=requests, bytes=size)
                for pid, born, connections, requests, size in self.ROW.iter_unpack(self.memory)
                if pid]


def supervise(server, count):
    """Keep `count` workers alive until SIGINT or SIGTERM arrives. Then end the workers.

    server: the HTTPServer that each worker runs.
    STOP_SIGNALS must be blocked. A blocked signal does not interrupt this function, but stays
    pending until sigwait or sigtimedwait accepts it.
    """
    # PID of a worker -> its number
    workers = {}
    # If the program that started us ignores SIGCHLD, we ignore it too. Without the next line, we
    # would then never receive the signal.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        for number in set(range(count)).difference(workers.values()):
            # OSError: no process can be created now (EAGAIN). Try again in the next round.
            with contextlib.suppress(OSError):
                workers[fork_worker(server, number)] = number
        if len(workers) == count and not wait_for_child():
            break
        reap(workers)
        # Pause, because a worker that always dies at its start would otherwise keep us busy.
        if signal.sigtimedwait(STOP_SIGNALS, PAUSE):
            break
    server.shutdown()
    while workers and signal.sigtimedwait({signal.SIGCHLD}, GRACE):
        reap(workers)
    # The remaining workers are probably stuck in a route that does not return, so kill them.
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    server.close()


def wait_for_child():
    """Wait for a signal. Return True if it is SIGCHLD, and False if it is in STOP_SIGNALS."""
    return signal.sigwait({*STOP_SIGNALS, signal.SIGCHLD}) == signal.SIGCHLD


def fork_worker(server, number):
    """Fork a worker and return its PID. number: the worker's number, from 0. Raises OSError."""
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid

    def stop_parent():
        if os.getppid() == parent:
            os.kill(parent, signal.SIGTERM)

    try:
        # If the parent is killed, the last copy of shutdown_writer is closed, and shutdown_reader
        # becomes readable (EOF) in all workers. So no worker may keep a copy of the writer.
        server.shutdown_writer.close()
        # In a worker, shutdown() sends SIGTERM to the parent, which then stops all workers.
        server.shutdown = stop_parent
        # Ctrl-C sends SIGINT to the workers too. Ignore it, because the parent stops the workers.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # SIGTERM to this worker, or to the process group, writes a byte into the worker's own
        # self-pipe. The worker then answers the requests in progress, and ends.
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
        # The child must never return into the parent's loop.
        os._exit(0)


def reap(workers):
    """Reap the workers that have ended, and remove them from the dict `workers`."""
    while workers and (pid := os.waitpid(-1, os.WNOHANG)[0]):
        workers.pop(pid, None)
