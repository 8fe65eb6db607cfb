"""A Semaphore lets at most N processes in at once, measured.
信号量：最多 N 个进程同时进入，实测。
讲义: 进程间通信 (IPC) · 信号量（信号灯集）

Run:    python day09/sem.py

Output:
    Semaphore(2): get_value() is 2
    acquire(): get_value() is 1
    release(): get_value() is 2
    6 processes came; at most 2 were inside at once
    one release too many: get_value() is 3
    BoundedSemaphore raises ValueError instead
"""
from multiprocessing import Barrier, BoundedSemaphore, Process, Semaphore, Value

SLOTS = 2
PROCESSES = 6


def main():
    sem = Semaphore(SLOTS)
    print(f"Semaphore({SLOTS}): get_value() is {value_of(sem)}")
    # Subtracts 1, and waits while the value is 0. 减 1，为 0 时阻塞
    sem.acquire()
    print(f"acquire(): get_value() is {value_of(sem)}")
    # Adds 1. 加 1
    sem.release()
    print(f"release(): get_value() is {value_of(sem)}")

    inside, most = Value("i", 0), Value("i", 0)
    # A Barrier lets none pass until that many have arrived. 屏障：到齐才能通过
    full = Barrier(SLOTS, timeout=10)
    children = [Process(target=work, args=(sem, full, inside, most)) for _ in range(PROCESSES)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print(f"{PROCESSES} processes came; at most {most.value} were inside at once")
    codes = [child.exitcode for child in children]
    assert codes == [0] * PROCESSES, f"expected exit codes 0; they are {codes}"
    assert most.value == SLOTS, f"expected {SLOTS} inside at once; there were {most.value}"

    # A Semaphore does not check that it was acquired before. 它不检查是否 acquire 过
    sem.release()
    print(f"one release too many: get_value() is {value_of(sem)}")
    try:
        BoundedSemaphore(1).release()
    except ValueError as error:
        print(f"BoundedSemaphore raises {type(error).__name__} instead")
    else:
        raise AssertionError("expected a ValueError: the release was accepted")


def work(sem, full, inside, most):
    # acquire() at the beginning of the block, release() at its end.
    with sem:
        with inside.get_lock():
            inside.value += 1
            most.value = max(most.value, inside.value)
        # Stay until every slot is taken, so that the processes really are inside at once.
        # 等到名额全部占满，确保它们真的同时在里面
        full.wait()
        with inside.get_lock():
            inside.value -= 1


def value_of(sem):
    """What get_value() says; macOS does not have it."""
    try:
        return sem.get_value()
    except NotImplementedError:
        return "unknown"


if __name__ == "__main__":
    main()
