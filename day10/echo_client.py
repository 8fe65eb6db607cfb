"""A client for every echo server of the course: it sends its input and prints what comes back.
通用的回声客户端：发送标准输入的内容，打印服务器发回的内容。
讲义: 并发网络通信模型

Run:    python day10/echo_client.py [port] [-H HOST]      and type; Ctrl-D ends the input
        python day10/echo_client.py [port] < FILE > COPY
"""
import argparse
import os
import select
import socket
import sys
from threading import Thread

SIZE = 1 << 16                      # maximum number of bytes per read or recv


def main():
    try:
        with connect() as conn:
            sender = Sender(conn)
            sender.start()
            received = 0
            while data := conn.recv(SIZE):
                write_output(data)
                received += len(data)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:         # the program that reads our output has exited (`| head -1`)
        sys.exit(1)
    except OSError as error:
        sys.exit(f"echo_client: {error}")
    if sender.input_error:
        sys.exit(f"echo_client: standard input: {sender.input_error}")
    if not sender.finished:
        sys.exit("echo_client: the server closed the connection · 服务器关闭了连接")
    if sender.count != received:
        sys.exit(f"echo_client: sent {sender.count} bytes, received {received} · 收发的字节数不同")


class Sender(Thread):
    """Sends standard input to the server while the main thread receives the echo.

    A client that first sends everything and only then receives can deadlock: when the socket
    buffers are full, the server cannot send its echo and stops reading (backpressure).
    """

    def __init__(self, conn):
        # daemon: when the server closes the connection, the program ends without waiting for input
        # 守护线程：服务器断开后，程序不等键盘输入就能结束
        super().__init__(daemon=True)
        self.conn = conn
        self.count = 0              # bytes sent
        self.finished = False       # True when all of standard input has been sent
        self.input_error = None     # the error, if standard input could not be read

    def run(self):
        try:
            while data := self.read_input():
                self.conn.sendall(data)
                self.count += len(data)
            self.finished = True
            # Half-close: our FIN says that we send no more data, but we still receive.
            # 半关闭：不再发送，但仍然接收
            self.conn.shutdown(socket.SHUT_WR)
        except OSError:             # the server has closed the connection: main() reports it
            pass

    def read_input(self):
        """Return bytes from standard input; b"" at its end or after an error."""
        while True:
            try:
                return os.read(0, SIZE)
            except BlockingIOError:     # rare: another program made standard input non-blocking
                select.select([0], [], [])
            except OSError as error:
                self.input_error = error
                return b""


def write_output(data):
    while data:
        try:
            data = data[os.write(1, data):]         # a pipe may accept only part of data
        except BlockingIOError:         # rare: a non-blocking pipe or terminal is full (EAGAIN)
            select.select([], [1], [])


def connect():
    """Return a socket connected to the server that the command line names."""
    parser = argparse.ArgumentParser(
        description="Send standard input to an echo server, and print what comes back.")
    parser.add_argument("port", nargs="?", type=int, default=8888, help="default: 8888")
    parser.add_argument("-H", "--host", default="127.0.0.1", help="default: 127.0.0.1")
    args = parser.parse_args()
    if not 0 < args.port < 65536:
        parser.error("the port must be from 1 to 65535 · 端口号是 1 到 65535")
    # If standard input or output were closed, the new socket would get descriptor 0 or 1.
    if sys.stdin is None or sys.stdout is None:
        parser.error("standard input and output must be open · 需要标准输入和标准输出")
    try:
        return socket.create_connection((args.host, args.port))
    except ConnectionRefusedError:
        sys.exit(f"echo_client: {args.host}, port {args.port}: Connection refused; start a"
                 f" server first: python day10/fork_server.py {args.port} · 请先启动服务器")
    except (OSError, UnicodeError) as error:
        sys.exit(f"echo_client: {args.host}, port {args.port}: {error}")


if __name__ == "__main__":
    main()
