"""Each line must be printed once, whether to a terminal or to a pipe.
每一行只打印一次，输出到终端或管道都一样。

Run:    python day07/practice/printed_twice.py | cat
You see: the first line twice. Without `| cat`, or if PYTHONUNBUFFERED is set, only once.
看到：第一行打印了两次；不加 `| cat`，或者设置了 PYTHONUNBUFFERED，就只有一次。
"""
import os
import sys


def main():
    print("report of the day")
    pid = os.fork()
    if pid == 0:
        print("child: counted the stock")
        sys.exit(0)
    os.waitpid(pid, 0)
    print("parent: wrote the report")


if __name__ == "__main__":
    main()
