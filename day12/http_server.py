"""An HTTP/1.1 server: one epoll loop, and a coroutine for each client.
HTTP/1.1 服务器：一个 epoll 循环，每个客户端一个协程。
讲义: HTTPServer v2.0 · HTTP 服务器 2.0

Run:    python day12/http_server.py [port] [-b ADDRESS] [-d DIRECTORY] [-w WORKERS]
                                    [--timeout SECONDS] [--quiet]
        curl -i http://127.0.0.1:8000/             in another terminal, or use a browser

A program can also import the class HTTPServer and add routes of its own:

    server = HTTPServer(("127.0.0.1", 8000), directory="site")

    @server.route("/api/time")
    def time_now(request):
        # Return str, bytes, dict or list (sent as JSON), or a tuple: (status, one of these).
        return {"now": time.time()}

    server.serve_forever()

Send bad requests. The server answers with 404, 400 and, after about 30 seconds, 408 (试着捣乱):

    curl -i --path-as-is http://127.0.0.1:8000/../../etc/passwd
    curl -i -H "Content-Length: 5" -H "Transfer-Encoding: chunked" -d hello http://127.0.0.1:8000/
    nc -C 127.0.0.1 8000          then type GET / HTTP/1.1, and press Enter once

The server does not support TLS, HTTP/2, compression, multipart ranges, request bodies above 1 MiB,
directory listings, or WSGI.
它不做的：TLS、HTTP/2、压缩、多段范围、1 MiB 以上的请求体、目录列表、WSGI。

This file reads the command line and starts the server. The server itself is in the package httpd/
next to this file, with one module for each idea. httpd/__init__.py lists the modules.

The loop (httpd/loop.py) asks epoll which sockets are ready, and resumes the coroutine of each
ready socket. The code of a coroutine looks like that of a blocking server: receive, parse, answer,
send. Where a blocking server would wait, the coroutine yields, and the loop serves other clients.

        +---------------------- serve_forever ----------------------+
        |  epoll.poll() --> fd 7, fd 9 --> next(task of 7), ... --+  |
        |       ^                                                 |  |
        |       +---- yield: "wait until my socket is ready" <----+  |
        +-----------------------------------------------------------+
          tasks: fd 4 accept_clients   fd 7 converse   fd 9 converse   fd 12 converse ...

The life of a request:

  1. converse (connection.py) receives bytes and looks for the empty line that ends the head.
  2. parse (request.py) turns the head into a Request, or raises a Refusal.
  3. find_handler (server.py) chooses the function that answers the Request. This function is
     a route, or file_reply, which uses files.py to find the file.
  4. The function returns a Reply (reply.py).
  5. Usually, one call to send sends the head and the body of the Reply. If the client does not
     read, its coroutine waits in send_all (EPOLLOUT). Other clients do not have to wait.

If a client is too slow, the loop throws a TimeoutError into the client's coroutine, at its yield. A
blocking socket with a timeout would raise the exception at the same place.

The server is fast because it reuses results as long as they are valid. In one turn of the loop,
all plain GETs (see Request.is_plain) of a small file share one answer, so the file is checked
(stat) only once. A small file that does not change is usually read at most once a second. A
request head that is identical to a recent one is not parsed again.
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

# Programs that import this file use these names.
__all__ = ["HTTPServer", "Refusal"]

COURSE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SITE = os.path.join(COURSE, "day12/site")


def main():
    check_needs()
    parser = make_parser()
    args = parser.parse_args()
    if args.workers not in range(1, MAX_WORKERS + 1) or not 0.01 <= args.timeout <= 86400:
        parser.error(f"--workers must be 1 to {MAX_WORKERS}, --timeout 0.01 to 86400 seconds")
    if args.workers > 1 and not hasattr(os, "fork"):
        parser.exit(2, "-w needs os.fork, which this system lacks: leave out -w"
                       " · -w 需要 os.fork，本系统没有，请去掉 -w\n")
    directory = SITE if args.directory is None else args.directory
    try:
        server = HTTPServer((args.bind, args.port), directory, args.timeout, not args.quiet)
    except (OSError, OverflowError, UnicodeError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n{next_step(error, args.port)}")

    @server.route("/api/status")
    def status(request):
        return server.status()

    # The course's own page links to the scripts. With -d, the server must not publish them.
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
                        help="port to listen on; 0 takes any free port (default: 8000)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1",
                        help="address to bind (default: 127.0.0.1)")
    parser.add_argument("-d", "--directory",
                        help="folder to serve (default: the course's page and scripts)")
    parser.add_argument("-w", "--workers", metavar="N", type=int, default=1,
                        help=f"number of processes, 1 to {MAX_WORKERS} (default: 1)")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=30,
                        help="seconds that a client may take to send a head or a body, stay "
                             "idle, or leave an answer unread (default: 30)")
    parser.add_argument("--quiet", action="store_true", help="do not log each request on stderr")
    return parser


def check_needs():
    """Print one line and exit with status 2 if the system lacks what this server needs."""
    if not hasattr(select, "epoll"):
        print("this needs select.epoll: use Linux or WSL · 需要 select.epoll，请用 Linux 或 WSL",
              file=sys.stderr)
        sys.exit(2)
    if not os.path.exists("/proc/self/stat"):
        print("this needs Linux's /proc: use Linux or WSL · 需要 Linux 的 /proc，请用 Linux 或 WSL",
              file=sys.stderr)
        sys.exit(2)


def next_step(error, port):
    """Return a line of advice about an error that HTTPServer() raised; "" if there is no advice.

    error: the exception.  port: the port that the user chose.
    """
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return f"Another program uses this port: try {other} · 端口已被占用，试试 {other}\n"
    # An error without a file name is about the port. Errors about the directory have a file name.
    if number == errno.EACCES and error.filename is None:
        return "Ports below 1024 need root: try 8000 · 1024 以下的端口要 root 权限，试试 8000\n"
    if number in (errno.ENOENT, errno.ENOTDIR):
        return "-d takes an existing folder, for example -d . · -d 后面是已有的目录，比如 -d .\n"
    if number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return "-b takes an address of this machine, such as 127.0.0.1 · -b 后面是本机的地址\n"
    return ""


def publish_scripts(server):
    """Add a route for each script of the course, because the course's page links to them."""
    for name in glob.glob("day*/**/*.py", root_dir=COURSE, recursive=True):
        server.route("/source/" + name)(functools.partial(read_script, name))


