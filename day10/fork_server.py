"""Echo with a process per client: the parent accepts, each child serves one client and exits.
多进程服务器：父进程接受连接，每个子进程服务一个客户端，然后退出。
讲义: 基于fork的多进程网络并发模型

Run:    python day10/fork_server.py [port] [-b ADDRESS] [-v] [--quiet]
        python day10/echo_client.py [port]      in two more terminals

day10/README.md begins with a small version of it.
"""
import argparse
import contextlib
import errno
import os
import signal
import socket
import sys
import time
import traceback

SIZE = 1 << 16                      # bytes to receive at once
TICK = 0.1                          # seconds until the parent looks around again
STOP = {signal.SIGINT, signal.SIGTERM}
watched = False                     # whether say() shows the clients


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    # Ctrl-C and kill stay pending until serve() asks for them, so they interrupt nothing half-way.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    # We may have been started with them ignored: then Ctrl-C and kill would never become
    # pending, and waitpid would find no children.
    for signum in (*STOP, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)
    children = {}                   # PID -> the address of its client
    with listen(argparse.ArgumentParser(description="Echo with a process per client.")) as listener:
        serve(listener, children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def serve(listener, children):
    listener.settimeout(TICK)
    client = None
    while not signal.sigpending() & STOP:
        reap(children)
        try:
            # keep the client if fork has failed
            client = client or listener.accept()
            pid = os.fork()
        except TimeoutError:        # no client within one tick
            continue
        except OSError:
            # out of file descriptors (EMFILE) or processes (EAGAIN): stop accepting for a moment
            time.sleep(TICK)
            continue
        conn, addr = client
        if pid == 0:
            work(conn, listener)
        children[pid] = addr
        # The parent's copy: while it is open, the client sees no end.
        # 父进程关闭自己的一份，否则子进程关闭后客户端仍看不到结束
        conn.close()
        client = None
        say(addr, f"-> child {pid}")
    if client:
        client[0].close()


def reap(children):
    """Collect the children that have exited; wait for no others (day07/sigchld_handler.py)."""
    while children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
        pid, status = ended
        if pid in children:
            exitcode = os.waitstatus_to_exitcode(status)
            say(children.pop(pid), f"left, child {pid} ended with {exitcode}")


def work(conn, listener):
    """The child: serve one client and exit."""
    try:
        # The child's copy: only the parent accepts.
        # 子进程只和客户端通信，不接受新连接
        listener.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)
        echo(conn)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)                 # never return into the parent's loop


def echo(conn):
    """Send back what the client sends, until it shuts down its side (b"") or resets (OSError)."""
    with conn, contextlib.suppress(OSError):
        while data := conn.recv(SIZE):
            conn.sendall(data)


# From here on: the same in every echo server; nothing about concurrency.
# 以下部分在每个回声服务器里都一样，与并发无关。

def say(addr, text):
    """Show what happens to a client: on a terminal, or with -v."""
    if watched:
        # os.write, unlike print, never mixes up the lines of two threads, and does not buffer.
        with contextlib.suppress(OSError):      # the terminal has been closed: go on serving
            os.write(1, f"{host_port(addr)} {text}\n".encode())


def host_port(addr):
    """Return an address as text: 127.0.0.1:8888 or [::1]:8888."""
    host, port = addr[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listen(parser):
    """Return the listening socket that the command line asks for, or exit with status 2."""
    global watched
    parser.add_argument("port", nargs="?", type=int, default=8888, help="0: any free one")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1")
    parser.add_argument("-v", "--verbose", action="store_true", help="show clients in a pipe too")
    parser.add_argument("--quiet", action="store_true", help="show no clients on a terminal")
    args = parser.parse_args()
    watched = not args.quiet and (args.verbose or os.isatty(1))
    family = socket.AF_INET6 if ":" in args.bind else socket.AF_INET
    try:
        # It sets SO_REUSEADDR: old connections in TIME_WAIT do not prevent a restart.
        listener = socket.create_server((args.bind, args.port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        hints = {
            errno.EADDRINUSE: f"try port {args.port + 1} · 端口已被占用，请换一个",
            errno.EACCES: "try port 8888, below 1024 needs root · 1024 以下的端口需要 root",
            errno.EADDRNOTAVAIL: "try -b 127.0.0.1 · 本机没有这个地址",
        }
        code = getattr(error, "errno", None)
        reason = f"{os.strerror(code)}: {hints[code]}" if code in hints else error
        parser.exit(2, f"{parser.prog}: {host_port((args.bind, args.port))}: {reason}\n")
    # Accepted sockets inherit both: send small packets at once; keep urgent data in the stream.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    print(f"listening on {host_port(listener.getsockname())}", flush=True)
    return listener


if __name__ == "__main__":
    main()
