"""Two withdrawals of 70 from 100: one succeeds, and the balance is never below 0.
余额 100，两次取 70：只有一次成功，余额任何时刻都不小于 0。

Still wrong: another thread can run between the check and the act.
"""
import threading

lock = threading.Lock()


def withdraw(amount):
    global balance
    if balance >= amount:
        balance -= amount
        paid.append(amount)


def setup():
    global balance, paid, seen
    balance, paid, seen = 100, [], []


def a():
    withdraw(70)


def b():
    withdraw(70)
    seen.append(balance)


def check():
    return balance == 30 and paid == [70] and seen[0] >= 0


if __name__ == "__main__":
    setup()
    threads = [threading.Thread(target=target) for target in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("balance:", balance, "paid:", paid)
