"""Two threads deposit into one account; no deposit is lost.
两个线程向同一个账户存款，任何一笔都不能丢。

Still wrong: the lock is released before the write.
"""
import threading

lock = threading.Lock()


def deposit(amount):
    global balance
    with lock:
        old = balance
    balance = old + amount


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
