"""Echo with select: one thread waits for all clients, and the kernel says which are ready.
select 服务器：一个线程同时等待所有客户端，由内核告知哪些已就绪。
讲义: select 方法 · select 实现tcp服务

Run:    python day11/select_server.py [port] [-b ADDRESS] [-v] [--quiet]
        python day10/echo_client.py [port]      in two more terminals
"""
import argparse
import contextlib
import errno
import os
import select
import socket

# One call to recv returns at most SIZE bytes, so per client, at most SIZE bytes are unsent.
SIZE = 1 << 16
# Seconds to pause accepting after accept fails; the pause is shorter if a client is ready earlier.
RETRY = 0.1
# select can watch only descriptors whose numbers are below FD_SETSIZE.
FD_SETSIZE = 1024
# Whether say() shows the clients.
watched = False


def main():
    limit_descriptors()
    parser = argparse.ArgumentParser(description="Echo with select.")
    with contextlib.suppress(KeyboardInterrupt), listen(parser) as listener:
        with contextlib.closing(EchoServer(listener)) as server:
            server.serve()


class EchoServer:
    """Serves all clients in one thread. The socket of each client is in `reading`, or in `unsent`
    while a part of its echo is still to be sent.
    """

    def __init__(self, listener):
        self.listener = listener
        self.listener.setblocking(False)
        # Socket of a client -> its address.
        self.addrs = {}
        # The sockets that we want to read from: rlist.
        self.reading = {listener}
        # Socket -> bytes still to be sent to its client. The keys of this dict are wlist.
        self.unsent = {}

    def serve(self):
        """The event loop: wait until some sockets are ready, serve each of them, repeat."""
        # 事件循环：等到有套接字就绪，逐个处理，再等
        while True:
            # How long select may sleep: without a limit, unless accepting is paused (see accept).
            timeout = None
            if self.listener not in self.reading:
                timeout = RETRY
            # xlist is for urgent data. SO_OOBINLINE makes a socket with urgent data readable too,
            # so the server would work without xlist. 紧急数据；这里不用 xlist 也行，只为演示
            rlist, wlist, xlist = self.reading, list(self.unsent), self.reading
            readable, writable, urgent = select.select(rlist, wlist, xlist, timeout)
            # If accepting was paused, the pause is over: watch the listener again.
            self.reading.add(self.listener)
            # A socket with urgent data (MSG_OOB) is in `urgent` and in `readable`; in a set, each
            # socket occurs only once. 有紧急数据的套接字同时在两个列表里；集合去掉重复
            for conn in set(urgent + readable + writable):
                try:
                    if conn is self.listener:
                        self.accept()
                    elif conn in self.unsent:
                        self.send_rest(conn)
                    else:
                        self.echo(conn)
                except BlockingIOError:
                    # The socket is no longer ready.
                    pass
                except OSError:
                    # The client reset the connection.
                    self.drop(conn)

    def accept(self):
        try:
            conn, addr = self.listener.accept()
        except OSError:
            # Usually out of file descriptors (EMFILE): stop accepting for a moment.
            self.reading.remove(self.listener)
            return
        conn.setblocking(False)
        self.reading.add(conn)
        self.addrs[conn] = addr
        say(addr, f"-> the one loop, clients: {len(self.addrs)}")

    def echo(self, conn):
        """Receive once, and send the data back."""
        data = conn.recv(SIZE)
        if data:
            self.send(conn, data)
        else:
            # EOF. Nothing is unsent: we never read from a client while bytes for it are unsent.
            self.drop(conn)

    def send(self, conn, data):
        """Send as much of data as fits into the send buffer; return True if all data was sent."""
        try:
            # Not sendall: it would wait for this one client, and all other clients would wait too.
            # 不用 sendall：它会等待这一个客户端，让其他客户端都等着
            count = conn.send(data)
        except BlockingIOError:
            # The send buffer is full.
            count = 0
        if count == len(data):
            return True
        # Until the client has read its echo, read no more from it (backpressure).
        self.unsent[conn] = data[count:]
        self.reading.discard(conn)
        return False

    def send_rest(self, conn):
        if self.send(conn, self.unsent.pop(conn)):
            self.reading.add(conn)

    def drop(self, conn):
        self.reading.discard(conn)
        addr = self.addrs.pop(conn)
        conn.close()
        say(addr, f"left, clients in the one loop: {len(self.addrs)}")

    def close(self):
        for conn in self.addrs:
            conn.close()


def limit_descriptors():
    """Make sure that no descriptor gets a number that is too high for select."""
    # Windows has no resource module. Each limit has two values: the soft one applies, and a program
    # may raise it up to the hard one. 软限制生效，可以提高到硬限制
    with contextlib.suppress(ImportError):
        import resource
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, FD_SETSIZE), hard))


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
