"""Transfers in both directions never deadlock, and no money is lost or seen twice.
双向转账：不死锁，钱不会丢，也不会被看到两次。

Still wrong: a transfer that does not get its second lock moves no money.
"""
import threading


class Account:
    def __init__(self, name, balance):
        self.name, self.balance, self.lock = name, balance, threading.Lock()


def transfer(source, target, amount):
    with source.lock:
        if target.lock.acquire(timeout=1):
            source.balance -= amount
            target.balance += amount
            target.lock.release()


def total(one, other):
    with one.lock, other.lock:
        return one.balance + other.balance


def setup():
    global ann, bob, seen
    ann, bob, seen = Account("ann", 100), Account("bob", 100), []


def a():
    transfer(ann, bob, 10)


def b():
    transfer(bob, ann, 30)
    seen.append(total(ann, bob))


def check():
    return [ann.balance, bob.balance, seen] == [120, 80, [200]]


if __name__ == "__main__":
    setup()
    threads = [threading.Thread(target=target) for target in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("ann:", ann.balance, "bob:", bob.balance, "total:", seen)
