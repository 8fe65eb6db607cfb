"""A Value in shared memory: without a lock, += can lose an update.
共享内存 Value：不加锁，+= 可能丢失更新。
讲义: 进程间通信 (IPC) · 共享内存 · Value

Run:    python day09/value.py

Output:
    child : sees 1.5, writes 2.5
    parent: sees 2.5
    without a lock, 2 processes read 0 and write 1: n is 1; lost updates: 1
    with get_lock(), 2 processes add 1, 20 times each: n is 40
    a C int wraps around: 2147483647 + 1 is -2147483648
"""
import time
from multiprocessing import Barrier, Process, Value

TIMES = 20


def main():
    # The type codes mean the same as in the array module: "d" is a C double, "i" is a C int.
    # 类型码的含义和 array 模块的相同："d" 是 double，"i" 是 int
    money = Value("d", 1.5)
    run(spend, money, count=1)
    print(f"parent: sees {money.value}")
    assert money.value == 2.5, f"expected 2.5; it is {money.value}"

    # A Barrier makes both processes wait for each other: see add_without_lock.
    n = Value("i", 0)
    run(add_without_lock, n, Barrier(2, timeout=10), count=2)
    print(f"without a lock, 2 processes read 0 and write 1: n is {n.value}; "
          f"lost updates: {2 - n.value}")
    assert n.value == 1, f"expected 1, because both read 0 before either wrote; n is {n.value}"

    n = Value("i", 0)
    run(add_with_lock, n, Barrier(2, timeout=10), count=2)
    print(f"with get_lock(), 2 processes add 1, {TIMES} times each: n is {n.value}")
    assert n.value == 2 * TIMES, f"expected {2 * TIMES}; n is {n.value}"

    n.value = 2 ** 31 - 1
    # A C int has 32 bits. It wraps around when it overflows, without an error. 溢出不报错
    n.value += 1
    print(f"a C int wraps around: {2 ** 31 - 1} + 1 is {n.value}")
    assert n.value == -2 ** 31, f"expected {-2 ** 31}; it is {n.value}"


def run(target, *args, count):
    """Start `count` children that call target(*args), and join them."""
    children = [Process(target=target, args=args) for _ in range(count)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    codes = [child.exitcode for child in children]
    assert codes == [0] * count, f"expected all exit codes to be 0; they are {codes}"


def spend(money):
    print(f"child : sees {money.value}, writes {money.value + 1}")
    money.value += 1


def add_without_lock(n, both_have_read):
    # These are the steps of n.value += 1, with a Barrier between the read and the write. Each
    # process waits there until both have arrived, so both read before either writes.
    # 即 n.value += 1 的各个步骤，中间插入屏障：两个进程都到了才能通过，所以都先读后写
    value = n.value
    both_have_read.wait()
    n.value = value + 1


def add_with_lock(n, both_are_here):
    both_are_here.wait()
    for _ in range(TIMES):
        # While we hold the lock, the other process can neither read nor write n.
        # 拿着锁的时候，另一个进程既不能读也不能写 n
        with n.get_lock():
            value = n.value
            # Give the other process time to try to take the lock. 留出时间让它去试
            time.sleep(0.001)
            n.value = value + 1


if __name__ == "__main__":
    main()
