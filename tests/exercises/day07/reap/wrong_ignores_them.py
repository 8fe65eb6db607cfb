"""Three children work; all three have been reaped by the time their statuses are printed.
三个子进程工作；打印退出状态时，三个都已被回收。

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
