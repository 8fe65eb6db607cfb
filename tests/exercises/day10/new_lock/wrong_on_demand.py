"""An account with a lock: no deposit is lost.
带锁的账户：任何一笔存款都不能丢。

Still wrong: if two threads find no lock at the same time, each thread creates one.
"""
import threading


class Account:
    def __init__(self, balance):
        self.balance = balance
        self.lock = None

    def deposit(self, amount):
        if self.lock is None:
            self.lock = threading.Lock()
        with self.lock:
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
