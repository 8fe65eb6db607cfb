"""Echo, one client after the other: while one is served, the next one waits.
并发网络通信模型 · 常见网络模型 · 循环服务器模型

Run:    python day10/iterative_server.py [port] [-b ADDRESS]
        python day10/echo_client.py [port]         in a second terminal, and in a third, which gets no echo yet
"""
import argparse
import contextlib
import socket
import time

SIZE = 1 << 16                                     # bytes to receive at once
RETRY = 0.1                                        # seconds


def main():
    with contextlib.suppress(KeyboardInterrupt), listen("Echo for one client at a time.") as listener:
        serve(listener)


def serve(listener):
    while True:
        try:
            conn, addr = listener.accept()
        except OSError:                            # no descriptor is free (EMFILE): whoever comes waits a little longer
            time.sleep(RETRY)
            continue
        echo(conn)


def echo(conn):
    """Send back what a client sends, until it has said all or is gone."""
    with conn:
        try:
            while data := conn.recv(SIZE):         # nothing: the client has shut down its side
                conn.sendall(data)
        except OSError:                            # reset: that client is gone, the next one may come
            pass


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
