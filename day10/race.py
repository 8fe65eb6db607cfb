"""A lost update: both threads read n before either of them writes it.
丢失更新：两个线程都先读了 n，然后才写回。
讲义: 线程间通信方法 · 共享资源争夺

Run:    python day10/race.py

Output:
    n += one() in two threads, n starts at 0: n is 1, 1 update(s) lost
    n += 1 is not one step either: LOAD_GLOBAL reads n, STORE_GLOBAL writes it
    a bare loop of n += 1, two threads, 100000 times each: <n> of 200000
"""
import dis
from threading import Barrier, Thread

TIMES = 100_000
# The threads communicate through this global variable, and compete for it (共享资源争夺).
# 线程通过这个全局变量通信，也争夺它
n = 0


def main():
    global n
    # A Barrier lets no thread pass until both have arrived; the timeout is in seconds.
    run(add, Barrier(2, timeout=10))
    print(f"n += one() in two threads, n starts at 0: n is {n}, {2 - n} update(s) lost")
    assert n == 1, f"expected 1 lost update: both threads should have read 0; n is {n}"

    # dis lists the instructions that the interpreter executes.
    steps = [step.opname for step in dis.get_instructions(add_often) if step.argval == "n"]
    print(f"n += 1 is not one step either: {steps[0]} reads n, {steps[1]} writes it")
    assert steps == ["LOAD_GLOBAL", "STORE_GLOBAL"], f"expected a read and a write of n: {steps}"

    # CPython switches threads only at some instructions, such as a call or a loop's jump back.
    # Since 3.10, no such instruction comes between the read and the write, so with the GIL this
    # loop usually loses nothing. Do not rely on luck: Python 3.9 and builds without the GIL can
    # lose updates here, and so can every version if a call comes between the read and the write.
    n = 0
    run(add_often)
    print(f"a bare loop of n += 1, two threads, {TIMES} times each: {n} of {2 * TIMES}")


def run(target, *args):
    # daemon: Ctrl-C ends the program immediately, without waiting for the threads
    # 守护线程：按 Ctrl-C 时程序立即结束，不等待这些线程
    threads = [Thread(target=target, args=args, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def add(both_have_read):
    global n
    # The critical section 临界区: read n, call one(), add, write n.
    n += one(both_have_read)


def one(both_have_read):
    # Each thread waits here until the other one has read n too. Both read 0.
    both_have_read.wait()
    return 1


def add_often():
    global n
    for _ in range(TIMES):
        n += 1


if __name__ == "__main__":
    main()
