"""Echo with a coroutine per client on our own scheduler: a coroutine yields instead of waiting.
协程服务器：自己写的调度器，每个客户端一个协程；要等待的地方，协程用 yield 让出。
讲义: 协程技术 · 协程原理

Run:    python day12/coroutine_server.py [port] [-b ADDRESS] [-v] [--quiet]
        python day10/echo_client.py [port]      in two more terminals

The scheduler of coroutine_0.py gives every coroutine a turn. The scheduler in this file resumes a
coroutine when epoll reports that its socket is ready. asyncio and http_server.py work in the
same way. Compare serve and echo here with serve and echo in asyncio_server.py.
"""
import argparse
import contextlib
import errno
import os
import select
import socket
import sys

SIZE = 1 << 16                      # maximum number of bytes per recv
RETRY = 0.1                         # a pause lasts at most this many seconds
PAUSE = "pause"                     # a coroutine that yields PAUSE is resumed within RETRY seconds
watched = False                     # whether say() prints its lines


def main():
    if not hasattr(select, "epoll"):
        print("this needs select.epoll: use Linux or WSL"
              " · 需要 select.epoll，请用 Linux 或 WSL", file=sys.stderr)
        sys.exit(2)
    parser = argparse.ArgumentParser(description="Echo with a coroutine per client.")
    with contextlib.suppress(KeyboardInterrupt), listen(parser) as listener:
        with contextlib.closing(Scheduler()) as scheduler:
            scheduler.start(listener, serve(listener, scheduler))
            scheduler.run()


# Each coroutine belongs to one socket. next(task) runs a coroutine up to its next yield, and
# returns the yielded value: the socket event for which the coroutine waits. `yield from f()` runs
# f as if the yields of f were written in the caller, and evaluates to the return value of f.
# 协程：每个协程属于一个套接字。next(task) 让它执行到下一个 yield，得到它 yield 的值：它在等的事件。
# `yield from f()` 相当于把 f 的 yield 写在这里，它的值是 f 的返回值。写法和多线程版一样。

def serve(listener, scheduler):
    """Accept clients, and start a coroutine for each."""
    listener.setblocking(False)
    while True:
        yield select.EPOLLIN
        try:
            conn, addr = listener.accept()
            conn.setblocking(False)
            # echo(...) only makes the generator; start() begins to run it. 这里只创建生成器
            scheduler.start(conn, echo(conn, addr))
        except OSError:
            # out of file descriptors (EMFILE): stop accepting for a moment
            yield PAUSE


def echo(conn, addr):
    """Send back what the client sends, until EOF (b"") or a reset of the connection (OSError)."""
    fd = conn.fileno()
    say(addr, f"-> coroutine {fd} of the one loop")
    with conn, contextlib.suppress(OSError):
        while data := (yield from receive(conn)):
            yield from send_all(conn, data)
    say(addr, f"left, coroutine {fd} ends")


def receive(conn):
    """Return the bytes that the client has sent, or b"" at EOF."""
    yield select.EPOLLIN
    return conn.recv(SIZE)


def send_all(conn, data):
    """Send all of data. While the client does not read, only its coroutine waits (backpressure)."""
    while data:
        try:
            data = data[conn.send(data):]
        except BlockingIOError:     # the send buffer is full
            yield select.EPOLLOUT


