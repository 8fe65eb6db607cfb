"""An FTP client with a menu: it lists, gets and puts files with the standard module ftplib.
带菜单的 FTP 客户端：列出、下载和上传文件，基于标准库 ftplib。
讲义: ftp 文件服务器

Run:    python day11/ftp/ftp_server.py                          start it in another terminal
        python day11/ftp/ftp_client.py [port] [-H HOST] [--user NAME]
        printf 'list\\nget welcome.txt\\nquit\\n' | python day11/ftp/ftp_client.py

Downloads go into the current folder (inside the course's folder: into day11/ftp/downloads) and
replace a file of the same name. Everything after "get " or "put " is one file name, so the name can
contain spaces. Tab completes commands and file names. With --user, the client asks for a password.
If standard input is not a terminal, the first line of the input is the password.
On a terminal, Ctrl-C cancels a transfer. To leave, type quit, Ctrl-D (end of input), or Ctrl-C at
the prompt.
The exit status is 0 if all commands succeeded, 1 if any failed, 2 if the arguments were wrong, and
128 plus the signal's number if a signal ended the client (130 after Ctrl-C at the prompt).

This file connects and logs in. The rest is in the package ftpclient; ftpclient/__init__.py lists
its modules.
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
    # If stderr stayed closed, the connection would get descriptor 2, and the server would get
    # our error messages.
    sys.stderr = sys.stderr or open(os.devnull, "w")
    args = parse_arguments()
    # A file name can contain any bytes, even bytes that are not valid UTF-8.
    sys.stdin.reconfigure(errors="surrogateescape")
    sys.stdout.reconfigure(errors="replace")
    # Some programs start us with a non-blocking stdout. Make stdout blocking, so that print waits
    # while the output is full. (On Windows, set_blocking can fail.)
    # 有些程序传下来的标准输出是非阻塞的：改成写满时等待
    with contextlib.suppress(AttributeError, OSError):
        os.set_blocking(sys.stdout.fileno(), True)
    for signum in LEAVE:
        # Do not catch a signal that is ignored, such as SIGHUP under nohup.
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
    """Handle Ctrl-C and other signals: clean up and exit; ignore further signals.

    During a transfer on a terminal, the first Ctrl-C cancels only the transfer.
    """
    # 终端上正在传输时，Ctrl-C 只取消这次传输
    if signum == signal.SIGINT and sys.stdin.isatty() and sys.stdout.isatty() and ctrl_c.press():
        return
    for other in LEAVE:
        signal.signal(other, signal.SIG_IGN)
    if sys.stdout.isatty():
        # Let the shell's prompt begin on a new line. (OSError means that the terminal is closed.)
        with contextlib.suppress(OSError):
            os.write(1, b"\n")
    sys.exit(128 + signum)


def ask_password(user):
    """Ask for a user's password and return it. Raises ValueError if standard input has ended."""
    if user in ANONYMOUS:
        return ""
    if sys.stdin.isatty():
        return getpass.getpass()
    line = sys.stdin.readline()
    if not line:
        raise ValueError("standard input has ended, but the first line must be the password")
    return line.rstrip("\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description="List, get and put files on an FTP server.")
    parser.add_argument("port", nargs="?", type=int, default=2121,
                        help="port of the server (default: 2121)")
    parser.add_argument("-H", "--host", default="127.0.0.1",
                        help="host of the server (default: 127.0.0.1)")
    parser.add_argument("--user", metavar="NAME", default="anonymous",
                        help="log in under this name (default: anonymous)")
    args = parser.parse_args()
    if not 0 < args.port < 65536:
        parser.error("the port must be a number from 1 to 65535")
    # If stdin or stdout were closed, the connection would get descriptor 0 or 1.
    if sys.stdin is None or sys.stdout is None:
        parser.error("standard input and output must be open")
    return args


if __name__ == "__main__":
    main()
