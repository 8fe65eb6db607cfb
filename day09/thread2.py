"""Several threads with arguments: positional and by name, all at once, and what one changes the others see.
线程编程 (Thread) · threading模块创建线程

Run:    python day09/thread2.py

Output:
    five threads were in their function at once: each saw 5 there
    each has added its square to one list: [0, 1, 4, 9, 16]
    an error in a thread ends that thread alone: ValueError in 'failing', and main goes on
"""
import threading
from threading import Barrier, Thread


def work(n, squares, barrier, present, seen):
    present.append(n)
    barrier.wait()                                 # passed only when all five are here at the same time
    seen.append(len(present))
    squares.append(n * n)


def fail():
    raise ValueError


def main():
    squares, present, seen = [], [], []
    barrier = Barrier(5, timeout=10)               # seconds
    threads = [Thread(target=work, args=(n, squares), kwargs={"barrier": barrier, "present": present, "seen": seen})
               for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"five threads were in their function at once: each saw {min(seen)} there")
    print(f"each has added its square to one list: {sorted(squares)}")
    assert seen == [5] * 5 and sorted(squares) == [0, 1, 4, 9, 16]

    errors = []
    threading.excepthook = errors.append           # by default it prints a traceback on stderr
    thread = Thread(target=fail, name="failing")
    thread.start()
    thread.join()
    threading.excepthook = threading.__excepthook__
    [error] = errors
    print(f"an error in a thread ends that thread alone: {error.exc_type.__name__} in {error.thread.name!r}, "
          "and main goes on")


if __name__ == "__main__":
    main()
