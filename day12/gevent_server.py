"""Echo with a greenlet per client: the code reads like the thread server, but uses one thread.
gevent 服务器：每个客户端一个 greenlet，写法和多线程版一样，却只有一个线程。
讲义: 第三方协程模块 · gevent模块

Run:    python day12/gevent_server.py [port] [-b ADDRESS] [-v] [--quiet]
        python day10/echo_client.py [port]      in two more terminals
"""
try:
    import gevent
    from gevent import monkey
    # Call patch_all before any other import. From here on, when accept, recv or sendall must wait,
    # it does not block the thread, but switches to another greenlet.
    # 必须最先执行：之后 accept、recv、sendall 要等待时不再阻塞线程，而是切换协程
    monkey.patch_all()
except ImportError:
    gevent = None
import argparse
import contextlib
import errno
import os
import signal
import socket
import sys
import time

SIZE = 1 << 16                      # maximum number of bytes per recv
RETRY = 0.1                         # seconds until the next attempt to accept
watched = False                     # whether say() prints its lines


def main():
    if gevent is None:
        print("this needs gevent: make demo DAY=12 installs it, then use .venv/bin/python"
              " · 需要 gevent：make demo DAY=12 会安装它，然后用 .venv/bin/python", file=sys.stderr)
        sys.exit(2)
    parser = argparse.ArgumentParser(description="Echo with a greenlet per client.")
    with contextlib.suppress(KeyboardInterrupt), listen(parser) as listener:
        server = gevent.spawn(serve, listener)
        # Ctrl-C ends the greenlet of serve(), so join() returns. Ctrl-C 结束 serve 的 greenlet
        gevent.signal_handler(signal.SIGINT, server.kill)
        server.join()


def serve(listener):
    while True:
        try:
            conn, addr = listener.accept()
        except OSError:
            # out of file descriptors (EMFILE): stop accepting for a moment
            time.sleep(RETRY)
            continue
        gevent.spawn(echo, conn, addr)


def echo(conn, addr):
    """Send back what the client sends, until EOF (b"") or a reset of the connection (OSError)."""
    greenlet = gevent.getcurrent()
    say(addr, f"-> {greenlet.name} of the one loop")
    with conn, contextlib.suppress(OSError):
        while data := conn.recv(SIZE):
            conn.sendall(data)
            if len(data) == SIZE:
                # If more bytes have already arrived, recv neither waits nor switches greenlets, so
                # let the other greenlets run here. 收满一次，后面多半还有数据，主动让出
                gevent.sleep(0)
    say(addr, f"left, {greenlet.name} ends")


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
