"""Echo with select: one thread asks the kernel which sockets are ready, and waits for none of them alone.
select 方法 · select 实现tcp服务

Run:    python day11/select_server.py [port] [-b ADDRESS]
        python day10/echo_client.py [port]         in another terminal, as often as you like
"""
import argparse
import contextlib
import resource
import select
import socket

SIZE = 1 << 16                                     # bytes to receive at once, so the most that is kept for a client
RETRY = 0.1                                        # seconds
FD_SETSIZE = 1024                                  # select knows descriptors below this number only


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, FD_SETSIZE), hard))
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(EchoServer(listen("Echo with select."))) as server:
        server.serve()


class EchoServer:
    """Each client is in one of two places: reading, or, while it does not take what it is sent, unsent."""

    def __init__(self, listener):
        self.listener = listener
        self.listener.setblocking(False)
        self.reading = {listener}                  # the sockets that we want to read from: rlist
        self.unsent = {}                           # socket -> bytes that we want to write to it: wlist

    def serve(self):
        while True:
            timeout = None if self.listener in self.reading else RETRY
            readable, writable, urgent = select.select(self.reading, self.unsent, self.reading, timeout)
            self.reading.add(self.listener)
            for conn in dict.fromkeys(urgent + readable + writable):   # xlist: urgent data, which goes first
                try:
                    if conn is self.listener:
                        self.accept()
                    elif conn in self.unsent:
                        self.send_rest(conn)
                    else:
                        self.echo(conn)
                except BlockingIOError:            # it was ready, but is no more
                    pass
                except OSError:                    # reset: this client is gone
                    self.drop(conn)

    def accept(self):
        try:
            conn, addr = self.listener.accept()
        except OSError:                            # no descriptor is free (EMFILE): whoever comes waits a little longer
            self.reading.remove(self.listener)
            return
        conn.setblocking(False)
        self.reading.add(conn)

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
        self.reading.discard(conn)
        return False

    def send_rest(self, conn):
        if self.send(conn, self.unsent.pop(conn)):
            self.reading.add(conn)

    def drop(self, conn):
        self.reading.discard(conn)
        conn.close()

    def close(self):
        for conn in [*self.reading, *self.unsent]:
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
