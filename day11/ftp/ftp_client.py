"""A client of an FTP server for people: it lists, gets and puts files, as a menu says, on the standard library's ftplib.
ftp 文件服务器

Run:    python day11/ftp/ftp_server.py                          first, in another terminal
        python day11/ftp/ftp_client.py [port] [-H HOST] [--user NAME]
        printf 'list\\nget welcome.txt\\nquit\\n' | python day11/ftp/ftp_client.py

What it gets goes into the folder that you are in, and takes the place of a file of that name. A name is the rest of the
line, with the spaces in it. With --user a password is asked for; from a pipe it is the first line.
To leave: quit, end of input (Ctrl-D) or Ctrl-C. Exit status: 0 all has worked, 1 something has not, 2 wrong arguments.
"""
import argparse
import contextlib
import datetime
import ftplib
import getpass
import os
import secrets
import shutil
import signal
import socket
import stat
import struct
import sys
import time

MENU = """
  1  list [FOLDER]   what is in the library     查看文件库
  2  get NAME        download a file            下载文件
  3  put FILE        upload a file              上传文件
  4  quit            leave                      退出
  5  help            this menu                  帮助
"""
WORDS = {"1": "list", "2": "get", "3": "put", "4": "quit", "5": "help"}
ANONYMOUS = ("anonymous", "ftp")
TIMEOUT = 30                                       # seconds without a word from the server until we give it up
BLOCK = 1 << 18                                    # bytes to send or receive at once
DRAW_EVERY = 0.1                                   # seconds
CLEAR_LINE = "\r\x1b[K"
REFUSED = (ftplib.error_temp, ftplib.error_perm)   # the server's 4xx and 5xx; after them the session goes on
LOST = (*ftplib.all_errors, ValueError, OverflowError)                 # all that a connection or a strange server can raise

try:
    import readline  # noqa: F401                  # with it, input() edits lines
except ImportError:
    pass


class Failed(Exception):
    """A command has not worked, for the reason given; the session goes on."""


def main():
    sys.stderr = sys.stderr or open(os.devnull, "w")                   # closed; the connection would get that descriptor
    args = parse_arguments()
    sys.stdin.reconfigure(errors="surrogateescape")                    # a file's name may be any bytes
    sys.stdout.reconfigure(errors="replace")
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) is not signal.SIG_IGN:             # as nohup asks for
            signal.signal(signum, stop)
    # Latin-1 takes each byte for a character, so that no name and no reply can be undecodable. See to_wire, from_wire.
    ftp = ftplib.FTP(timeout=TIMEOUT, encoding="latin-1")
    # The reply to PASV tells an address to connect to. A server could name somebody else's, and make us knock there; so
    # only the port is taken from it. That is ftplib's own default; it stands here because it matters.
    ftp.trust_server_pasv_ipv4_address = False
    try:
        with contextlib.closing(ftp):
            ftp.connect(args.host, args.port)
            ftp.login(to_wire(args.user), to_wire(ask_password(args.user)))
            sys.exit(0 if talk(ftp) else 1)
    except LOST as error:
        sys.exit(f"ftp_client: {args.host} port {args.port}: {reason(error)}")


