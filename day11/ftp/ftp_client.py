"""An FTP client for people: a menu to list, get and put files, built on the standard ftplib.
给人用的 FTP 客户端：用菜单列出、下载和上传文件，基于标准库 ftplib。
讲义: ftp 文件服务器

Run:    python day11/ftp/ftp_server.py                          first, in another terminal
        python day11/ftp/ftp_client.py [port] [-H HOST] [--user NAME]
        printf 'list\\nget welcome.txt\\nquit\\n' | python day11/ftp/ftp_client.py

What it gets goes into the current folder (if that is in the course, into day11/ftp/downloads), and
replaces a file of that name. A name is the rest of the line, with the spaces in it; Tab completes
it. With --user it asks for a password; in a pipe, that is line 1. On a terminal, Ctrl-C cancels a
transfer. To leave: quit, end of input (Ctrl-D), or Ctrl-C at the prompt.
Exit status: 0 all commands have worked, 1 one has not, 2 wrong arguments.

This file is the command: it connects and logs in. The rest is in the package ftpclient, whose map
is ftpclient/__init__.py.
"""
import argparse
import contextlib
import getpass
import os
import shlex
import signal
import sys

from ftpclient.connection import Connection
from ftpclient.errors import LOST, reason
from ftpclient.interrupt import ctrl_c
from ftpclient.menu import talk
from ftpclient.screen import to_wire

ANONYMOUS = ("anonymous", "ftp")
# Windows has no SIGHUP.
LEAVE = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main():
    # If it is closed, the connection would get its descriptor, and error messages would go there.
    sys.stderr = sys.stderr or open(os.devnull, "w")
    args = parse_arguments()
    # The name of a file may be any bytes, also such as are not UTF-8.
    sys.stdin.reconfigure(errors="surrogateescape")
    sys.stdout.reconfigure(errors="replace")
    for signum in LEAVE:
        # nohup asks to ignore SIGHUP: leave that as it is.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, stop)
    ftp = Connection()
    try:
        with contextlib.closing(ftp):
            connect(ftp, args.host, args.port)
            ftp.login(to_wire(args.user), to_wire(ask_password(args.user)))
            sys.exit(0 if talk(ftp) else 1)
    except LOST as error:
        sys.exit(f"ftp_client: {args.host} port {args.port}: {reason(error)}")


def connect(ftp, host, port):
    try:
        ftp.connect(host, port)
    except ConnectionRefusedError as error:
        server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ftp_server.py")
        command = f"python {shlex.quote(os.path.relpath(server))}"
        if port != 2121:
            command += f" {port}"
        sys.exit(f"ftp_client: {host} port {port}: {reason(error)}. "
                 f"Start the server first, in another terminal: {command}")


def stop(signum, frame):
    """The handler of Ctrl-C and other signals: leave, and clean up on the way.

    A second one does not disturb that. On a terminal, Ctrl-C cancels a transfer instead.
    """
    # 终端上正在传输时，Ctrl-C 只取消这次传输
    if signum == signal.SIGINT and sys.stdin.isatty() and sys.stdout.isatty() and ctrl_c.press():
        return
    for other in LEAVE:
        signal.signal(other, signal.SIG_IGN)
    if sys.stdout.isatty():
        # The shell's prompt gets a line of its own. The terminal may be closed: no error then.
        with contextlib.suppress(OSError):
            os.write(1, b"\n")
    sys.exit(128 + signum)


def ask_password(user):
    """Raises ValueError if standard input ends before the password."""
    if user in ANONYMOUS:
        return ""
    if sys.stdin.isatty():
        return getpass.getpass()
    line = sys.stdin.readline()
    if not line:
        raise ValueError("there is no line with the password")
    return line.rstrip("\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description="List, get and put the files of an FTP server.")
    parser.add_argument("port", nargs="?", type=int, default=2121,
                        help="of the server (default: 2121)")
    parser.add_argument("-H", "--host", default="127.0.0.1",
                        help="of the server (default: 127.0.0.1)")
    parser.add_argument("--user", metavar="NAME", default="anonymous",
                        help="log in by this name (default: anonymous)")
    args = parser.parse_args()
    if not 0 < args.port < 65536:
        parser.error("a port is a number from 1 to 65535")
    # If they are closed, the connection would get their descriptor.
    if sys.stdin is None or sys.stdout is None:
        parser.error("standard input and output are needed")
    return args


if __name__ == "__main__":
    main()
