"""The menu, and the loop that runs each command line: list, get, put, help or quit.
菜单与命令循环
"""
import contextlib
import ftplib
import re
import sys

from ftpclient import completion
from ftpclient.errors import LOST, REFUSED, Failed, reason
from ftpclient.screen import clean, from_wire, local_time, show, to_wire
from ftpclient.transfers import get, put

MENU = """
  1  list [FOLDER]   what is in the library     查看文件库
  2  get NAME        download a file            下载文件
  3  put FILE        upload a file              上传文件
  4  quit            leave                      退出
  5  help            this menu                  帮助
"""
WORDS = {"1": "list", "2": "get", "3": "put", "4": "quit", "5": "help",
         "ls": "list", "dir": "list", "bye": "quit", "exit": "quit", "?": "help"}


def talk(ftp):
    """Read commands from standard input and run them; return True if all of them succeeded."""
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    completer = None
    if on_terminal:
        show(MENU)
        completer = completion.start(ftp, WORDS)
    all_worked = True
    while True:
        try:
            line = input("ftp> " if on_terminal else "").strip()
        except EOFError:
            if on_terminal:
                show()
            break
        if completer:
            completer.forget()
            if completer.error:
                raise completer.error
        word, name = parse(line)
        if word == "quit":
            break
        try:
            obey(ftp, word, name)
        except (Failed, *REFUSED) as error:
            # A server that closes the connection can reply 421 to any command.
            if str(error).startswith("421"):
                raise
            print(f"! {clean(line)}: {reason(error)}", file=sys.stderr, flush=True)
            all_worked = False
    with contextlib.suppress(*LOST):
        ftp.quit()
    return all_worked


def parse(line):
    """Split a line into a command and its argument; either may be empty."""
    word, name = [*line.split(maxsplit=1), "", ""][:2]
    word = word.lower()
    if word in ("ls", "dir"):
        # Ignore options, as in ls -la.
        name = re.sub(r"^(-\w+(\s+|$))+", "", name)
    return WORDS.get(word, word), name


def obey(ftp, word, name):
    """Run one command. Raises Failed, or an exception from ftplib."""
    if word == "list":
        list_files(ftp, name)
    elif word == "help":
        show(MENU)
    elif word == "get":
        if not name:
            raise Failed("which file? Type: get NAME")
        get(ftp, name)
    elif word == "put":
        if not name:
            raise Failed("which file? Type: put FILE")
        put(ftp, name)
    elif word == "cd":
        # Without a name, go back to the root of the library.
        ftp.cwd(to_wire(name or "/"))
        show(f"now in {clean(from_wire(ftp.pwd()))}")
    elif word:
        raise Failed("unknown command; use list, get, put, cd, quit or help")


def list_files(ftp, folder):
    """Print what is in a folder on the server, in columns."""
    try:
        entries = [(from_wire(name), facts) for name, facts in ftp.mlsd(to_wire(folder))
                   if facts.get("type") not in ("cdir", "pdir")]
    except ftplib.error_perm as error:
        if str(error)[:3] not in ("500", "502"):
            raise
        # The server does not know MLSD. LIST replies have no standard format: print them unchanged.
        command = f"LIST {to_wire(folder)}".rstrip()
        ftp.retrlines(command, lambda line: show(clean(from_wire(line))))
        return
    sizes = [size_of(facts) for _, facts in entries]
    width = max(map(len, sizes), default=0)
    for (name, facts), size in sorted(zip(entries, sizes), key=lambda row: row[0][0]):
        slash = "/" if facts.get("type") == "dir" else ""
        show(f"{size:>{width}}  {local_time(facts.get('modify', '')):16}  {clean(name)}{slash}")
    if not entries:
        show("(empty)")


def size_of(facts):
    """Return the size of a file, such as 2,003, from its facts; "" for an unknown size."""
    size = facts.get("size", "")
    return f"{int(size):,}" if size.isdecimal() else ""
