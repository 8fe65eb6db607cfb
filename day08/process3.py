"""Several children at once: each has a PID of its own, all have one parent, and the longest decides how long it takes.
multiprocessing 模块创建进程 · 进程创建方法

Run:    python day08/process3.py

Output (in any order):
    child <pid> of <pid>: worked 0.3 s
    child <pid> of <pid>: worked 0.4 s
    child <pid> of <pid>: worked 0.5 s
    parent <pid>: the longest took 0.5 s, the sum is 1.2 s, all together took <s> s
"""
import os
import signal
import time
from multiprocessing import Barrier, Process, parent_process

SECONDS = (0.3, 0.4, 0.5)
PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def work(barrier, seconds):
    signal.alarm(PATIENCE)
    barrier.wait()                                 # start when all are there, so that only the work is timed
    time.sleep(seconds)                            # the work: something that waits, such as a download
    print(f"child {os.getpid()} of {parent_process().pid}: worked {seconds} s")


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    barrier = Barrier(len(SECONDS) + 1)
    children = [Process(target=work, args=(barrier, seconds)) for seconds in SECONDS]
    for child in children:                         # start all of them first: start and join in one loop would be one
        child.start()                              # after the other
    barrier.wait()
    started = time.monotonic()
    for child in children:
        child.join()
    took = time.monotonic() - started
    print(f"parent {os.getpid()}: the longest took {max(SECONDS)} s, the sum is {sum(SECONDS)} s, "
          f"all together took {took:.1f} s")
    assert len({child.pid for child in children}) == 3
    assert took < sum(SECONDS)


if __name__ == "__main__":
    main()
