"""An FTP server with a thread per client; any FTP client can use it (RFC 959, 2389, 2428, 3659).
FTP 文件服务器：每个客户端一个线程，任何 FTP 客户端都能使用。
讲义: ftp 文件服务器

Run:    python day11/ftp/ftp_server.py [port] [-b ADDRESS] [-d DIRECTORY]
                                       [--user NAME:PASSWORD] [--read-only] [-v | --quiet]
        python day11/ftp/ftp_client.py [port]      in another terminal; or any other client,
                                                   curl, lftp, FileZilla: ftp://127.0.0.1:2121

FTP uses two connections. The control connection carries commands and replies during the whole
session. Each listing and each file travels over its own data connection; the sender closes this
connection to mark the end of the data.

    client                                               server
       |---- control connection ------------------------->| port 2121
       |   PASV                                           |
       |   227 Entering Passive Mode (127,0,0,1,156,64)   | this session's port: 156 * 256 + 64
       |---- data connection ---------------------------->| port 40000
       |   RETR a.txt                                     |
       |   150 Opening data connection                    |
       |   the bytes of a.txt, then EOF (data conn.) <----|
       |   226 Transfer complete                          |

The diagram shows passive mode. In active mode (PORT), the client listens and the server connects.

Permissions: the user "anonymous" can list, download and add files. With --user NAME:PASSWORD, that
user can also replace, rename and delete files and make folders, and "anonymous" can only read. With
--read-only, no client can write. Files are sent exactly as they are stored, even after TYPE A.
Clients see only regular files and folders; symbolic links, for example, are hidden from them.

What the server does not do 它不做什么: it has no TLS (passwords and files travel in clear text),
does not limit disk space or speed, cannot resume an interrupted upload, and does not support NAT.
不加密（密码和文件都是明文）；不限磁盘空间和速度；中断的上传不能续传；不支持 NAT。

On a terminal, or with -v, the server prints a line when a client connects, logs in, lists a folder,
transfers or changes a file, or leaves.

This file reads the command line and starts a thread for each client. The rest is in the package
ftpd. ftpd/__init__.py says where a command is parsed, where a silent client is disconnected, and
where to add a verb (the name of a command, such as RETR).
"""
import argparse
import contextlib
import errno
import os
import select
import socket
import sys
import threading
import time

from ftpd import watch
from ftpd.library import Library
from ftpd.login import ANONYMOUS
from ftpd.session import Session

# Seconds to pause after accept fails.
RETRY = 0.1


class FTPServer:
    """Accepts clients, and starts a thread with a Session for each of them.

    listener: a listening socket.  library: a Library.  users: a dict, name -> password.
    read_only: True if no client may write.  max_clients: maximum number of sessions.
    timeout: seconds of silence after which a session or a transfer ends.
    """

    def __init__(self, listener, library, users, read_only, max_clients, timeout):
        self.listener = listener
        self.library = library
        self.users = users
        self.read_only = read_only
        self.timeout = timeout
        self.slots = threading.Semaphore(max_clients)

    def serve_forever(self):
        while True:
            try:
                conn, address = self.listener.accept()
            except OSError:
                # Usually out of file descriptors (EMFILE): stop accepting for a moment.
                time.sleep(RETRY)
                continue
            if self.slots.acquire(blocking=False):
                try:
                    # Each client has its own thread: a thread that blocks delays only its client.
                    # 每个客户端一个线程，阻塞时不影响别的客户端
                    threading.Thread(target=self.serve, args=(conn,), daemon=True).start()
                    continue
                except RuntimeError:
                    # The system cannot start another thread.
                    self.slots.release()
            watch.say(f"{watch.address_text(*address[:2])} refused: too many clients")
            with conn, contextlib.suppress(OSError):
                conn.sendall(b"421 Too many clients, try again later\r\n")

    def serve(self, conn):
        """Serve one client, in its own thread."""
        try:
            # OSError: the client may already be disconnected.
            with conn, contextlib.suppress(OSError):
                Session(conn, self).run()
        finally:
            self.slots.release()


def main():
    if os.open not in os.supports_dir_fd or not hasattr(select, "poll"):
        print("this needs os.open with dir_fd, and select.poll: use Linux, macOS or WSL · "
              "需要 os.open 的 dir_fd 和 select.poll，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    parser = make_parser()
    args = parser.parse_args()
    if args.max_clients < 1 or not 0.01 <= args.timeout <= 86400:
        parser.error("--max-clients must be at least 1; --timeout must be 0.01 to 86400 seconds")
    try:
        library = Library(args.directory)
        listener = listen(args.bind, args.port)
    except (OSError, OverflowError, UnicodeError) as error:
        parser.exit(2, f"{parser.prog}: {error}{advice(error, args)}\n")
    print(f"listening on {watch.address_text(*listener.getsockname()[:2])}", flush=True)
    if sys.stdout and (args.verbose or sys.stdout.isatty() and not args.quiet):
        watch.start()
    server = FTPServer(listener, library, dict(args.user), args.read_only, args.max_clients,
                       args.timeout)
    with listener, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    with contextlib.suppress(KeyboardInterrupt):
        watch.finish()


def listen(host, port):
    """Return a listening socket. Raises OSError, OverflowError or UnicodeError."""
    # With IPv6, the address is (host, port, flow, scope): a link-local host such as fe80::1%eth0 is
    # valid only together with its scope.
    family, *_, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    return socket.create_server((address[0], port, *address[2:]), family=family, backlog=1024)


def advice(error, args):
    """Return what the user can do about a startup error, or an empty string."""
    command = f"python {sys.argv[0]}"
    if isinstance(error, FileNotFoundError):
        return ". Create that folder first, or omit -d to serve the files of the course"
    if error.args[0] == errno.EADDRINUSE:
        other = args.port + 1 if args.port < 65535 else 2121
        return f". Try another port: {command} {other}"
    if error.args[0] == errno.EACCES and 0 < args.port < 1024:
        return f". Ports below 1024 need root; try 2121: {command} 2121"
    if error.args[0] == errno.EADDRNOTAVAIL:
        return ". -b needs an address of this machine: 127.0.0.1, or 0.0.0.0 for all addresses"
    return ""


def make_parser():
    parser = argparse.ArgumentParser(description="Serve a folder over FTP.")
    add = parser.add_argument
    add("port", nargs="?", type=int, default=2121, help="0: any free port (default: 2121)")
    add("-b", "--bind", metavar="ADDRESS", default="127.0.0.1",
        help="address to bind (default: 127.0.0.1)")
    files = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
    add("-d", "--directory", default=files,
        help="folder to serve (default: files, next to this script)")
    add("--user", metavar="NAME:PASSWORD", action="append", type=name_and_password, default=[],
        help="a user who may change everything; can be given several times")
    add("--read-only", action="store_true", help="let no client write")
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true",
                        help="show what clients do (default: only on a terminal)")
    volume.add_argument("--quiet", action="store_true", help="do not show what clients do")
    add("--max-clients", metavar="N", type=int, default=500,
        help="serve at most N clients at the same time (default: 500)")
    add("--timeout", metavar="SECONDS", type=float, default=300,
        help="end a session after this many seconds of silence (default: 300)")
    return parser


def name_and_password(text):
    name, colon, password = text.partition(":")
    if not name or not colon or name in ANONYMOUS:
        raise argparse.ArgumentTypeError("write NAME:PASSWORD; anonymous needs no password")
    return name, password


if __name__ == "__main__":
    main()
