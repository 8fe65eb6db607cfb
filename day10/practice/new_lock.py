"""An account with a lock: no deposit is lost.
带锁的账户：任何一笔存款都不能丢。

Run:    python day10/practice/new_lock.py
        python day10/interleavings.py day10/practice/new_lock.py
You see: nearly always 180; but interleavings.py finds schedules that lose a deposit.
看到：几乎总是 180；interleavings.py 会显示丢失存款的调度。
"""
import threading


class Account:
    def __init__(self, balance):
        self.balance = balance

    def deposit(self, amount):
        lock = threading.Lock()
        with lock:
            self.balance += amount


def setup():
    global account
    account = Account(100)


def a():
    account.deposit(50)


def b():
    account.deposit(30)


def check():
    return account.balance == 180


if __name__ == "__main__":
    setup()
    threads = [threading.Thread(target=target) for target in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("balance:", account.balance)