class Scheduler:
    """Resumes each coroutine when epoll reports the event for which the coroutine waits."""

    def __init__(self):
        self.epoll = select.epoll()
        self.tasks = {}             # fileno of a socket -> its coroutine
        self.events = {}            # fileno -> what the coroutine yielded: an event or PAUSE
        self.paused = []            # filenos of the sockets whose coroutines yielded PAUSE

    def start(self, sock, task):
        """Run a coroutine up to its first yield; from then on, epoll watches its socket.

        task: a generator that yields at least once.
        """
        fd, event = sock.fileno(), next(task)
        self.epoll.register(fd, event)
        self.tasks[fd] = task
        self.events[fd] = event

    def step(self, fd):
        """Resume the coroutine of the socket fd, up to its next yield."""
        # For example, receive() goes on after its yield and returns data, echo() sends the data,
        # and this next() ends at the yield of the second receive().
        # 例如：receive 从 yield 之后继续并返回数据，echo 发回，再次调用 receive，停在它的 yield
        try:
            event = next(self.tasks[fd])
        except StopIteration:
            # The coroutine has returned. Its `with conn` has closed the socket, and epoll stops
            # watching a socket that is closed.
            del self.tasks[fd], self.events[fd]
            return
        # Usually the coroutine waits for the same event as before, so epoll already watches for it.
        if event != self.events[fd]:
            self.events[fd] = event
            self.watch(fd, event)

    def watch(self, fd, event):
        """Make epoll watch the socket fd for this event, or for none if the event is PAUSE."""
        if event == PAUSE:
            self.epoll.modify(fd, 0)
            self.paused.append(fd)
        else:
            self.epoll.modify(fd, event)

    def run(self):
        """The event loop: wait until sockets are ready, resume their coroutines, repeat."""
        # 事件循环：epoll 告诉我们哪些套接字就绪，就继续执行它们的协程
        while True:
            events = self.epoll.poll(RETRY if self.paused else None)
            # All pauses end here: after RETRY seconds, or earlier if a socket is ready.
            pauses_over, self.paused = self.paused, []
            for fd in pauses_over:
                self.step(fd)
            for fd, _ in events:
                self.step(fd)

    def close(self):
        """End every coroutine at its current yield: the `with conn` of each echo() closes conn."""
        for task in self.tasks.values():
            task.close()
        self.epoll.close()


# The rest of the file is the same in every echo server, and is not about concurrency.
# 以下部分在每个回声服务器里都一样，与并发无关。

def say(addr, text):
    """Print a line about the client at this address, if the clients are to be shown."""
    if watched:
        # os.write has no buffer: one call writes the whole line, so the lines of two threads cannot
        # mix, as they can with print. It fails if the terminal is closed; the server then goes on.
        # 与 print 不同，os.write 没有缓冲，两个线程的输出不会混在一行；终端已关闭时继续服务
        with contextlib.suppress(OSError):
            os.write(1, f"{host_port(addr)} {text}\n".encode())


def host_port(addr):
    """Return an address as text: 127.0.0.1:8888 or [::1]:8888."""
    host, port = addr[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listen(parser):
    """Read the command line and return a listening socket; if that fails, exit with status 2."""
    global watched
    parser.add_argument("port", nargs="?", type=int, default=8888, help="0 means any free port")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1")
    parser.add_argument("-v", "--verbose", action="store_true", help="always show the clients")
    parser.add_argument("--quiet", action="store_true", help="never show the clients")
    args = parser.parse_args()
    # By default the clients are shown on a terminal only. 默认只在终端上显示客户端
    watched = not args.quiet and (args.verbose or os.isatty(1))
    family = socket.AF_INET6 if ":" in args.bind else socket.AF_INET
    try:
        # create_server sets SO_REUSEADDR: the server can be restarted while connections of its
        # last run are still in TIME_WAIT. 上次运行的连接还处于 TIME_WAIT 时，也能重新启动
        listener = socket.create_server((args.bind, args.port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        hints = {
            errno.EADDRINUSE: f"try port {args.port + 1} · 端口已被占用，请换一个",
            errno.EACCES: "ports below 1024 need root, try 8888 · 1024 以下的端口需要 root",
            errno.EADDRNOTAVAIL: "try -b 127.0.0.1 · 本机没有这个地址，请用 -b 127.0.0.1",
        }
        code = getattr(error, "errno", None)
        reason = f"{os.strerror(code)}: {hints[code]}" if code in hints else error
        parser.exit(2, f"{parser.prog}: {host_port((args.bind, args.port))}: {reason}\n")
    # Accepted sockets inherit these two options. TCP_NODELAY: send small packets without delay.
    # SO_OOBINLINE: keep urgent data in its place in the stream.
    # 接受的连接继承这两个选项：小包立即发送；紧急数据留在数据流中原来的位置
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    print(f"listening on {host_port(listener.getsockname())}", flush=True)
    return listener


if __name__ == "__main__":
    main()
