"""An FTP server: a thread per client, for any FTP client (RFC 959, 2389, 2428, 3659).
FTP 文件服务器：每个客户端一个线程，任何 FTP 客户端都能使用。
讲义: ftp 文件服务器

Run:    python day11/ftp/ftp_server.py [port] [-b ADDRESS] [-d DIRECTORY]
                                       [--user NAME:PASSWORD] [--read-only] [-v | --quiet]
        python day11/ftp/ftp_client.py [port]      in another terminal; or any other client,
                                                   curl, lftp, FileZilla: ftp://127.0.0.1:2121

FTP uses two connections. Commands and replies travel over the control connection, as long as the
session lasts. Each listing and each file travels over a data connection of its own, and its end is
the end of the file.

    client                                               server
       |---- control connection ------------------------->| port 2121
       |   PASV                                           |
       |   227 Entering Passive Mode (127,0,0,1,156,64)   | a port for this session: 156 * 256 + 64
       |---- data connection ---------------------------->| port 40000
       |   RETR a.txt                                     |
       |   150 Opening data connection                    |
       |            the bytes of a.txt, then its end <----|
       |   226 Transfer complete                          |

That is passive mode. In active mode (PORT) the client listens, and it is the server that connects.

Permissions: anonymous lists, downloads and adds files. With --user NAME:PASSWORD, that user may
also replace, rename, delete and make folders, and anonymous only reads. With --read-only no client
writes. Files are sent as they are stored, also after TYPE A. What is neither a file nor a folder,
such as a link, does not exist as far as clients can see.

On a terminal, or with -v, it shows which clients come and go, log in, and send or get which files.

This file is the command, and the loop that gives each client a thread. The rest is in the package
ftpd: ftpd/__init__.py is the map of its rooms, and says in which one a command is parsed, a slow
client is thrown out, or a verb can be added.
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

# Seconds to pause after an error of accept.
RETRY = 0.1


class FTPServer:
    """Accepts clients, and gives each a thread with a Session.

    listener: a listening socket.  library: a Library.  users: passwords by name.
    read_only: whether no client may write.  max_clients: how many sessions there may be at a time.
    timeout: seconds of silence after which a session or transfer ends.
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
                # Out of file descriptors (EMFILE): stop accepting for a moment.
                time.sleep(RETRY)
                continue
            if self.slots.acquire(blocking=False):
                try:
                    # A thread of its own may block without holding up the other clients.
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
        """The thread of one client."""
        try:
            # OSError: the client may already have disconnected.
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
        parser.error("--max-clients is at least 1, --timeout from 0.01 to 86400")
    try:
        library = Library(args.directory)
        listener = listen(args.bind, args.port)
    except (OSError, OverflowError, UnicodeError) as error:
        parser.exit(2, f"{parser.prog}: {error}{advice(error, args)}\n")
    print(f"listening on {watch.address_text(*listener.getsockname()[:2])}", flush=True)
    if sys.stdout:
        # Names of clients' files may be in any script, the terminal's encoding may be a small one.
        sys.stdout.reconfigure(errors="replace")
        watch.watched = args.verbose or sys.stdout.isatty() and not args.quiet
    server = FTPServer(listener, library, dict(args.user), args.read_only, args.max_clients,
                       args.timeout)
    with listener, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def listen(host, port):
    """A listening socket. Raises OSError, OverflowError or UnicodeError."""
    # Of IPv6 an address is four values: fe80::1%eth0 means something only with its scope.
    family, *_, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    return socket.create_server((address[0], port, *address[2:]), family=family, backlog=1024)


def advice(error, args):
    """What to do about an error at the start; empty if there is nothing to say."""
    command = f"python {sys.argv[0]}"
    if isinstance(error, FileNotFoundError):
        return ". Make that folder first, or leave -d out to serve the files of the course"
    if error.args[0] == errno.EADDRINUSE:
        other = args.port + 1 if args.port < 65535 else 2121
        return f". Take another port: {command} {other}"
    if error.args[0] == errno.EACCES and 0 < args.port < 1024:
        return f". Ports below 1024 are for root; take 2121: {command} 2121"
    if error.args[0] == errno.EADDRNOTAVAIL:
        return ". -b takes an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them"
    return ""


def make_parser():
    parser = argparse.ArgumentParser(description="Serve a folder over FTP.")
    add = parser.add_argument
    add("port", nargs="?", type=int, default=2121, help="0 for a free one (default: 2121)")
    add("-b", "--bind", metavar="ADDRESS", default="127.0.0.1",
        help="address to bind (default: 127.0.0.1)")
    files = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
    add("-d", "--directory", default=files,
        help="what to serve (default: files, beside this script)")
    add("--user", metavar="NAME:PASSWORD", action="append", type=name_and_password, default=[],
        help="may change everything; can be given several times")
    add("--read-only", action="store_true", help="no client may write")
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true",
                        help="show what clients do (default: if this is a terminal)")
    volume.add_argument("--quiet", action="store_true", help="do not show what clients do")
    add("--max-clients", metavar="N", type=int, default=500,
        help="clients at a time (default: 500)")
    add("--timeout", metavar="SECONDS", type=float, default=300,
        help="of silence end a session (default: 300)")
    return parser


def name_and_password(text):
    name, colon, password = text.partition(":")
    if not name or not colon or name in ANONYMOUS:
        raise argparse.ArgumentTypeError("a user is given as NAME:PASSWORD, and anonymous has none")
    return name, password


if __name__ == "__main__":
    main()
