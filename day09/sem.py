"""A Semaphore lets at most N processes be at one place: measured from the inside, with get_value and release.
进程间通信 (IPC) · 信号量（信号灯集）

Run:    python day09/sem.py

Output:
    Semaphore(2): get_value() is 2
    six processes came; at most 2 were inside at once, get_value() was 0 then
    all have left: get_value() is 2
    one release too many: get_value() is 3; BoundedSemaphore raises ValueError instead
"""
import signal
from multiprocessing import Barrier, BoundedSemaphore, Process, Semaphore, Value

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    sem = Semaphore(2)
    print(f"Semaphore(2): get_value() is {sem.get_value()}")
    inside, most, least = Value("i", 0), Value("i", 0), Value("i", 99)
    two_inside = Barrier(2)
    children = [Process(target=work, args=(sem, two_inside, inside, most, least)) for _ in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    print(f"six processes came; at most {most.value} were inside at once, get_value() was {least.value} then")
    print(f"all have left: get_value() is {sem.get_value()}")
    assert (most.value, least.value, sem.get_value()) == (2, 0, 2)

    sem.release()                                  # nobody checks that it was acquired before
    bounded = BoundedSemaphore(2)
    try:
        bounded.release()
    except ValueError as error:
        print(f"one release too many: get_value() is {sem.get_value()}; "
              f"BoundedSemaphore raises {type(error).__name__} instead")
    assert sem.get_value() == 3


def work(sem, two_inside, inside, most, least):
    signal.alarm(PATIENCE)
    sem.acquire()                                  # one less; waits while it is 0
    with inside.get_lock():
        inside.value += 1
        most.value = max(most.value, inside.value)
    # Nobody leaves before there are two, so that this does not show one process after the other by chance.
    two_inside.wait()
    with inside.get_lock():
        least.value = min(least.value, sem.get_value())
        inside.value -= 1
    sem.release()                                  # one more


if __name__ == "__main__":
    main()
