"""Echo with epoll: the kernel keeps the list of who is watched, and names only those who are ready.
epoll方法

Run:    python day12/epoll_server.py [port] [-b ADDRESS] [--edge]
        python day10/echo_client.py [port]         in another terminal, as often as you like

With --edge the kernel tells of new bytes only once (EPOLLET), so whoever is told must go on until there are no more.
"""
import argparse
import contextlib
import select
import socket
from select import EPOLLET, EPOLLIN, EPOLLOUT

SIZE = 1 << 16                                     # bytes to receive at once, so the most that is kept for a client
RETRY = 0.1                                        # seconds
ROUNDS = 16                                        # with --edge: times to receive from one client before the next one's turn


def main():
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(EchoServer(*listen("Echo with epoll."))) as server:
        server.serve()


class EchoServer:
    """Each client is watched either for EPOLLIN or, while it does not take what it is sent, for EPOLLOUT."""

    def __init__(self, listener, edge):
        self.listener = listener
        self.listener.setblocking(False)
        self.conns = {listener.fileno(): listener}  # fileno -> socket, since epoll speaks of numbers
        self.unsent = {}                           # socket -> bytes that its client has not taken yet
        self.pause = None                          # seconds to accept nobody
        self.trigger = EPOLLET if edge else 0      # 边缘触发, or the default, 水平触发
        self.read = self.drain if edge else self.echo
        self.epoll = select.epoll()
        self.epoll.register(listener, EPOLLIN)

    def serve(self):
        while True:
            events = self.epoll.poll(self.pause)
            if self.pause:
                self.pause = None
                self.epoll.modify(self.listener, EPOLLIN)
            for fd, event in events:
                conn = self.conns[fd]
                try:
                    if conn is self.listener:
                        self.accept()
                    elif event & EPOLLOUT:
                        self.send_rest(conn)
                    else:                          # EPOLLIN, EPOLLHUP or EPOLLERR: recv will tell
                        self.read(conn)
                except BlockingIOError:            # drained (EAGAIN), or it was ready and is no more
                    pass
                except OSError:                    # reset: this client is gone
                    self.drop(conn)

    def accept(self):
        try:
            conn, addr = self.listener.accept()
            self.epoll.register(conn, EPOLLIN | self.trigger)
        except OSError:                            # no descriptor is free (EMFILE): whoever comes waits a little longer
            self.epoll.modify(self.listener, 0)
            self.pause = RETRY
            return
        conn.setblocking(False)
        self.conns[conn.fileno()] = conn

    def echo(self, conn):
        """Receive once and send it back; return whether that went well, so that there may be more."""
        data = conn.recv(SIZE)
        if data:
            return self.send(conn, data)
        self.drop(conn)                            # it has said all, and there is nothing unsent, or we would not have read
        return False

    def drain(self, conn):
        """With edge trigger: echo until there is no more, which is when recv raises BlockingIOError (EAGAIN)."""
        for _ in range(ROUNDS):
            if not self.echo(conn):
                return
        self.epoll.modify(conn, EPOLLIN | EPOLLET)                     # the others' turn. This makes epoll look once more

    def send(self, conn, data):
        """Send what the client takes; return whether that was all."""
        try:
            count = conn.send(data)                # not sendall: it would wait for this client, and let all others wait
        except BlockingIOError:                    # its buffer is full
            count = 0
        if count == len(data):
            return True
        # Read no more from a client that does not take what it is sent.
        self.unsent[conn] = data[count:]
        self.epoll.modify(conn, EPOLLOUT | self.trigger)
        return False

    def send_rest(self, conn):
        if self.send(conn, self.unsent.pop(conn)):
            self.epoll.modify(conn, EPOLLIN | self.trigger)

    def drop(self, conn):
        del self.conns[conn.fileno()]
        conn.close()

    def close(self):
        for conn in self.conns.values():
            conn.close()
        self.epoll.close()


def listen(description):
    """Return the listening socket that the command line asks for, and whether with --edge."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("port", nargs="?", type=int, default=8888, help="0 for a free one (default: 8888)")
    parser.add_argument("--edge", action="store_true", help="edge trigger (EPOLLET)")
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
    return listener, args.edge


if __name__ == "__main__":
    main()
