"""Says on stderr how far the race is: a line that changes on a terminal, a line per step elsewhere.
在 stderr 上报告进度：终端上是一行不断更新的文字，其他情况每一步一行。
"""
import sys


class Progress:
    def __init__(self):
        self.step = ""

    def show(self, step, server):
        """step: what is measured now; server: the name of the one that has its turn."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{step}: {server}"[:82], end="", file=sys.stderr, flush=True)
        elif step != self.step:
            print(step, file=sys.stderr, flush=True)
        self.step = step

    def clear(self):
        """Leave the line of the terminal to what comes next."""
        if self.step and sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
