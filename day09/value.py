"""A Value is one C variable in shared memory: both sides see what either writes, and += loses updates without its lock.
进程间通信 (IPC) · 共享内存 · Value

Run:    python day09/value.py

Output:
    child : sees 1.5, writes 2.5
    parent: sees 2.5
    += in two processes at once, value by value, from 0: 1, one update is lost
    += 100 times each, under get_lock(): 200
    a C int wraps: 2147483647 + 1 is -2147483648
"""
import os
import signal
from multiprocessing import Barrier, Process, Value

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    money = Value("d", 1.5)                        # "d" is C's double, "i" its int: the codes of the array module
    run(spend, money)
    print(f"parent: sees {money.value}")
    assert money.value == 2.5

    n = Value("i", 0)
    both_have_read = Barrier(2)
    run(add_unprotected, n, both_have_read, times=2)
    print(f"+= in two processes at once, value by value, from 0: {n.value}, one update is lost")
    assert n.value == 1

    n = Value("i", 0)
    run(add_locked, n, Barrier(2), times=2)
    print(f"+= 100 times each, under get_lock(): {n.value}")
    assert n.value == 200

    n.value = 2 ** 31 - 1
    n.value += 1                                   # no error: C does not check either
    print(f"a C int wraps: {2 ** 31 - 1} + 1 is {n.value}")
    assert n.value == -2 ** 31


def run(target, *args, times=1):
    children = [Process(target=target, args=args) for _ in range(times)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0


def spend(money):
    print(f"child : sees {money.value}, writes {money.value + 1}")
    money.value += 1


def add_unprotected(n, both_have_read):
    # What n.value += 1 does: read, add, write. Each step has its lock, the three together have none. The barrier makes
    # the unlucky moment happen, in which the other one reads before we write.
    signal.alarm(PATIENCE)
    value = n.value
    both_have_read.wait()
    n.value = value + 1


def add_locked(n, both_are_here):
    signal.alarm(PATIENCE)
    both_are_here.wait()
    for _ in range(100):
        with n.get_lock():
            value = n.value
            os.sched_yield()                       # here the other one gets its chance to come in between, and cannot
            n.value = value + 1


if __name__ == "__main__":
    main()
