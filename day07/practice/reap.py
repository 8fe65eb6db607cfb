"""Reap three children before you print their exit statuses.
打印三个子进程的退出状态之前，先回收它们。

Run:    python day07/practice/reap.py
You see: an empty list. In another terminal, `ps -ef | grep defunct` shows three zombies.
看到：空列表；在另一个终端里 `ps -ef | grep defunct`：三个僵尸进程。
"""
import os


def work(number):
    """In the child: exit with the child's number as the exit status."""
    os._exit(number)


def main():
    statuses = []
    for number in 1, 2, 3:
        if os.fork() == 0:
            work(number)
    print("exit statuses:", sorted(statuses), flush=True)
    input("Look at the children with ps, then press Enter: ")


if __name__ == "__main__":
    main()
