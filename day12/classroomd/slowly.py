"""Runs a script with a pause after each print, so that there is time to look at its processes.
慢放：脚本每打印一次就停一下，有时间看它的进程。

Run: python slowly.py SCRIPT. What the script does, and in which order, stays the same.
"""
import builtins
import os
import runpy
import sys
import time

# Seconds.
PAUSE = 0.7
print_at_once = builtins.print


def print_slowly(*args, **options):
    """Print; then wait, in the process and thread that printed."""
    print_at_once(*args, **options)
    time.sleep(PAUSE)


def main():
    del sys.argv[0]
    # As `python SCRIPT` does: the script imports modules from its own folder.
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    builtins.print = print_slowly
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
