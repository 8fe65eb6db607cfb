"""Echo with a process per client: the parent accepts, each child serves one client and ends with it.
基于fork的多进程网络并发模型

Run:    python day10/fork_server.py [port] [-b ADDRESS]
        python day10/echo_client.py [port]         in another terminal, as often as you like
"""
import argparse
import os
import signal
import socket
import time
import traceback

SIZE = 1 << 16                      # bytes to receive at once
TICK = 0.1                          # seconds until the parent looks around again
STOP = {signal.SIGINT, signal.SIGTERM}


def main():
    # Ctrl-C and kill stay pending until serve() asks for them, so they interrupt nothing half-way.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    # A signal that is ignored never becomes pending, and ignoring SIGCHLD would take wait away.
    for signum in (*STOP, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)
    children = set()
    with listen("Echo with a process per client.") as listener:
        serve(listener, children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def serve(listener, children):
    listener.settimeout(TICK)
    conn = None
    while not signal.sigpending() & STOP:
        reap(children)
        try:
            conn = conn or listener.accept()[0]
            pid = os.fork()
        except TimeoutError:        # no client within one tick
            continue
        except OSError:             # out of descriptors (EMFILE) or processes (EAGAIN):
            time.sleep(TICK)        # keep this client, stop accepting for a moment
            continue
        if pid == 0:
            work(conn, listener)
        children.add(pid)
        # 父进程关闭自己的一份，否则子进程关闭后客户端仍看不到结束
        conn.close()                # the parent's copy: while it is open, the client sees no end
        conn = None
    if conn:
        conn.close()


def reap(children):
    """Collect the children that have exited, without waiting for the others (day07/sigchld.py)."""
    while children and (pid := os.waitpid(-1, os.WNOHANG)[0]):
        children.discard(pid)


def work(conn, listener):
    """The child: serve one client and exit."""
    try:
        # 子进程只和客户端通信，不接受新连接
        listener.close()            # the child's copy: only the parent accepts
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)
        echo(conn)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)                 # never return into the parent's loop


def echo(conn):
    """Send back what the client sends, until it shuts down its side (b"") or resets (OSError)."""
    with conn:
        try:
            while data := conn.recv(SIZE):
                conn.sendall(data)
        except OSError:
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
