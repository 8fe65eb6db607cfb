"""Two threads deposit into one account; no deposit is lost.
两个线程向同一个账户存款，任何一笔都不能丢。

Run:    python day10/practice/deposit.py
        python day10/interleavings.py day10/practice/deposit.py
You see: nearly always 180; but interleavings.py finds schedules that lose a deposit.
看到：几乎总是 180；interleavings.py 会显示丢失存款的调度。
"""
import threading


def deposit(amount):
    global balance
    balance = balance + amount


def setup():
    global balance
    balance = 100


def a():
    deposit(50)


def b():
    deposit(30)


def check():
    return balance == 180


if __name__ == "__main__":
    setup()
    threads = [threading.Thread(target=target) for target in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("balance:", balance)
