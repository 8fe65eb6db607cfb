"""Two threads deposit into one account; no deposit is lost.
两个线程向同一个账户存款，任何一笔都不能丢。

Still wrong: each call creates its own lock.
"""
import threading


def deposit(amount):
    global balance
    with threading.Lock():
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
