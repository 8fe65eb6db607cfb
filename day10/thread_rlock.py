"""A Lock has no owner; an RLock belongs to the thread that acquired it.
Lock 没有所有者；RLock 属于上锁的线程，可重入。
讲义: 线程同步互斥方法 · 线程锁 Lock

Run:    python day10/thread_rlock.py

Output:
                                  Lock   RLock
    its holder acquires it again  False  True
    another thread acquires it    False  False
    another thread releases it    works  RuntimeError
"""
import contextlib
import faulthandler
from threading import Lock, RLock, Thread

# Seconds. Without a timeout, the calls to acquire() that return False would wait for ever.
WAIT = 0.1


def main():
    # If the program is still running after 10 seconds, it is stuck: print where each thread waits,
    # and exit. (dump_traceback_later raises an exception if stderr is closed; ignore it.)
    # 只是防止本演示卡住：10 秒后还没结束，就打印每个线程停在哪一行，然后结束
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    print(f"{'':30}{'Lock':7}RLock")
    questions = {"its holder acquires it again": holder_acquires_again,
                 "another thread acquires it": another_acquires,
                 "another thread releases it": another_releases}
    table = []
    for question, ask in questions.items():
        answers = str(ask(Lock())), str(ask(RLock()))
        print("{:30}{:7}{}".format(question, *answers))
        table.append(answers)
    expected = [("False", "True"), ("False", "False"), ("works", "RuntimeError")]
    assert table == expected, f"expected {expected}, got {table}"


def holder_acquires_again(lock):
    # 重入 reentrant: an RLock counts how many times its owner has acquired it. Without a timeout,
    # the holder of a Lock would wait for itself here: a deadlock with only one thread.
    with lock:
        again = lock.acquire(timeout=WAIT)
        if again:
            lock.release()          # an RLock: release it once for each acquire
    return again


def another_acquires(lock):
    with lock:
        return in_another_thread(lambda: lock.acquire(timeout=WAIT))


def another_releases(lock):
    def release():
        try:
            lock.release()
            return "works"
        except RuntimeError:
            return "RuntimeError"
    lock.acquire()
    return in_another_thread(release)


def in_another_thread(function):
    """Run a function in another thread and return its result."""
    answers = []
    thread = Thread(target=lambda: answers.append(function()), daemon=True)
    thread.start()
    thread.join()
    return answers[0]


if __name__ == "__main__":
    main()
