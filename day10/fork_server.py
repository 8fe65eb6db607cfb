"""Echo with a process per client: the parent accepts, each child serves one client and ends with it.
基于fork的多进程网络并发模型

Run:    python day10/fork_server.py [port] [-b ADDRESS]
        python day10/echo_client.py [port]         in another terminal, as often as you like
"""
import argparse
import contextlib
import os
import signal
import socket
import time
import traceback

SIZE = 1 << 16                                     # bytes to receive at once
RETRY = 0.1                                        # seconds
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)


def main():
    children = set()
    signal.signal(signal.SIGCHLD, lambda signum, frame: reap(children))
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)                                # kill does what Ctrl-C does
    with contextlib.suppress(KeyboardInterrupt), listen("Echo with a process per client.") as listener:
        serve(listener, children)
    while children:
        pid = children.pop()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def stop(signum, frame):
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)                  # once is enough, from here on nothing comes in between
    for pending in SIGNALS:                        # what has come already, but has not been handled yet
        signal.signal(pending, lambda signum, frame: None)
    raise KeyboardInterrupt


def serve(listener, children):
    while True:
        try:
            conn, addr = listener.accept()
        except OSError:                            # no descriptor is free (EMFILE): whoever comes waits a little longer
            time.sleep(RETRY)
            continue
        with conn:                                 # the parent's copy; while it is open, the client cannot see the end
            while not start(conn, listener, children):                 # at the limit of processes (EAGAIN): this one waits too
                time.sleep(RETRY)


def start(conn, listener, children):
    """Start a child for a client; return whether there was one to be had."""
    with blocked(SIGNALS):                         # no signal comes between fork and add
        try:
            pid = os.fork()
        except OSError:
            return False
        if pid == 0:
            work(conn, listener)
        children.add(pid)
    return True


def work(conn, listener):
    """The child: serve the client and end."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)                   # Ctrl-C reaches the child too: it just ends
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        listener.close()                           # the parent's affair
        echo(conn)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)                                # never return into the parent's loop


def reap(children):
    """Leave no zombie. One SIGCHLD may stand for several children: see day07/sigchld.py."""
    with blocked(SIGNALS):
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:                           # the others are alive
                break
            children.discard(pid)


@contextlib.contextmanager
def blocked(signals):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def echo(conn):
    """Send back what a client sends, until it has said all or is gone."""
    with conn:
        try:
            while data := conn.recv(SIZE):         # nothing: the client has shut down its side
                conn.sendall(data)
        except OSError:                            # reset: that client is gone, and with it this process
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
