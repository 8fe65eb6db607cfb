"""An HTTP/1.1 server: one epoll loop, and a coroutine for each client.
HTTP/1.1 服务器：一个 epoll 循环，每个客户端一个协程。
讲义: HTTPServer v2.0 · HTTP 服务器 2.0

Run:    python day12/http_server.py [port] [-b ADDRESS] [-d DIRECTORY] [-w WORKERS]
                                    [--timeout SECONDS] [--quiet]
        curl -i http://127.0.0.1:8000/             in another terminal, or a browser

    server = HTTPServer(("127.0.0.1", 8000), directory="site")

    @server.route("/api/time")
    def time_now(request):
        # str, bytes, dict or list (as JSON), or (status, one of these)
        return {"now": time.time()}

    server.serve_forever()

Poke it, and expect 404, 400 and, after 30 seconds, 408 (试着捣乱):

    curl -i --path-as-is http://127.0.0.1:8000/../../etc/passwd
    curl -i -H "Content-Length: 5" -H "Transfer-Encoding: chunked" -d hello http://127.0.0.1:8000/
    nc -C 127.0.0.1 8000          then type GET / HTTP/1.1, and press Enter once

What it does not do: TLS, HTTP/2, compression, multipart ranges, bodies above 1 MiB, lists of files,
WSGI. 它不做的：TLS、HTTP/2、压缩、多段范围、1 MiB 以上的请求体、目录列表、WSGI。

This file is the command. The server itself is in the package httpd/ next to it, one module for each
idea; its __init__.py is the map.

The loop (httpd/loop.py) asks epoll which sockets are ready, and continues the coroutines of those
clients. A coroutine reads like a blocking server: receive, parse, answer, send. Where a blocking
server would wait, it yields, and the loop serves other clients.

        +---------------------- serve_forever ----------------------+
        |  epoll.poll() --> fd 7, fd 9 --> next(task of 7), ... --+  |
        |       ^                                                 |  |
        |       +---- yield: "wait until my socket is ready" <----+  |
        +-----------------------------------------------------------+
          tasks: fd 4 accept_clients   fd 7 converse   fd 9 converse   fd 12 converse ...

The life of a request: converse (connection.py) receives bytes and looks for the empty line that
ends the head; parse (request.py) turns the head into a Request, or raises a Refusal; find_handler
(server.py) finds a route or file_reply (with files.py), and that makes a Reply (reply.py); one send
sends head and body. If the client does not read them, send_all waits (EPOLLOUT); others do not.

If a client is too slow, the loop throws a TimeoutError into its coroutine, at the yield: just where
a blocking socket would raise it.

Why it is fast: it keeps each result as long as it is valid. In one turn of the loop, it checks a
file (stat) and makes the answer only once, for all plain requests; it reads an unchanged small file
at most once a second; and it parses equal heads once.
"""
import argparse
import errno
import functools
import glob
import os
import select
import signal
import socket
import sys

from httpd.request import Refusal
from httpd.server import HTTPServer
from httpd.workers import MAX_WORKERS, STOP_SIGNALS, supervise

# The names for programs that import this file.
__all__ = ["HTTPServer", "Refusal"]

COURSE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SITE = os.path.join(COURSE, "day12/site")


