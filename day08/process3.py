"""Children that run at the same time take about as long as the longest of them.
几个子进程同时运行，总时间接近最长的一个。
讲义: multiprocessing 模块创建进程 · 进程创建方法

Run:    python day08/process3.py

Output:
    parent <pid>: started 5 children
    child  <pid>: worked 0.5 s, exit code 0
    child  <pid>: worked 0.75 s, exit code 0
    child  <pid>: worked 1.0 s, exit code 0
    child  <pid>: worked 1.25 s, exit code 0
    child  <pid>: worked 1.5 s, exit code 0
    parent <pid>: the longest 1.5 s, the sum 5.0 s, all together <s> s
"""
import os
import time
from multiprocessing import Process

SECONDS = (0.5, 0.75, 1.0, 1.25, 1.5)


def work(seconds):
    # This stands for work that waits, such as a download. 代表需要等待的工作，例如下载
    time.sleep(seconds)


def main():
    me = f"parent {os.getpid()}"
    children = [Process(target=work, args=(seconds,)) for seconds in SECONDS]
    started = time.monotonic()
    # First start all of them, then join all of them. 先全部启动，再全部回收
    for child in children:
        child.start()
    print(f"{me}: started {len(children)} children")
    for child, seconds in zip(children, SECONDS):
        child.join()
        print(f"child  {child.pid}: worked {seconds} s, exit code {child.exitcode}")
        assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"
    took = time.monotonic() - started

    longest, total = max(SECONDS), sum(SECONDS)
    print(f"{me}: the longest {longest} s, the sum {total} s, all together {took:.1f} s")
    assert longest <= took < total, f"expected less than the sum, {total} s; it took {took:.1f} s"


if __name__ == "__main__":
    main()
