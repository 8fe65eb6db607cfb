"""A deadlock: two threads and two locks meet its four conditions until a timeout ends it; without one of them, there is none.
死锁及其处理

Run:    python day10/dead_lock.py

Output:
    mutual exclusion  A holds lock a and B lock b: when main asks for them, acquire returns [False, False]
    hold and wait     A keeps a and asks for b, B keeps b and asks for a
    no preemption     <ms> ms later nobody has taken a lock from its holder: locked() is [True, True]
    circular wait     A waits for B, and B for A: acquire(timeout=0.3) returned [False, False]
    both give up: locked() is [False, False]

    the same order for both, first a, then b: one waits for a and holds nothing meanwhile
    no circular wait: acquire(timeout=0.3) returned [True, True]
"""
import signal
import time
from threading import Barrier, Event, Lock, Thread

TIMEOUT = 0.3                                      # seconds; without it, the first part would never end
PATIENCE = 20                                      # seconds until we end, if a thread waits for one which has failed


def main():
    signal.alarm(PATIENCE)
    a, b = Lock(), Lock()
    deadlock(a, b)
    print()
    keep_an_order(a, b)


def deadlock(a, b):
    meet, answers = Barrier(3), {}
    threads = [Thread(target=take_both, args=("A", a, b, meet, answers), daemon=True),     # daemon: Ctrl-C waits for none
               Thread(target=take_both, args=("B", b, a, meet, answers), daemon=True)]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    meet.wait()
    asked = [lock.acquire(blocking=False) for lock in (a, b)]
    print(f"mutual exclusion  A holds lock a and B lock b: when main asks for them, acquire returns {asked}")
    print("hold and wait     A keeps a and asks for b, B keeps b and asks for a", flush=True)
    meet.wait()
    took = time.monotonic() - started
    held = [lock.locked() for lock in (a, b)]
    print(f"no preemption     {1000 * took:.0f} ms later nobody has taken a lock from its holder: locked() is {held}")
    got = [answers[name] for name in "AB"]
    print(f"circular wait     A waits for B, and B for A: acquire(timeout={TIMEOUT}) returned {got}")
    meet.wait()
    for thread in threads:
        thread.join()
    free = [lock.locked() for lock in (a, b)]
    print(f"both give up: locked() is {free}")
    assert asked == [False, False] and held == [True, True] and got == [False, False] and free == [False, False]


def take_both(name, first, second, meet, answers):
    with first:                                    # 互斥条件, mutual exclusion: a lock has one holder at a time
        meet.wait()                                # the unlucky moment, made to happen: both hold one
        # 请求和保持条件, hold and wait: asks for the second and keeps the first
        # 不剥夺条件, no preemption: nobody takes a lock away, it must be given back
        # 环路等待条件, circular wait: the other one does the same, in the other order
        answers[name] = second.acquire(timeout=TIMEOUT)
        meet.wait()                                # both have waited: who lets go before that lets the other in
        meet.wait()                                # main has looked


def keep_an_order(a, b):
    another_waits, answers = Event(), []
    threads = [Thread(target=take_in_order, args=(a, b, another_waits, answers), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("the same order for both, first a, then b: one waits for a and holds nothing meanwhile")
    print(f"no circular wait: acquire(timeout={TIMEOUT}) returned {answers}")
    assert another_waits.is_set() and answers == [True, True]


def take_in_order(a, b, another_waits, answers):
    if not a.acquire(blocking=False):
        another_waits.set()
        a.acquire()                                # waits with empty hands: for what it holds nobody can be waiting
    another_waits.wait()                           # with a in hand, so that the two do meet
    answers.append(b.acquire(timeout=TIMEOUT))
    b.release()
    a.release()


if __name__ == "__main__":
    main()