def main():
    check_needs()
    parser = make_parser()
    args = parser.parse_args()
    if args.workers not in range(1, MAX_WORKERS + 1) or not 0.01 <= args.timeout <= 86400:
        parser.error(f"--workers takes 1 to {MAX_WORKERS}, --timeout takes 0.01 to 86400")
    if args.workers > 1 and not hasattr(os, "fork"):
        parser.exit(2, "-w needs os.fork: leave it out · -w 需要 os.fork，请去掉 -w\n")
    directory = SITE if args.directory is None else args.directory
    try:
        server = HTTPServer((args.bind, args.port), directory, args.timeout, not args.quiet)
    except (OSError, OverflowError, UnicodeError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n{next_step(error, args.port)}")

    @server.route("/api/status")
    def status(request):
        return server.status()

    # Only with the course's own page: with -d, the server serves that folder and nothing else.
    if args.directory is None:
        publish_scripts(server)
    raise_descriptor_limit()
    stop_on_signals(server)
    announce(server, args.quiet)
    if args.workers > 1:
        supervise(server, args.workers)
    else:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        server.serve_forever()
    # A second Ctrl-C must not interrupt the interpreter while it exits.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def make_parser():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description="Serve a directory over HTTP.")
    parser.add_argument("port", nargs="?", type=int, default=8000,
                        help="0 for a free one (default: 8000)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1",
                        help="address to bind (default: 127.0.0.1)")
    parser.add_argument("-d", "--directory",
                        help="folder to serve (default: the course's page and scripts)")
    parser.add_argument("-w", "--workers", metavar="N", type=int, default=1,
                        help=f"processes, 1 to {MAX_WORKERS} (default: 1)")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=30,
                        help="how long a client may take to send a request, be silent, or read "
                             "nothing (default: 30)")
    parser.add_argument("--quiet", action="store_true", help="no line on stderr for each request")
    return parser


def check_needs():
    """Exit with status 2 and one line if the system lacks what this server needs."""
    if not hasattr(select, "epoll"):
        print("this needs select.epoll: use Linux or WSL · 需要 select.epoll，请用 Linux 或 WSL",
              file=sys.stderr)
        sys.exit(2)
    if not os.path.exists("/proc/self/stat"):
        print("this needs Linux's /proc: use Linux or WSL · 需要 Linux 的 /proc，请用 Linux 或 WSL",
              file=sys.stderr)
        sys.exit(2)


def next_step(error, port):
    """Return a line with the next step after an error of HTTPServer(), or an empty string."""
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return f"Another program uses this port: try {other} · 端口已被占用，试试 {other}\n"
    # An error has a file name only if it is about the directory.
    if number == errno.EACCES and error.filename is None:
        return "Ports below 1024 need root: try 8000 · 1024 以下的端口要 root 权限，试试 8000\n"
    if number in (errno.ENOENT, errno.ENOTDIR):
        return "-d takes an existing folder, for example -d . · -d 后面是已有的目录，比如 -d .\n"
    if number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return "-b takes an address of this machine, such as 127.0.0.1 · -b 后面是本机的地址\n"
    return ""


def publish_scripts(server):
    """Add a route for each script, so that the links on the course's page lead to the scripts."""
    for name in glob.glob("day*/**/*.py", root_dir=COURSE, recursive=True):
        server.route("/source/" + name)(functools.partial(read_script, name))


def read_script(name, request):
    """Return the current text of a script. name: its path in the course."""
    try:
        with open(os.path.join(COURSE, name), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        raise Refusal(404, "Not found") from None


def announce(server, quiet):
    """Print the address of the server; on a terminal, also the URL for a browser."""
    host, port = server.address
    if ":" in host:
        host = f"[{host}]"
    print(f"listening on {host}:{port}", flush=True)
    if sys.stdout.isatty() and not quiet:
        # A server that listens on all addresses can be reached at the loopback address.
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
        print(f"http://{host}:{port}/", flush=True)


def raise_descriptor_limit():
    """Raise the soft limit of descriptors, usually only 1,024 (day 11), to the hard limit."""
    # Imported here, because Windows has no such module; on Windows, check_needs() exits first.
    import resource
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def stop_on_signals(server):
    """Make SIGINT and SIGTERM end the server. They remain blocked until the server runs."""
    def stop(signum, frame):
        # One signal is enough: stop writing bytes into the self-pipe.
        signal.set_wakeup_fd(-1)
        server.shutdown()

    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    for signum in STOP_SIGNALS:
        signal.signal(signum, stop)
    # Python calls stop() only between two steps of Python code: after a signal just before
    # epoll.poll(), it would call stop() only when poll returns. But with set_wakeup_fd, it writes a
    # byte into the self-pipe as soon as the signal arrives, so poll returns immediately.
    # 信号一到，立即往自管道里写一个字节，epoll 马上醒来。
    signal.set_wakeup_fd(server.shutdown_writer.fileno(), warn_on_full_buffer=False)


if __name__ == "__main__":
    main()
