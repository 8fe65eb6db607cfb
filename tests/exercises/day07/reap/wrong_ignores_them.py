"""Reap three children before you print their exit statuses.
打印三个子进程的退出状态之前，先回收它们。

Still wrong: there are no zombies, but no exit statuses either.
"""
import os
import signal


def work(number):
    """In the child: exit with the child's number as the exit status."""
    os._exit(number)


def main():
    statuses = []
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in 1, 2, 3:
        if os.fork() == 0:
            work(number)
    print("exit statuses:", sorted(statuses), flush=True)
    input("Look at the children with ps, then press Enter: ")


if __name__ == "__main__":
    main()
