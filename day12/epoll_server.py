"""Echo with epoll: the kernel keeps the list of watched sockets, and reports only the ready ones.
epoll 服务器：内核保存要关注的套接字，只报告就绪的那些。
讲义: epoll方法

Run:    python day12/epoll_server.py [port] [-b ADDRESS] [--edge] [-v] [--quiet]
        python day10/echo_client.py [port]      in two more terminals

With --edge the kernel reports new bytes only once (EPOLLET), so we must read until none are left.
Ten thousand idle clients cost the event loop almost no time (C10K).
"""
import argparse
import contextlib
import errno
import os
import select
import socket
import sys

# One call to recv returns at most SIZE bytes, so per client, at most SIZE bytes are unsent.
SIZE = 1 << 16
RETRY = 0.1                         # seconds until the next attempt to accept
ROUNDS = 16                         # with --edge: calls to recv before the next client's turn
watched = False                     # whether say() prints its lines


def main():
    if not hasattr(select, "epoll"):
        print("this needs select.epoll: use Linux or WSL"
              " · 需要 select.epoll，请用 Linux 或 WSL", file=sys.stderr)
        sys.exit(2)
    parser = argparse.ArgumentParser(description="Echo with epoll.")
    parser.add_argument("--edge", action="store_true", help="edge trigger (EPOLLET)")
    with contextlib.suppress(KeyboardInterrupt), listen(parser) as listener:
        with contextlib.closing(EchoServer(listener, parser.parse_args().edge)) as server:
            server.serve()


class EchoServer:
    """Watches each client for EPOLLIN, or for EPOLLOUT while bytes for it are unsent."""

    def __init__(self, listener, edge):
        self.listener = listener
        self.listener.setblocking(False)
        self.addrs = {}             # socket of a client -> its address
        self.conns = {listener.fileno(): listener}      # epoll reports numbers: fileno -> socket
        self.unsent = {}            # socket -> bytes still to be sent to its client
        self.pause = None           # seconds for which accepting is paused, or None
        # edge trigger, or level trigger (the default) · 边缘触发，或默认的水平触发
        self.trigger = select.EPOLLET if edge else 0
        # drain() is only for --edge: skip it at first reading. 初读可跳过 drain()
        self.read = self.drain if edge else self.echo
        self.epoll = select.epoll()
        self.epoll.register(listener, select.EPOLLIN)

    def serve(self):
        """The event loop: wait until sockets are ready, serve each of them, repeat."""
        # 事件循环：等到有套接字就绪，逐个处理，再等
        while True:
            events = self.epoll.poll(self.pause)
            if self.pause:
                self.pause = None
                self.epoll.modify(self.listener, select.EPOLLIN)
            for fd, event in events:
                conn = self.conns[fd]
                try:
                    if conn is self.listener:
                        self.accept()
                    elif event & select.EPOLLOUT:
                        self.send_rest(conn)
                    else:                       # EPOLLIN, EPOLLHUP, EPOLLERR: recv finds out which
                        self.read(conn)
                except BlockingIOError:         # nothing is left to read (EAGAIN)
                    pass
                except OSError:                 # the client has reset the connection
                    self.drop(conn)

    def accept(self):
        try:
            conn, addr = self.listener.accept()
            self.epoll.register(conn, select.EPOLLIN | self.trigger)
        except OSError:
            # out of file descriptors (EMFILE): stop accepting for a moment (0: watch for no event)
            self.epoll.modify(self.listener, 0)
            self.pause = RETRY
            return
        conn.setblocking(False)
        self.conns[conn.fileno()] = conn
        self.addrs[conn] = addr
        say(addr, f"-> the one loop, clients: {len(self.addrs)}")

    def echo(self, conn):
        """Receive once, and send the bytes back.

        Return True if we may read again now, or False at EOF and while bytes are unsent. Only
        drain() uses this result.
        """
        data = conn.recv(SIZE)
        if data:
            return self.send(conn, data)
        # EOF. Nothing is unsent: we never read from a client while bytes for it are unsent.
        self.drop(conn)
        return False

    def drain(self, conn):
        """With --edge: echo until no bytes are left, but at most ROUNDS times."""
        for _ in range(ROUNDS):
            # If no bytes are left, recv raises BlockingIOError (EAGAIN), which serve() catches.
            if not self.echo(conn):
                return
        # This client sends as fast as we read, so serve the other clients now to avoid starvation.
        # Bytes that edge trigger has already reported may still be unread. So re-arm the socket:
        # epoll checks it again, and reports these bytes in the loop's next turn.
        # 可能还有没读完的数据，而边缘触发已经报告过了：重新设置一次，epoll 会再检查，下一轮再报告
        self.watch(conn, select.EPOLLIN)

    def watch(self, conn, event):
        """Watch the socket of a client for this event from now on.

        modify makes epoll check the socket immediately. So even with edge trigger, epoll reports
        a socket that was already ready.
        """
        self.epoll.modify(conn, event | self.trigger)

    def send(self, conn, data):
        """Send as much of data as fits into the send buffer; return True if all data was sent."""
        try:
            # Not sendall: it would wait for this one client, and all other clients would wait too.
            # 不用 sendall：它会等待这一个客户端，让其他客户端都等着
            count = conn.send(data)
        except BlockingIOError:                 # the send buffer is full
            count = 0
        if count == len(data):
            return True
        # Until the client has read its echo, read no more from it (backpressure).
        self.unsent[conn] = data[count:]
        self.watch(conn, select.EPOLLOUT)
        return False

    def send_rest(self, conn):
        if self.send(conn, self.unsent.pop(conn)):
            self.watch(conn, select.EPOLLIN)

    def drop(self, conn):
        del self.conns[conn.fileno()]
        addr = self.addrs.pop(conn)
        conn.close()
        say(addr, f"left, clients in the one loop: {len(self.addrs)}")

    def close(self):
        for conn in self.addrs:
            conn.close()
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
