"""Echo with poll: the descriptors to watch are registered once, and their number has no limit of 1024.
poll方法 · poll_server 步骤

Run:    python day12/poll_server.py [port] [-b ADDRESS]
        python day10/echo_client.py [port]         in another terminal, as often as you like
"""
import argparse
import contextlib
import select
import socket
from select import POLLIN, POLLOUT

SIZE = 1 << 16                                     # bytes to receive at once, so the most that is kept for a client
RETRY = 100                                        # milliseconds


def main():
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(EchoServer(listen("Echo with poll."))) as server:
        server.serve()


class EchoServer:
    """Each client is watched either for POLLIN or, while it does not take what it is sent, for POLLOUT."""

    def __init__(self, listener):
        self.listener = listener
        self.listener.setblocking(False)
        self.conns = {listener.fileno(): listener}  # fileno -> socket, since poll speaks of numbers
        self.unsent = {}                           # socket -> bytes that its client has not taken yet
        self.pause = None                          # milliseconds to accept nobody
        self.poller = select.poll()
        self.poller.register(listener, POLLIN)

    def serve(self):
        while True:
            events = self.poller.poll(self.pause)
            if self.pause:
                self.pause = None
                self.poller.modify(self.listener, POLLIN)
            for fd, event in events:
                conn = self.conns[fd]
                try:
                    if conn is self.listener:
                        self.accept()
                    elif event & POLLOUT:
                        self.send_rest(conn)
                    else:                          # POLLIN, POLLHUP or POLLERR: recv will tell
                        self.echo(conn)
                except BlockingIOError:            # it was ready, but is no more
                    pass
                except OSError:                    # reset: this client is gone
                    self.drop(conn)

    def accept(self):
        try:
            conn, addr = self.listener.accept()
            self.poller.register(conn, POLLIN)
        except OSError:                            # no descriptor is free (EMFILE): whoever comes waits a little longer
            self.poller.modify(self.listener, 0)
            self.pause = RETRY
            return
        conn.setblocking(False)
        self.conns[conn.fileno()] = conn

    def echo(self, conn):
        """Receive once and send it back."""
        data = conn.recv(SIZE)
        if data:
            self.send(conn, data)
        else:                                      # it has said all, and there is nothing unsent, or we would not have read
            self.drop(conn)

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
        self.poller.modify(conn, POLLOUT)
        return False

    def send_rest(self, conn):
        if self.send(conn, self.unsent.pop(conn)):
            self.poller.modify(conn, POLLIN)

    def drop(self, conn):
        self.poller.unregister(conn)               # or poll would report a closed descriptor for ever: POLLNVAL
        del self.conns[conn.fileno()]
        conn.close()

    def close(self):
        for conn in self.conns.values():
            conn.close()


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
