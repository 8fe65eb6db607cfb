"""A client for every echo server of the course: what is typed, or comes through a pipe, goes there and comes back.
并发网络通信模型

Run:    python day10/echo_client.py [port] [-H HOST]           and type; Ctrl-D says that this was all
        python day10/echo_client.py [port] < FILE > COPY
"""
import argparse
import contextlib
import os
import socket
import sys
from queue import SimpleQueue
from threading import Thread

SIZE = 1 << 16                                     # bytes to read or to receive at once


def main():
    try:
        with connect() as conn:
            sent, received = talk(conn)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:                        # whoever read our output has gone, as head does
        sys.exit(1)
    except OSError as error:
        sys.exit(f"echo_client: {error}")
    if sent is None:
        sys.exit("echo_client: the server has closed the connection")
    if isinstance(sent, OSError):
        sys.exit(f"echo_client: standard input: {sent}")
    if sent != received:
        sys.exit(f"echo_client: {sent} bytes went out, {received} came back")


def talk(conn):
    """Return how many bytes went out, None if that was not yet all, or why no more could be read; and how many came back."""
    # Two directions, two threads. To send all and only then receive would come to a halt as soon as the buffers on the
    # way are full: the server could send no more, so it would read no more. The sender is a daemon, so that it can be
    # left behind when it waits for the keyboard and the server has gone.
    sent, received = SimpleQueue(), 0
    Thread(target=send_input, args=(conn, sent), daemon=True).start()
    while data := conn.recv(SIZE):
        write_output(data)
        received += len(data)
    return None if sent.empty() else sent.get(), received


def send_input(conn, sent):
    count = 0
    try:
        while data := os.read(0, SIZE):
            conn.sendall(data)
            count += len(data)
        sent.put(count)
        conn.shutdown(socket.SHUT_WR)              # half-close: we have said all, but still listen
    except OSError as error:                       # the server is gone, or the input; the other thread shall not wait
        if not isinstance(error, ConnectionError):
            sent.put(error)
        with contextlib.suppress(OSError):
            conn.shutdown(socket.SHUT_RDWR)


def write_output(data):
    while data:
        data = data[os.write(1, data):]            # a pipe may take a part only


def connect():
    """Return a socket connected to the server of the command line."""
    parser = argparse.ArgumentParser(description="Send standard input to an echo server, and print what comes back.")
    parser.add_argument("port", nargs="?", type=int, default=8888, help="of the server (default: 8888)")
    parser.add_argument("-H", "--host", default="127.0.0.1", help="of the server (default: 127.0.0.1)")
    args = parser.parse_args()
    if not 0 < args.port < 65536:
        parser.error("a port is a number from 1 to 65535")
    if sys.stdin is None or sys.stdout is None:    # closed; the connection would get that descriptor
        parser.error("standard input and output are needed")
    try:
        return socket.create_connection((args.host, args.port))
    except (OSError, UnicodeError) as error:
        sys.exit(f"echo_client: {args.host}, port {args.port}: {error}")


if __name__ == "__main__":
    main()
