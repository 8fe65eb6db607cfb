"""Why a pool is useful: how long many short tasks take, with and without a pool.
为什么要用进程池：许多短任务的耗时对比。
讲义: multiprocessing 模块创建进程 · 进程池实现 · 必要性

Run:    python day08/pool_cost.py

Output:
    8 short tasks, the fastest of 5 rounds
    a process for each  ########################  <ms> ms
    a pool of 2         <bar>  <ms> ms (and <ms> ms to create it, once)
    a process for each takes <ratio> times as long as the pool
    (<ratio> times if the time to create the pool is included)
"""
import signal
import time
from multiprocessing import Pool, Process

TASKS = 8
ROUNDS = 5
WIDTH = 24


def task(n):
    # This takes much less time than creating a process. 远比创建进程快
    return n * n


def with_a_process_for_each():
    """Return how many seconds all tasks take, each in a new process, one after the other."""
    started = time.perf_counter()
    for n in range(TASKS):
        child = Process(target=task, args=(n,))
        child.start()
        child.join()
    return time.perf_counter() - started


def with_a_pool():
    """Return two times in seconds: to create the pool, and to do all tasks with it."""
    started = time.perf_counter()
    with Pool(2) as pool:
        # After the first task, at least one worker is ready. 做完第一个任务，至少有一个工作进程就绪
        pool.apply_async(task, (0,)).get(timeout=10)
        ready = time.perf_counter()
        results = [pool.apply_async(task, (n,)) for n in range(TASKS)]
        for result in results:
            result.get(timeout=10)
        return ready - started, time.perf_counter() - ready


def main():
    # Ctrl-C while a pool is being created can make the program hang, so this script and its workers
    # ignore Ctrl-C. 创建进程池时按 Ctrl-C 可能会卡住，所以本脚本和工作进程都忽略它
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    each_times, make_times, pool_times = [], [], []
    # Measure both ways in turn, and take the fastest round, because other programs can only slow a
    # round down.
    # 轮流测量，取最快的一次：别的程序只会让它变慢
    for _ in range(ROUNDS):
        each_times.append(with_a_process_for_each())
        make_seconds, pool_seconds = with_a_pool()
        make_times.append(make_seconds)
        pool_times.append(pool_seconds)
    each, make, pool = min(each_times), min(make_times), min(pool_times)

    print(f"{TASKS} short tasks, the fastest of {ROUNDS} rounds")
    print(f"a process for each  {bar(each, each)}  {1000 * each:.1f} ms")
    print(f"a pool of 2         {bar(pool, each)}  {1000 * pool:.1f} ms "
          f"(and {1000 * make:.1f} ms to create it, once)")
    # The more tasks there are, the less the cost of creating the pool matters.
    # 任务越多，创建进程池的开销越不重要
    print(f"a process for each takes {each / pool:.0f} times as long as the pool")
    print(f"({each / (make + pool):.1f} times if the time to create the pool is included)")
    assert each > pool, (
        f"expected the pool to be faster; it took {pool:.4f} s, the processes {each:.4f} s")


def bar(value, largest):
    return "#" * max(1, round(WIDTH * value / largest))


if __name__ == "__main__":
    main()
