"""Runs a script with a pause after each print, so that there is time to look at its processes.
慢放：脚本每打印一次就停一下，有时间看它的进程。

Run: python slowly.py SCRIPT. Only print is replaced; the rest of the script is unchanged.
"""
import builtins
import os
import runpy
import sys
import time

# Seconds to wait after each print.
PAUSE = 0.7
print_at_once = builtins.print


def print_slowly(*args, **options):
    """Print, then make the calling thread wait."""
    print_at_once(*args, **options)
    time.sleep(PAUSE)


def main():
    del sys.argv[0]
    # As with `python SCRIPT`, the script must be able to import modules from its own folder.
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    builtins.print = print_slowly
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
