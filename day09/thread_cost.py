"""What a thread costs to create and join, next to a process.
创建和回收线程的开销，和进程对比。
讲义: 线程编程 (Thread) · 线程基本概念 · 线程的创建和销毁消耗资源远小于进程

Run:    python day09/thread_cost.py

Output:
    to create, start and join one, the fastest of 20 rounds:
    a process  ########################################  <ms> ms
    a thread   <bar>  <ms> ms
    a process costs <ratio> times as much
"""
import time
from multiprocessing import Process
from threading import Thread

ROUNDS = 20
WIDTH = 40


def nothing():
    pass


def cost(kind):
    """Seconds to create, start and join one of the kind: Process or Thread."""
    started = time.perf_counter()
    worker = kind(target=nothing)
    worker.start()
    worker.join()
    return time.perf_counter() - started


def main():
    processes, threads = [], []
    # In turn, and the fastest counts: other programs on this machine can only make a round slower.
    # 轮流测量，取最快的一次：别的程序只会让它变慢
    for _ in range(ROUNDS):
        processes.append(cost(Process))
        threads.append(cost(Thread))
    process, thread = min(processes), min(threads)

    print(f"to create, start and join one, the fastest of {ROUNDS} rounds:")
    print(f"a process  {bar(process, process)}  {1000 * process:.3f} ms")
    print(f"a thread   {bar(thread, process)}  {1000 * thread:.3f} ms")
    print(f"a process costs {process / thread:.0f} times as much")
    assert process > thread, f"expected a thread to cost less: {thread:.6f} s and {process:.6f} s"


def bar(value, largest):
    return "#" * max(1, round(WIDTH * value / largest))


if __name__ == "__main__":
    main()
