"""The tour on a terminal: it stops after each script, and asks the user what comes next."""
import contextlib
import os
import pydoc
import re
import sys
import termios
import tty

import course

NEXT, SOURCE, AGAIN, ALL, QUIT = "next", "source", "again", "all", "quit"
KEYS = {"\n": NEXT, "\r": NEXT, "s": SOURCE, "r": AGAIN, "a": ALL, "q": QUIT, "\x04": QUIT}          # \x04: Ctrl-D
MENU = "s 源码 source · r 再来 again · a 全部 all · q 结束 quit "


def is_possible():
    """Return whether we can ask a user: stdin and stdout are both a terminal. Otherwise the tour does not stop."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(is_last):
    """Show the menu, wait for one of its keys, and return what the key means. Ctrl-C means QUIT too."""
    prompt = ("Enter 结束 end · " if is_last else "Enter 下一个 next · ") + MENU
    try:
        with single_keys():
            print(prompt, end="", flush=True)
            while not (meant := meaning(os.read(sys.stdin.fileno(), 100).decode(errors="replace"))):
                pass
    except KeyboardInterrupt:
        meant = QUIT
    print("\r" + " " * course.columns(prompt), end="\r", flush=True)
    return meant


def meaning(typed):
    """Return what the first known key in the typed text means, or None. An empty string means end of input, so QUIT."""
    # An arrow key, for example, is several characters: ESC [ A.
    keys = re.sub(r"\x1b[\[O][0-9;]*.", "", typed).lower()
    return next((KEYS[key] for key in keys if key in KEYS), None) if typed else QUIT


@contextlib.contextmanager
def single_keys():
    """In the `with` block, each key arrives at once, without Enter, and is not shown. Keys that were typed before the block
    are discarded, so that an extra Enter does not skip a script."""
    settings = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)


def show_source(path):
    """Show a script with the user's pager: $PAGER, less or more."""
    os.environ.setdefault("LESSCHARSET", "utf-8")
    pydoc.pager((course.ROOT / path).read_text(encoding="utf-8"))
