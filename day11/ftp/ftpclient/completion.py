"""Tab completes commands and file names: local names for put, the server's names for get.
按 Tab 补全命令和文件名：put 补全本地文件，get 补全服务器上的文件
"""
import contextlib
import os

from ftpclient.errors import LOST, REFUSED
from ftpclient.interrupt import ctrl_c
from ftpclient.places import download_folder
from ftpclient.screen import from_wire, to_wire

try:
    # With readline, input() lets the user edit the line and go back to earlier lines.
    import readline
except ImportError:
    readline = None

# The commands that Tab completes. A command that ends with a space needs a name after the space.
COMMANDS = ("cd ", "get ", "help", "list", "put ", "quit")
# Seconds that completion may wait for the server.
PATIENT = 5


class Completer:
    """Finds the completions of a command line; asks the server for the names of its files.

    ftp: a Connection.  words: other names for commands: {"ls": "list", ...}.
    """

    def __init__(self, ftp, words):
        self.ftp = ftp
        self.words = words
        self.matches = []
        self.forget()
        # A connection error during completion. readline would ignore it, so menu.talk raises it.
        self.error = None

    def forget(self):
        """Forget the names that the server sent: a command may have changed the server's files."""
        self.seen = {}

    def complete(self, text, state):
        """Return completion number `state`; readline asks for 0, 1, 2, ... until it gets None.

        text: what the user typed after the last space.
        """
        if state == 0:
            line = readline.get_line_buffer()[:readline.get_endidx()]
            with ctrl_c.ignore():
                self.matches = self.find(line.lstrip(), text)
        return self.matches[state] if state < len(self.matches) else None

    def find(self, line, text):
        """Return the possible completions of text, which is the last word of line."""
        word, space, typed = line.partition(" ")
        command = self.words.get(word, word)
        typed = typed.lstrip() if space else word
        if not space:
            names = COMMANDS
        elif command == "put":
            names = local_names(typed)
        elif command in ("get", "list", "cd"):
            names = self.remote_names(typed.rpartition("/")[0], command != "get")
        else:
            names = []
        start = len(typed) - len(text)
        return sorted(name[start:] for name in names if name.startswith(typed))

    def remote_names(self, folder, only_folders):
        """Return the paths in a folder on the server. The path of a folder ends with "/".

        only_folders: True to leave out files.
        """
        if folder not in self.seen:
            self.seen[folder] = self.ask(folder)
        return [name for name in self.seen[folder] if name.endswith("/") or not only_folders]

    def ask(self, folder):
        names = []
        try:
            self.ftp.sock.settimeout(PATIENT)
            for name, facts in self.ftp.mlsd(to_wire(folder)):
                name, kind = from_wire(name), facts.get("type")
                if name.isprintable() and kind not in ("cdir", "pdir"):
                    name = f"{folder}/{name}" if folder else name
                    names.append(f"{name}/" if kind == "dir" else name)
        except LOST as error:
            # If the server refuses MLSD, there is nothing to complete. But reply 421 and connection
            # errors end the session.
            if not isinstance(error, REFUSED) or str(error).startswith("421"):
                self.error = error
        if not self.error:
            self.ftp.sock.settimeout(self.ftp.timeout)
        return names


def local_names(typed):
    """Return the local paths in the folder of `typed`; if it has none, include the downloads."""
    folder, slash, _ = typed.rpartition("/")
    folders = [os.path.expanduser(folder + slash)]
    if not slash:
        folders.append(download_folder())
    found = set()
    for path in folders:
        with contextlib.suppress(OSError), os.scandir(path or ".") as entries:
            for entry in entries:
                if entry.name.isprintable():
                    found.add(f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}")
    return found


def start(ftp, words):
    """Turn on completion; return the Completer, or None without readline."""
    if not readline:
        return None
    completer = Completer(ftp, words)
    readline.set_completer(completer.complete)
    readline.set_completer_delims(" ")
    # On macOS, the module readline may use another library, libedit.
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    return completer
