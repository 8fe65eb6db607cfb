"""How the tour walks on a terminal: after each script it stops, and asks what comes next."""
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
    """Whether a person is there to be asked. In a pipe, a file or continuous integration the tour runs through."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(is_last):
    """Wait for a key that means something, and return what it means. Ctrl-C is another way to quit."""
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
    """What the first key means that means something; None if there is none. Nothing typed at all is the end of input."""
    # An arrow key, for example, is several characters: ESC [ A.
    keys = re.sub(r"\x1b[\[O][0-9;]*.", "", typed).lower()
    return next((KEYS[key] for key in keys if key in KEYS), None) if typed else QUIT


@contextlib.contextmanager
def single_keys():
    """For the length of a block, keys come at once, without Enter, and are not shown. What was typed before is dropped, so
    nobody skips a script by an Enter too many."""
    settings = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)


def show_source(path):
    """Show a script with the reader's pager: $PAGER, less or more."""
    os.environ.setdefault("LESSCHARSET", "utf-8")
    pydoc.pager((course.ROOT / path).read_text(encoding="utf-8"))