def read_script(name, request):
    """Return the current text of a script. name: the script's path within the course."""
    try:
        with open(os.path.join(COURSE, name), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        raise Refusal(404, "Not found") from None


def announce(server, quiet):
    """Print the server's address; on a terminal, also print the URL for a browser."""
    host, port = server.address
    if ":" in host:
        host = f"[{host}]"
    print(f"listening on {host}:{port}", flush=True)
    # sys.stdout is None if the server was started with stdout closed.
    if sys.stdout and sys.stdout.isatty() and not quiet:
        # A server that listens on all addresses can be reached at the loopback address.
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
        print(f"http://{host}:{port}/", flush=True)


def raise_descriptor_limit():
    """Raise the soft limit on descriptors, usually only 1,024 (day 11), to the hard limit."""
    # Import this module only here, because Windows lacks it. On Windows, check_needs() exits first.
    import resource
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def stop_on_signals(server):
    """Make SIGINT and SIGTERM end the server. Both signals stay blocked until the server runs."""
    def stop(signum, frame):
        # One signal is enough: further signals need not write into the self-pipe.
        signal.set_wakeup_fd(-1)
        server.shutdown()

    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    for signum in STOP_SIGNALS:
        signal.signal(signum, stop)
    # Python calls a signal handler only between two bytecode instructions. If a signal arrived
    # just before epoll.poll(), Python would call stop() only after poll had returned. set_wakeup_fd
    # makes Python write a byte into the self-pipe as soon as a signal arrives, so poll returns
    # immediately.
    # 信号一到，立即往自管道里写一个字节，epoll 马上醒来。
    signal.set_wakeup_fd(server.shutdown_writer.fileno(), warn_on_full_buffer=False)


if __name__ == "__main__":
    main()