def stop(signum, frame):
    """The handler of Ctrl-C: leave, and clean up on the way. A second one must not disturb that."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    if sys.stdout.isatty():
        with contextlib.suppress(OSError):         # the terminal may be the reason why we leave
            os.write(1, b"\n")                     # the shell's prompt gets a line of its own
    sys.exit(128 + signum)


def ask_password(user):
    if user in ANONYMOUS:
        return ""
    if sys.stdin.isatty():
        return getpass.getpass()
    line = sys.stdin.readline()
    if not line:
        raise ValueError("there is no line with the password")
    return line.rstrip("\n")


def talk(ftp):
    """Do what the lines of the input ask for; return whether all of it has worked."""
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if on_terminal:
        show(MENU)
    all_worked = True
    while True:
        try:
            line = input("ftp> " if on_terminal else "").strip()
        except EOFError:
            if on_terminal:
                show()
            break
        word, name = [*line.split(maxsplit=1), "", ""][:2]
        word = WORDS.get(word, word.lower())
        if word == "quit":
            break
        try:
            obey(ftp, word, name)
        except (Failed, *REFUSED) as error:
            if str(error).startswith("421"):       # the server's last word, whatever was asked
                raise
            print(f"! {clean(line)}: {reason(error)}", file=sys.stderr, flush=True)
            all_worked = False
    with contextlib.suppress(*LOST):
        ftp.quit()
    return all_worked


def obey(ftp, word, name):
    if word == "list":
        list_files(ftp, name)
    elif word == "help":
        show(MENU)
    elif word in ("get", "put"):
        if not name:
            raise Failed(f"{word} what? A name follows")
        get(ftp, name) if word == "get" else put(ftp, name)
    elif word:
        raise Failed("unknown; the commands are list, get, put, quit and help")


# The commands

def list_files(ftp, folder):
    try:
        found = ftp.mlsd(to_wire(folder))
        entries = [(from_wire(name), facts) for name, facts in found if facts.get("type") not in ("cdir", "pdir")]
    except ftplib.error_perm as error:
        if str(error)[:3] not in ("500", "502"):
            raise
        # A server that does not know MLSD. Its LIST is made for eyes only, each server has its own format.
        ftp.retrlines(f"LIST {to_wire(folder)}".rstrip(), lambda line: show(clean(from_wire(line))))
        return
    sizes = [f"{int(facts['size']):,}" if facts.get("size", "").isdecimal() else "" for _, facts in entries]
    width = max(map(len, sizes), default=0)
    for (name, facts), size in sorted(zip(entries, sizes), key=lambda entry: entry[0][0]):
        slash = "/" if facts.get("type") == "dir" else ""
        show(f"{size:>{width}}  {local_time(facts.get('modify', '')):16}  {clean(name)}{slash}")
    if not entries:
        show("(empty)")


def get(ftp, name):
    target = os.path.basename(name)
    if target in ("", ".", "..") or os.path.isdir(target):
        raise Failed("that is a folder" if target else "that is no file's name")
    ftp.voidcmd("TYPE I")                          # bytes as they are; some servers tell no size otherwise
    try:
        size = ftp.size(to_wire(name))
    except ftplib.error_perm:                      # SIZE came to FTP late; if it is the file that is missing, RETR will say so
        size = None
    # Under another name until it is complete: nobody takes a half file for the whole one.
    temporary = f".download-{secrets.token_hex(8)}"
    try:
        with local():
            file = open(temporary, "xb", buffering=0)
        with file:
            received = receive(ftp, name, file, size)
        if size is not None and received != size:
            raise Failed(f"{received:,} bytes came instead of {size:,}")
        with local():
            os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):         # it has got its name, or could not even be made
            os.unlink(temporary)
    show(f"got {clean(target)}, {received:,} bytes")


def receive(ftp, name, file, size):
    """Download a file into an open one; return how many bytes came."""
    buffer = memoryview(bytearray(BLOCK))
    with transfer(ftp, f"RETR {to_wire(name)}") as conn, progress(size) as advance:
        received = 0
        while count := conn.recv_into(buffer):     # no end marker: the end of the data connection is the end of the file
            received += count
            if size is not None and received > size:
                raise Failed(f"more than its {size:,} bytes came")
            data = buffer[:count]
            while data:
                with local():
                    data = data[file.write(data):]
            advance(count)
    return received


def put(ftp, path):
    path = os.path.expanduser(path)
    name = os.path.basename(path)
    with local():
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):                 # to open a named pipe would mean to wait for somebody who writes to it
            raise Failed("that is a folder" if stat.S_ISDIR(mode) else "that is not a file")
        file = open(path, "rb", buffering=0)
    with file:
        size = os.fstat(file.fileno()).st_size
        ftp.voidcmd("TYPE I")
        with contextlib.suppress(*REFUSED):
            ftp.voidcmd(f"ALLO {size}")            # so that the server can tell the whole file from a part of it
        sent = 0
        with transfer(ftp, f"STOR {to_wire(name)}") as conn, progress(size) as advance:
            while True:
                with local():
                    data = file.read(BLOCK)
                if not data:
                    break
                conn.sendall(data)
                sent += len(data)
                advance(len(data))
    show(f"put {clean(name)}, {sent:,} bytes")


@contextlib.contextmanager
def transfer(ftp, command):
    """The data connection that belongs to a command; in the end the server has said that all went well, or this raises."""
    conn = ftp.transfercmd(command)
    try:
        yield conn
    except BaseException as error:
        # Closed in the usual way it would tell the server that this was the whole file. This way it is a reset.
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
        # The server replies all the same, and the next command must not take that for its own. Where the connection has
        # failed, and not something here, the reply knows more than we do.
        if isinstance(error, Failed):
            with contextlib.suppress(*REFUSED):
                ftp.voidresp()
        elif isinstance(error, OSError):
            ftp.voidresp()
        raise
    conn.close()
    ftp.voidresp()


@contextlib.contextmanager
def local():
    """What fails in here is a matter of this machine and not of the connection."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise Failed(reason(error)) from None


