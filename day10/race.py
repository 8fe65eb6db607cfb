"""A lost update: both threads read n before either writes it. Forced here; in a bare loop it is a matter of luck.
线程间通信方法 · 共享资源争夺

Run:    python day10/race.py

Output:
    n += one() in two threads at once, from 0: 1, one update is lost
    n += 1 is not one step either: LOAD_GLOBAL reads n, STORE_GLOBAL writes it
    a bare loop of n += 1, two threads, 100000 times each: <n> of 200000
"""
import dis
from threading import Barrier, Thread

TIMES = 100_000
n = 0                                              # a global: how threads communicate, and what they compete for


def main():
    global n
    run(add, Barrier(2, timeout=10))               # seconds
    print(f"n += one() in two threads at once, from 0: {n}, one update is lost")
    assert n == 1

    steps = [step.opname for step in dis.get_instructions(add_often) if step.argval == "n"]
    print(f"n += 1 is not one step either: {steps[0]} reads n, {steps[1]} writes it")
    assert steps == ["LOAD_GLOBAL", "STORE_GLOBAL"]

    # CPython changes threads at some steps only, such as a call or the jump back of a loop. Since 3.10 none of them is
    # between these two, so with the GIL this loop mostly loses nothing. Nobody has promised that: 3.9 loses updates here,
    # a build without the GIL does, and you will with the first call that somebody puts in between.
    n = 0
    run(add_often)
    print(f"a bare loop of n += 1, two threads, {TIMES} times each: {n} of {2 * TIMES}")


def run(target, *args):
    threads = [Thread(target=target, args=args, daemon=True) for _ in range(2)]    # daemon: Ctrl-C waits for none of them
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def add(both_have_read):
    global n
    n += one(both_have_read)                       # the critical section 临界区: reads n, calls one, adds, writes n


def one(both_have_read):
    both_have_read.wait()                          # the unlucky moment, made to happen: both have read 0
    return 1


def add_often():
    global n
    for _ in range(TIMES):
        n += 1


if __name__ == "__main__":
    main()
