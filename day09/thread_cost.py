"""How long it takes to create a thread, compared with a process.
创建线程和创建进程各要多久。
讲义: 线程编程 (Thread) · 线程基本概念 · 线程的创建和销毁消耗资源远小于进程

Run:    python day09/thread_cost.py

Output:
    time to create, start and join, the fastest of 20 rounds:
    a process  ########################################  <ms> ms
    a thread   <bar>  <ms> ms
    a process takes <ratio> times as long as a thread
"""
import time
from multiprocessing import Process
from threading import Thread

ROUNDS = 20
WIDTH = 40


def nothing():
    pass


def seconds_for_a_process():
    """Return how many seconds it takes to create, start and join a process."""
    started = time.perf_counter()
    process = Process(target=nothing)
    process.start()
    process.join()
    return time.perf_counter() - started


def seconds_for_a_thread():
    """Return how many seconds it takes to create, start and join a thread."""
    started = time.perf_counter()
    thread = Thread(target=nothing)
    thread.start()
    thread.join()
    return time.perf_counter() - started


def main():
    processes, threads = [], []
    # Measure both kinds in turn, and take the fastest round, because other programs can only slow a
    # round down.
    # 轮流测量，取最快的一次：别的程序只会让它变慢
    for _ in range(ROUNDS):
        processes.append(seconds_for_a_process())
        threads.append(seconds_for_a_thread())
    process, thread = min(processes), min(threads)

    print(f"time to create, start and join, the fastest of {ROUNDS} rounds:")
    print(f"a process  {bar(process, process)}  {1000 * process:.3f} ms")
    print(f"a thread   {bar(thread, process)}  {1000 * thread:.3f} ms")
    print(f"a process takes {process / thread:.0f} times as long as a thread")
    assert process > thread, (
        f"expected a thread to be faster; it took {thread:.6f} s, a process {process:.6f} s")


def bar(value, largest):
    return "#" * max(1, round(WIDTH * value / largest))


if __name__ == "__main__":
    main()
