"""Echo with a process per client: the parent accepts, each child serves one client and exits.
多进程服务器：父进程接受连接，每个子进程服务一个客户端，然后退出。
讲义: 基于fork的多进程网络并发模型

Run:    python day10/fork_server.py [port] [-b ADDRESS] [-v] [--quiet]
        python day10/echo_client.py [port]      in two more terminals

The idea is in serve(): accept a client, fork; the child echoes, the parent accepts the next client.
The functions after echo() handle the rest: a failing fork, zombies, Ctrl-C and kill.
day10/README.md first shows a small version that has only the idea.
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

SIZE = 1 << 16                      # maximum number of bytes per recv
TICK = 0.1                          # seconds between two checks of the children and the signals
STOP = {signal.SIGINT, signal.SIGTERM}              # Ctrl-C and kill
watched = False                     # whether say() prints its lines


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    hold_signals()
    children = {}                   # PID of a child -> address of its client
    with listen(argparse.ArgumentParser(description="Echo with a process per client.")) as listener:
        serve(listener, children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def serve(listener, children):
    """Accept clients and fork a child for each, until Ctrl-C or kill."""
    # accept must not wait for ever, because the parent also looks after children and signals. The
    # timeout is only for accept: conn does not inherit it, and its recv waits without a limit.
    # 超时只对 accept 有效：conn 不继承它，recv 会一直等待
    listener.settimeout(TICK)
    while not must_stop():
        reap(children)
        try:
            conn, addr = listener.accept()
        except TimeoutError:        # no client within one tick
            continue
        except OSError:
            # out of file descriptors (EMFILE): stop accepting for a moment
            time.sleep(TICK)
            continue
        pid = fork(children)
        if pid == 0:
            work(conn, listener)    # never returns: the child exits inside 子进程在里面退出
        # The parent closes its copy of conn. While any copy is open, the client does not see EOF.
        # 父进程关闭自己的一份，否则子进程关闭后客户端仍收不到 EOF
        conn.close()
        if pid:                     # not None: there is a child
            children[pid] = addr
            say(addr, f"-> child {pid}")


def work(conn, listener):
    """In the child: serve one client, then exit."""
    try:
        # The child closes its copy of the listening socket: only the parent accepts.
        # 子进程只和客户端通信，不接受新连接
        listener.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)
        echo(conn)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)                 # never return into the parent's loop


def echo(conn):
    """Send back what the client sends, until EOF (b"") or a reset of the connection (OSError)."""
    with conn, contextlib.suppress(OSError):
        while data := conn.recv(SIZE):
            conn.sendall(data)


def fork(children):
    """Fork; return the child's PID, 0 in the child, or None if the server must stop first."""
    while not must_stop():
        try:
            return os.fork()
        except OSError:
            # out of processes (EAGAIN): the client waits until a fork succeeds
            time.sleep(TICK)
            reap(children)
    return None


def reap(children):
    """Collect the children that have exited; do not wait for the others (WNOHANG)."""
    # 回收已退出的子进程，不留僵尸；不等待还在运行的
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:                # the remaining children are still running
            return
        # If a shell replaced itself with this server (`exec`), its children are ours: ignore them.
        if pid in children:
            exitcode = os.waitstatus_to_exitcode(status)
            say(children.pop(pid), f"left, child {pid} ended with {exitcode}")


def hold_signals():
    """Block SIGINT and SIGTERM, so that they never interrupt fork() or waitpid()."""
    # 阻塞这两个信号：到来后处于未决状态，由 must_stop 查看
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    # Restore the default actions: the program that started the server may have ignored these
    # signals, and the server inherits that. Some systems drop an ignored signal even while it is
    # blocked. While SIGCHLD is ignored, the kernel reaps the children itself, so waitpid finds
    # none.
    # 恢复默认动作：启动本程序的程序可能忽略了这些信号，而忽略会被继承
    for signum in (*STOP, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)


def must_stop():
    """Return True if SIGINT or SIGTERM is pending."""
    return bool(signal.sigpending() & STOP)


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
