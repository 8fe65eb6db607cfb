"""A Lock lets one thread at a time into the critical section.
Lock：临界区内同一时刻只有一个线程。
讲义: 线程同步互斥方法 · 线程锁 Lock

Run:    python day10/thread_lock.py

Output:
    two threads at the same time
      acquire, release   n is 2, 0 update(s) lost
      with lock:         n is 2, 0 update(s) lost
    after an error inside the critical section
      acquire, release   locked() is True
      with lock:         locked() is False
"""
import contextlib
import faulthandler
from threading import Barrier, BrokenBarrierError, Lock, Thread

n = 0


def main():
    # If the program is still running after 10 seconds, it is stuck: print where each thread waits,
    # and exit. (dump_traceback_later raises an exception if stderr is closed; ignore it.)
    # 只是防止本演示卡住：10 秒后还没结束，就打印每个线程停在哪一行，然后结束
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    print("two threads at the same time")
    for form, target in (("acquire, release", add_by_hand), ("with lock:", add)):
        run(target)
        print(f"  {form:17}  n is {n}, {2 - n} update(s) lost")
        assert n == 2, f"expected the lock to keep the second thread out; n is {n}"

    print("after an error inside the critical section")
    locked = []
    for form, target in (("acquire, release", fail_by_hand), ("with lock:", fail)):
        lock = Lock()
        with contextlib.suppress(ValueError):
            target(lock)
        print(f"  {form:17}  locked() is {lock.locked()}")
        locked.append(lock.locked())
    assert locked == [True, False], f"expected only `with` to unlock after an error: {locked}"


def run(target):
    """Set n to 0, and call target in two threads at the same time."""
    global n
    n = 0
    lock, meeting = Lock(), Barrier(2, timeout=0.2)         # seconds
    # daemon: Ctrl-C ends the program immediately, without waiting for the threads
    # 守护线程：按 Ctrl-C 时程序立即结束，不等待这些线程
    threads = [Thread(target=target, args=(lock, meeting), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def add_by_hand(lock, meeting):
    global n
    lock.acquire()                  # 上锁: waits while the lock is held
    n += one(meeting)               # the critical section 临界区: from reading n to writing it
    lock.release()                  # 解锁: lets the next thread in


def add(lock, meeting):
    """Do the same as add_by_hand(). Prefer this form: `with` also unlocks after an error."""
    global n
    with lock:
        n += one(meeting)


def one(meeting):
    """Give the other thread 0.2 s to read n too, as in race.py; then return 1."""
    # The lock keeps the other thread out, so the time runs out, and the barrier breaks.
    with contextlib.suppress(BrokenBarrierError):
        meeting.wait()
    return 1


def fail_by_hand(lock):
    lock.acquire()
    int("x")                        # ValueError
    lock.release()                  # never reached, so the next thread would wait for ever


def fail(lock):
    with lock:
        int("x")


if __name__ == "__main__":
    main()
