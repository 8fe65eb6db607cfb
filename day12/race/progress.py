"""Show the progress on stderr: one changing line on a terminal, otherwise a line per step.
在 stderr 上报告进度：终端上是一行不断更新的文字，其他情况下每一步一行。
"""
import sys


class Progress:
    def __init__(self):
        self.step = ""
        self.on_terminal = sys.stderr.isatty()

    def show(self, step, server):
        """Show what is being measured (step), and the name of the server whose turn it is."""
        if self.on_terminal:
            line = f"{step}: {server}"[:79]
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif step != self.step:
            print(step, file=sys.stderr, flush=True)
        self.step = step

    def clear(self):
        """Remove the line from the terminal, to make room for the report."""
        if self.on_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