@contextlib.contextmanager
def progress(size):
    """Yield a function to call with the number of bytes of each block. It draws a bar, if there is a terminal to see it."""
    began = time.monotonic()
    done, next_time = 0, began

    def advance(count):
        nonlocal done, next_time
        done += count
        now = time.monotonic()
        if now >= next_time or done == size:
            next_time = now + DRAW_EVERY
            show(CLEAR_LINE + bar(done, size, now - began), end="")

    if not sys.stdout.isatty():
        yield lambda count: None
        return
    advance(0)
    try:
        yield advance
    finally:
        show()


# How things look

def bar(done, size, seconds):
    """How far a transfer is, how fast, and how long it will take, if the size is known."""
    rate = done / seconds if seconds else 0
    text = f"{done / 1e6:,.1f} MB  {rate / 1e6:,.1f} MB/s"
    if size is None:
        return text
    share = min(done / size, 1) if size else 1
    left = f"{(size - done) / rate:.0f} s left" if rate and done < size else ""
    width = min(40, max(0, shutil.get_terminal_size().columns - 50))
    return f"{share:4.0%} [{'#' * int(share * width):.<{width}}] {text}  {left}"


def local_time(text):
    """YYYYMMDDHHMMSS in UTC, as RFC 3659 wants it, in the time of this place; empty if it is something else."""
    try:
        moment = datetime.datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=datetime.timezone.utc)
        return f"{moment.astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return ""


def clean(text):
    """Nothing from the network may move the cursor or change the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def reason(error):
    """An exception in one line."""
    if isinstance(error, EOFError):
        return "the server has closed the connection"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return clean(from_wire(text.split("\n")[-1]) if isinstance(error, ftplib.Error) else text)


def show(text="", end="\n"):
    try:
        print(text, end=end, flush=True)
    except OSError:                                # whoever read our output has gone, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)


def to_wire(text):
    """A name as FTP sends it, in UTF-8 (RFC 2640), a character for each byte; byte 255, which is special there, twice."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1").replace("\xff", "\xff\xff")


def from_wire(text):
    return text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def parse_arguments():
    parser = argparse.ArgumentParser(description="List, get and put the files of an FTP server.")
    parser.add_argument("port", nargs="?", type=int, default=2121, help="of the server (default: 2121)")
    parser.add_argument("-H", "--host", default="127.0.0.1", help="of the server (default: 127.0.0.1)")
    parser.add_argument("--user", metavar="NAME", default="anonymous", help="log in by this name (default: anonymous)")
    args = parser.parse_args()
    if not 0 < args.port < 65536:
        parser.error("a port is a number from 1 to 65535")
    if sys.stdin is None or sys.stdout is None:    # closed; the connection would get that descriptor
        parser.error("standard input and output are needed")
    return args


if __name__ == "__main__":
    main()
