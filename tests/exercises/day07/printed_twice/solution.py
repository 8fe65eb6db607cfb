"""Each line must be printed once, whether to a terminal or to a pipe.
每一行只打印一次，输出到终端或管道都一样。
"""
import os
import sys


def main():
    print("report of the day")
    # Otherwise the child inherits the text in the buffer. 否则子进程会继承缓冲区里的文字
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        print("child: counted the stock")
        sys.exit(0)
    os.waitpid(pid, 0)
    print("parent: wrote the report")


if __name__ == "__main__":
    main()
