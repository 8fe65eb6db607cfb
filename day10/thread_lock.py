"""A Lock lets one thread at a time into the critical section: race.py, repaired. Then `with`, and Lock against RLock.
线程同步互斥方法 · 线程锁 Lock

Run:    python day10/thread_lock.py

Output:
    two threads asked, acquire(blocking=False) returned [True, False]: the second came while the first was inside
    so it waited: at most 1 was inside at once, n is 2, no update is lost

    an error in `with lock:`               locked() is False, the next one can enter
    an error between acquire and release   locked() is True, the next one would wait for ever

                                  Lock   RLock
    its holder acquires it again  False  True
    another thread acquires it    False  False
    another thread releases it    works  RuntimeError
"""
import signal
from threading import Event, Lock, RLock, Thread

PATIENCE = 20                                      # seconds until we end, if a thread waits for one which has failed
n = inside = most = 0


def main():
    signal.alarm(PATIENCE)
    exclude()
    print()
    fail_inside()
    print()
    compare_kinds()


def exclude():
    lock, another_came, answers = Lock(), Event(), []
    run(2, add, lock, another_came, answers)
    print(f"two threads asked, acquire(blocking=False) returned {sorted(answers, reverse=True)}: "
          "the second came while the first was inside")
    print(f"so it waited: at most {most} was inside at once, n is {n}, no update is lost")
    assert sorted(answers) == [False, True] and (most, n) == (1, 2)


def run(times, target, *args):
    threads = [Thread(target=target, args=args, daemon=True) for _ in range(times)]        # daemon: Ctrl-C waits for none of them
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def add(lock, another_came, answers):
    global n, inside, most
    got_it = lock.acquire(blocking=False)          # asked this way, it does not wait: only so that we can see the answer
    answers.append(got_it)
    if not got_it:
        another_came.set()
        lock.acquire()                             # wait until it is free
    inside += 1                                    # from here to release, mutual exclusion 互斥
    most = max(most, inside)
    n += one(another_came)
    inside -= 1
    lock.release()


def one(another_came):
    another_came.wait()                            # the unlucky moment of race.py: n is read, not written, and somebody comes
    return 1


def fail_inside():
    lock = Lock()
    try:
        with lock:                                 # acquire, and release however the block ends: the form to use
            int("x")
    except ValueError:
        print(f"an error in `with lock:`               locked() is {lock.locked()}, the next one can enter")
    assert not lock.locked()
    try:
        lock.acquire()
        int("x")
        lock.release()                             # never reached
    except ValueError:
        print(f"an error between acquire and release   locked() is {lock.locked()}, the next one would wait for ever")
    assert lock.locked()


def compare_kinds():
    """A Lock has no owner. An RLock belongs to a thread, whose functions may then call each other and each take it."""
    questions = "its holder acquires it again", "another thread acquires it", "another thread releases it"
    lock, rlock = answers_of(Lock()), answers_of(RLock())
    print("                              Lock   RLock")
    for row in zip(questions, lock, rlock):
        print("{:28}  {!s:5}  {!s}".format(*row))
    assert (lock, rlock) == ([False, False, "works"], [True, False, "RuntimeError"])


def answers_of(lock):
    lock.acquire()
    answers = [lock.acquire(blocking=False)]       # with a plain acquire(), a Lock's holder waits for itself, for ever
    run(1, ask_as_another, lock, answers)
    return answers


def ask_as_another(lock, answers):
    answers.append(lock.acquire(blocking=False))
    try:
        lock.release()
    except RuntimeError as error:
        answers.append(type(error).__name__)
    else:
        answers.append("works")


if __name__ == "__main__":
    main()
