"""Each line must be printed once, whether to a terminal or to a pipe.
每一行只打印一次，输出到终端或管道都一样。

Still wrong: os._exit() does not write out the child's buffer.
"""
import os
import sys


def main():
    print("report of the day")
    pid = os.fork()
    if pid == 0:
        print("child: counted the stock")
        os._exit(0)
    os.waitpid(pid, 0)
    print("parent: wrote the report")


if __name__ == "__main__":
    main()
