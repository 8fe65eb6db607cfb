"""An HTTP/1.1 server: a coroutine per client over epoll, the two halves of this day in one program.
HTTPServer v2.0 · HTTP 服务器 2.0

Run:    python day12/http_server.py [port] [-b ADDRESS] [-d DIRECTORY] [-w WORKERS]
                                    [--timeout SECONDS] [--quiet]
        curl -i http://127.0.0.1:8000/             in another terminal, or a browser

    server = HTTPServer(("127.0.0.1", 8000), directory="site")

    @server.route("/api/time")
    def time_now(request):
        # str, bytes, dict or list (as JSON), or (status, one of these)
        return {"now": time.time()}

    server.serve_forever()

This file is the command. The server itself is in the package httpd/ beside it, one room for each
idea; its __init__.py is the map.

The loop (httpd/loop.py) asks epoll which sockets are ready and lets the coroutines of those clients
go on. A coroutine reads like a blocking server: receive, parse, answer, send. Where a blocking
server would wait, it yields, and the loop serves others.

        +---------------------- serve_forever ----------------------+
        |  epoll.poll() --> fd 7, fd 9 --> next(task of 7), ... --+  |
        |       ^                                                 |  |
        |       +---- yield: "wait until my socket is ready" <----+  |
        +-----------------------------------------------------------+
          tasks: fd 4 accept_clients   fd 7 converse   fd 9 converse   fd 12 converse ...

The way of a request: converse (connection.py) receives bytes and looks for the empty line that ends
the head; parse (request.py) makes a Request of it, or a Refusal; find_handler (server.py) finds the
route or file_reply (with files.py), which makes a Reply (reply.py); head and body go out in one
send. If the client does not take them all, send_all waits (EPOLLOUT), and only this client waits.

A client that is too slow gets a TimeoutError, thrown into its coroutine at the yield: just where a
blocking socket would raise it.

Why it is fast: what has been computed is kept as long as it is true. In one turn of the loop a file
is looked at (stat) and its answer is made once, for all plain requests; a small file that has not
changed is read once a second; equal heads are parsed once.
"""
import argparse
import os
import resource
import signal

from httpd.request import Refusal
from httpd.server import HTTPServer
from httpd.workers import MAX_WORKERS, SIGNALS, supervise

# What a program that imports this file needs.
__all__ = ["HTTPServer", "Refusal"]


def main():
    parser = make_parser()
    args = parser.parse_args()
    if args.workers not in range(1, MAX_WORKERS + 1) or not 0.01 <= args.timeout <= 86400:
        parser.error(f"--workers is from 1 to {MAX_WORKERS}, --timeout from 0.01 to 86400")
    try:
        server = HTTPServer((args.bind, args.port), args.directory, args.timeout, not args.quiet)
    except (OSError, OverflowError, UnicodeError) as error:
        # in use; no such port, address, directory
        parser.exit(2, f"{parser.prog}: {error}\n")

    @server.route("/api/status")
    def status(request):
        return server.status()

    raise_descriptor_limit()
    stop_on_signals(server)
    host, port = server.address
    if ":" in host:
        host = f"[{host}]"
    print(f"listening on {host}:{port}", flush=True)
    if args.workers > 1:
        supervise(server, args.workers)
    else:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        server.serve_forever()
    # A second Ctrl-C must not disturb the end of the interpreter.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def make_parser():
    """Return the parser of the command line."""
    site = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
    parser = argparse.ArgumentParser(description="Serve a directory over HTTP.")
    parser.add_argument("port", nargs="?", type=int, default=8000,
                        help="0 for a free one (default: 8000)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1",
                        help="address to bind (default: 127.0.0.1)")
    parser.add_argument("-d", "--directory", default=site,
                        help="what to serve (default: site, beside this script)")
    parser.add_argument("-w", "--workers", metavar="N", type=int, default=1,
                        help=f"processes, 1 to {MAX_WORKERS} (default: 1)")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=30,
                        help="for a request to come, of silence, and for a client that does not "
                             "read (default: 30)")
    parser.add_argument("--quiet", action="store_true", help="no line on stderr for each request")
    return parser


def raise_descriptor_limit():
    """Allow as many connections as the machine does: the usual limit is for select (day 11)."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def stop_on_signals(server):
    """Let SIGINT and SIGTERM end the server. They are left blocked: they wait until it runs."""
    def stop(signum, frame):
        # Once is enough.
        signal.set_wakeup_fd(-1)
        server.shutdown()

    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    # Python calls stop() only between two steps of its own: a signal that comes just before
    # epoll.poll() would wait as long as that does. But this sends a byte at once (self-pipe).
    # 信号一到，立即往自管道里写一个字节，epoll 马上醒来。
    signal.set_wakeup_fd(server.shutdown_writer.fileno(), warn_on_full_buffer=False)


if __name__ == "__main__":
    main()
