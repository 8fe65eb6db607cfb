"""Show messages on a terminal while the user types.
终端：一边输入，一边显示收到的消息
"""
import contextlib
import os
import sys

from chatroom import line_editor
from chatroom.text import fold

PROMPT = "> "


def replace_unknown_characters():
    """Make stdin and stdout replace unknown characters instead of raising UnicodeError."""
    for stream in (sys.stdin, sys.stdout):
        if stream is not None:
            stream.reconfigure(errors="replace")


def is_ours():
    """Return True if standard input is a terminal that this process may read from.

    A program started with & cannot read from the terminal, which belongs to another program.
    """
    try:
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (AttributeError, OSError):
        # Standard input or the terminal is closed, or the terminal belongs to another session.
        return False


def typed_lines(prompt=""):
    """Yield the lines of standard input until it ends. Raises OSError if the terminal closes."""
    while True:
        try:
            # input() fails if stdout or stderr is closed, even when nothing would be printed.
            if sys.stdout is None or sys.stderr is None:
                line = next(sys.stdin)
            else:
                line = input(prompt)
        except (EOFError, StopIteration):
            return
        yield line.strip()


class Terminal:
    """Standard input and standard output, which may be a terminal or something else.

    prompt: on a terminal, this text is shown before the line that the user types.
    """

    def __init__(self, prompt=PROMPT):
        streams = (sys.stdin, sys.stdout)
        self.interactive = None not in streams and all(stream.isatty() for stream in streams)
        self.prompt = prompt if self.interactive else ""
        self.settings = None
        if is_ours():
            # Windows has no termios.
            import termios
            self.settings = termios.tcgetattr(sys.stdin)

    def show(self, line):
        """Print a line; on a terminal, print it above the half-typed line.

        Raises OSError if the line cannot be printed.
        """
        if not self.interactive:
            print(line, flush=True)
            return
        line_editor.hide()
        print(fold(line, os.get_terminal_size(1).columns or 80), flush=True)
        line_editor.draw(self.prompt)

    def resume(self):
        """After Ctrl-Z and fg: let the user go on with the half-typed line."""
        if self.interactive:
            line_editor.resume(self.prompt)

    def restore(self):
        """Restore the terminal's settings, and leave the cursor at the beginning of a row."""
        if self.settings and is_ours():
            import termios
            with contextlib.suppress(OSError, termios.error):
                if self.interactive and line_editor.is_typing():
                    os.write(1, b"\n")
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self.settings)
