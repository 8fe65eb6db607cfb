"""A timeout ends a deadlock; taking both locks in the same order prevents it.
死锁：用超时解开；按同一顺序上锁，就不会发生。
讲义: 死锁及其处理

Run:    python day10/dead_lock.py

Output:
    A and B each held one lock and asked for the other's lock
    acquire(timeout=0.5) returned False to A, False to B
    both threads take lock a first, then b: 2 of 2 threads got both locks
"""
import contextlib
import faulthandler
from threading import Barrier, Lock, Thread

TIMEOUT = 0.5                       # seconds; without a timeout, the first part would never end


def main():
    # If the program is still running after 10 seconds, it is stuck: print where each thread waits,
    # and exit. (dump_traceback_later raises an exception if stderr is closed; ignore it.)
    # 只是防止本演示卡住：10 秒后还没结束，就打印每个线程停在哪一行，然后结束
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    a, b = Lock(), Lock()

    # A Barrier lets no thread pass until both have arrived.
    both, got = Barrier(2), {}
    run(Thread(target=take_crosswise, args=("A", a, b, both, got), daemon=True),
        Thread(target=take_crosswise, args=("B", b, a, both, got), daemon=True))
    print("A and B each held one lock and asked for the other's lock")
    print(f"acquire(timeout={TIMEOUT}) returned {got['A']} to A, {got['B']} to B")
    assert got == {"A": False, "B": False}, f"expected neither thread to get both locks: {got}"

    done = []
    run(Thread(target=take_in_order, args=("A", a, b, done), daemon=True),
        Thread(target=take_in_order, args=("B", a, b, done), daemon=True))
    print(f"both threads take lock a first, then b: {len(done)} of 2 threads got both locks")
    assert len(done) == 2, f"expected both threads to get both locks: {done}"


def run(*threads):
    # The threads are daemons: Ctrl-C ends the program immediately, without waiting for them.
    # 守护线程：按 Ctrl-C 时程序立即结束，不等待这些线程
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def take_crosswise(name, first, second, both, got):
    with first:                     # 互斥条件 mutual exclusion: a lock has one holder at a time
        both.wait()                 # until both threads hold their first lock
        # 请求和保持条件 hold and wait: the thread asks for a second lock and keeps the first.
        # 不剥夺条件 no preemption: no thread can take the lock away from its holder.
        # 环路等待条件 circular wait: A waits for B, which waits for A.
        got[name] = second.acquire(timeout=TIMEOUT)
        if got[name]:
            second.release()
        # Keep the first lock until both calls to acquire have returned. Otherwise, the first thread
        # to time out would free its lock, and the other thread could get both locks.
        # 两个 acquire 都有结果之前，不放开第一把锁
        both.wait()


def take_in_order(name, a, b, done):
    # A thread that waits for lock a holds no lock, so there is no circular wait. 没有环路
    with a, b:
        done.append(name)


if __name__ == "__main__":
    main()
