"""A Semaphore lets at most N processes enter at the same time.
信号量：最多 N 个进程同时进入。
讲义: 进程间通信 (IPC) · 信号量（信号灯集）

Run:    python day09/sem.py

Output:
    Semaphore(2): get_value() is 2
    acquire(): get_value() is 1
    release(): get_value() is 2
    6 processes entered; at most 2 were inside at the same time
    one release too many: get_value() is 3
    BoundedSemaphore raises ValueError instead
"""
from multiprocessing import Barrier, BoundedSemaphore, Process, Semaphore, Value

SLOTS = 2
PROCESSES = 6


def main():
    sem = Semaphore(SLOTS)
    print(f"Semaphore({SLOTS}): get_value() is {value_of(sem)}")
    # acquire waits while the value is 0, then subtracts 1. 减 1，为 0 时阻塞
    sem.acquire()
    print(f"acquire(): get_value() is {value_of(sem)}")
    # release adds 1. 加 1
    sem.release()
    print(f"release(): get_value() is {value_of(sem)}")

    inside, most = Value("i", 0), Value("i", 0)
    # At a Barrier, processes wait until SLOTS of them have arrived. 屏障：到齐才能通过
    full = Barrier(SLOTS, timeout=10)
    children = [Process(target=work, args=(sem, full, inside, most)) for _ in range(PROCESSES)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print(f"{PROCESSES} processes entered; at most {most.value} were inside at the same time")
    codes = [child.exitcode for child in children]
    assert codes == [0] * PROCESSES, f"expected all exit codes to be 0; they are {codes}"
    assert most.value == SLOTS, f"expected {SLOTS} inside at the same time; there were {most.value}"

    # release does not check whether this process has called acquire. 它不检查是否 acquire 过
    sem.release()
    print(f"one release too many: get_value() is {value_of(sem)}")
    try:
        BoundedSemaphore(1).release()
    except ValueError as error:
        print(f"BoundedSemaphore raises {type(error).__name__} instead")
    else:
        raise AssertionError("expected a ValueError; release was accepted")


def work(sem, full, inside, most):
    # `with` calls acquire() at the beginning of the block and release() at its end.
    with sem:
        with inside.get_lock():
            inside.value += 1
            most.value = max(most.value, inside.value)
        # Stay inside until all slots are taken, so that SLOTS processes really are inside together.
        # 等到名额全部占满，确保它们真的同时在里面
        full.wait()
        with inside.get_lock():
            inside.value -= 1


def value_of(sem):
    """Return sem.get_value(), or "unknown" on macOS, which does not support it."""
    try:
        return sem.get_value()
    except NotImplementedError:
        return "unknown"


if __name__ == "__main__":
    main()
