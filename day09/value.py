"""A Value in shared memory: += loses an update without a lock.
共享内存 Value：不加锁，+= 会丢失更新。
讲义: 进程间通信 (IPC) · 共享内存 · Value

Run:    python day09/value.py

Output:
    child : sees 1.5, writes 2.5
    parent: sees 2.5
    2 processes read, add 1 and write, from 0: n is 1, lost updates: 1
    2 processes add 1, 20 times each, under get_lock(): n is 40
    a C int wraps around: 2147483647 + 1 is -2147483648
"""
import time
from multiprocessing import Barrier, Process, Value

TIMES = 20


def main():
    # "d" is C's double, "i" its int: the codes of the array module.
    money = Value("d", 1.5)
    run(spend, money, count=1)
    print(f"parent: sees {money.value}")
    assert money.value == 2.5, f"expected 2.5; it is {money.value}"

    n = Value("i", 0)
    run(add_without_lock, n, Barrier(2, timeout=10), count=2)
    print(f"2 processes read, add 1 and write, from 0: n is {n.value}, lost updates: {2 - n.value}")
    assert n.value == 1, f"expected 1: both should have read 0; n is {n.value}"

    n = Value("i", 0)
    run(add_with_lock, n, Barrier(2, timeout=10), count=2)
    print(f"2 processes add 1, {TIMES} times each, under get_lock(): n is {n.value}")
    assert n.value == 2 * TIMES, f"expected {2 * TIMES}; n is {n.value}"

    n.value = 2 ** 31 - 1
    # No error: C does not check either. 溢出不报错
    n.value += 1
    print(f"a C int wraps around: {2 ** 31 - 1} + 1 is {n.value}")
    assert n.value == -2 ** 31, f"expected {-2 ** 31}; it is {n.value}"


def run(target, *args, count):
    """Let that many children call target(*args), all at the same time."""
    children = [Process(target=target, args=args) for _ in range(count)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    codes = [child.exitcode for child in children]
    assert codes == [0] * count, f"expected exit codes 0; they are {codes}"


def spend(money):
    print(f"child : sees {money.value}, writes {money.value + 1}")
    money.value += 1


def add_without_lock(n, both_have_read):
    # These are the steps of n.value += 1, written out, so that a Barrier fits in: it lets none pass
    # until both processes have arrived. So both read before either writes.
    # 即 n.value += 1 的各个步骤，写开是为了插入屏障：两个进程都到了才能通过，所以都先读后写
    value = n.value
    both_have_read.wait()
    n.value = value + 1


def add_with_lock(n, both_are_here):
    both_are_here.wait()
    for _ in range(TIMES):
        # The other process cannot come between reading and writing. 另一个进程无法插到读和写之间
        with n.get_lock():
            value = n.value
            # It has plenty of time to try.
            time.sleep(0.001)
            n.value = value + 1


if __name__ == "__main__":
    main()
