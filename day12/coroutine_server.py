"""Echo with a coroutine per client on a scheduler of our own: where a thread would wait, a coroutine yields.
协程技术 · 协程原理

Run:    python day12/coroutine_server.py [port] [-b ADDRESS]
        python day10/echo_client.py [port]         in another terminal, as often as you like

coroutine_0.py has shown how a coroutine keeps its place, and a scheduler that gives each its turn.
Here the turn goes to the coroutine whose socket is ready. Inside, asyncio and http_server.py
work like this too: compare serve and echo with those of asyncio_server.py.
"""
import argparse
import contextlib
import select
import socket

SIZE = 1 << 16                      # bytes to receive at once
RETRY = 0.1                         # seconds that a pause lasts
PAUSE = 0                           # no event of the socket: go on after RETRY seconds


def main():
    description = "Echo with a coroutine per client."
    with contextlib.suppress(KeyboardInterrupt), listen(description) as listener:
        with contextlib.closing(Scheduler()) as scheduler:
            scheduler.start(listener, serve(listener, scheduler))
            scheduler.run()


# The coroutines. Each `yield` says for which event of its socket it waits.
# 协程：yield 说明在等套接字的哪个事件，写法和多线程版一样。

def serve(listener, scheduler):
    """Accept clients, and start a coroutine for each."""
    listener.setblocking(False)
    while True:
        yield select.EPOLLIN
        try:
            conn, addr = listener.accept()
            conn.setblocking(False)
            scheduler.start(conn, echo(conn))
        except OSError:             # out of descriptors (EMFILE): stop accepting for a moment
            yield PAUSE


def echo(conn):
    """Send back what the client sends, until it shuts down its side (b"") or resets (OSError)."""
    with conn, contextlib.suppress(OSError):
        while data := (yield from receive(conn)):
            yield from send_all(conn, data)


def receive(conn):
    """Return what the client has sent; b"" when it has shut down its side."""
    yield select.EPOLLIN
    return conn.recv(SIZE)


def send_all(conn, data):
    """Send all of data. While the client does not read, only this coroutine waits (backpressure)."""
    while data:
        try:
            data = data[conn.send(data):]
        except BlockingIOError:     # the send buffer is full
            yield select.EPOLLOUT


class Scheduler:
    """Runs coroutines, each with a socket: whenever epoll reports it ready, up to the next yield."""

    def __init__(self):
        self.epoll = select.epoll()
        self.tasks = {}             # fileno -> the coroutine
        self.events = {}            # fileno -> the event that it waits for
        self.paused = []            # the filenos of those that wait for time to pass

    def start(self, sock, task):
        """Let a coroutine run to its first yield, and from then on whenever its socket is ready."""
        fd = sock.fileno()
        self.epoll.register(fd, 0)
        self.tasks[fd] = task
        self.events[fd] = 0
        self.step(fd)

    def step(self, fd):
        """Let a coroutine go on, up to its next yield."""
        try:
            event = next(self.tasks[fd])
        except StopIteration:       # it has returned; closing its socket has unregistered it
            del self.tasks[fd], self.events[fd]
            return
        if event != self.events[fd]:
            self.epoll.modify(fd, event)
            self.events[fd] = event
        if event == PAUSE:
            self.paused.append(fd)

    def run(self):
        """The event loop: wait until some sockets are ready, let their coroutines go on, repeat."""
        # 事件循环：epoll 告诉我们哪些套接字就绪，就继续执行它们的协程
        while True:
            events = self.epoll.poll(RETRY if self.paused else None)
            paused, self.paused = self.paused, []
            for fd, event in events:
                self.step(fd)
            for fd in paused:
                if fd in self.tasks:
                    self.step(fd)

    def close(self):
        """End every coroutine at its yield; the `with` around that closes its socket."""
        for task in self.tasks.values():
            task.close()
        self.epoll.close()


def listen(description):
    """Return the listening socket that the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("port", nargs="?", type=int, default=8888, help="0 for a free one (default: 8888)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1", help="address to bind (default: 127.0.0.1)")
    args = parser.parse_args()
    family = socket.AF_INET6 if ":" in args.bind else socket.AF_INET
    try:
        listener = socket.create_server((args.bind, args.port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:            # in use; no such port; no such address
        parser.exit(2, f"{parser.prog}: {error}\n")
    # Linux hands both on to the sockets of the clients: to send at once, and to keep urgent bytes where they were sent.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    host, port = listener.getsockname()[:2]
    print(f"listening on {f'[{host}]' if ':' in host else host}:{port}", flush=True)
    return listener


if __name__ == "__main__":
    main()
