"""A child of multiprocessing has no standard input: input() meets end of file, as sys.stdin is /dev/null.
multiprocessing 模块创建进程 · 进程创建方法 · 注意：子进程中无法使用标准输入

Run:    python day08/child_stdin.py

Output:
    child : my sys.stdin reads from /dev/null
    child : input() raised EOFError
    child : descriptor 0 is untouched, it is the same file as the parent's
"""
import os
import sys
from multiprocessing import Process


def ask(parents_file):
    print(f"child : my sys.stdin reads from {os.readlink(f'/proc/self/fd/{sys.stdin.fileno()}')}")
    try:
        input()
    except EOFError as error:
        print(f"child : input() raised {type(error).__name__}")
    else:
        sys.exit("input() returned")

    # Many children at one keyboard would take the lines from each other, so a child asks its parent, through a pipe or
    # a queue (day 9). What is replaced is only the Python object.
    same = identity(0) == parents_file
    print(f"child : descriptor 0 is {'untouched, it is the same file as' if same else 'not'} the parent's")
    sys.exit(not same)


def identity(fd):
    """What tells one file from all others, its device and its number there; None if the descriptor is closed."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def main():
    child = Process(target=ask, args=(identity(0),))
    child.start()
    child.join()
    assert child.exitcode == 0


if __name__ == "__main__":
    main()
