"""Several children at once take as long as the longest.
几个子进程同时运行，总时间接近最长的一个。
讲义: multiprocessing 模块创建进程 · 进程创建方法

Run:    python day08/process3.py

Output (in any order):
    child <pid> of <pid>: worked 0.5 s
    child <pid> of <pid>: worked 1.0 s
    child <pid> of <pid>: worked 1.5 s
    parent <pid>: the longest 1.5 s, the sum 3.0 s, all together <s> s
"""
import os
import time
from multiprocessing import Process, parent_process

SECONDS = (0.5, 1.0, 1.5)


def work(seconds):
    # The work: something that waits, such as a download.
    time.sleep(seconds)
    print(f"child {os.getpid()} of {parent_process().pid}: worked {seconds} s")


def main():
    children = [Process(target=work, args=(seconds,)) for seconds in SECONDS]
    started = time.monotonic()
    # First start all of them, then join all of them. 先全部启动，再全部回收
    for child in children:
        child.start()
    for child in children:
        child.join()
    took = time.monotonic() - started

    longest, total = max(SECONDS), sum(SECONDS)
    print(f"parent {os.getpid()}: the longest {longest} s, the sum {total} s, "
          f"all together {took:.1f} s")
    codes = [child.exitcode for child in children]
    assert codes == [0, 0, 0], f"expected three exit codes 0; they are {codes}"
    assert longest <= took < total, f"expected less than the sum, {total} s; it took {took:.1f} s"


if __name__ == "__main__":
    main()
