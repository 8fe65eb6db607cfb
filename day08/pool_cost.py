"""Why a pool: many short tasks, timed with and without one.
为什么要用进程池：许多短任务的耗时对比。
讲义: multiprocessing 模块创建进程 · 进程池实现 · 必要性

Run:    python day08/pool_cost.py

Output:
    8 short tasks, the fastest of 5 rounds
    a process for each  ########################  <ms> ms
    a pool of 2         <bar>  <ms> ms (and <ms> ms to make it, once)
    a process for each took <ratio> times as long (<ratio> with making the pool)
"""
import signal
import time
from multiprocessing import Pool, Process

TASKS = 8
ROUNDS = 5
WIDTH = 24


def task(n):
    # Short: next to nothing, compared with making a process.
    return n * n


def with_a_process_for_each():
    """Seconds for all tasks, one after the other."""
    started = time.perf_counter()
    for n in range(TASKS):
        child = Process(target=task, args=(n,))
        child.start()
        child.join()
    return time.perf_counter() - started


def with_a_pool():
    """Seconds to make the pool, and seconds for all tasks."""
    started = time.perf_counter()
    with Pool(2) as pool:
        # When a first task is done, the pool is ready.
        pool.apply_async(task, (0,)).get(timeout=10)
        ready = time.perf_counter()
        results = [pool.apply_async(task, (n,)) for n in range(TASKS)]
        for result in results:
            result.get(timeout=10)
        return ready - started, time.perf_counter() - ready


def main():
    # Ctrl-C while a pool is being created can hang it: this script and its workers ignore it.
    # 创建进程池时按 Ctrl-C 可能会卡住，所以忽略它
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    each_times, make_times, pool_times = [], [], []
    # In turn, and the fastest counts: other programs on this machine can only make a round slower.
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
          f"(and {1000 * make:.1f} ms to make it, once)")
    # The more tasks, the less the making of the pool counts. 任务越多，创建进程池的开销越不重要
    print(f"a process for each took {each / pool:.0f} times as long "
          f"({each / (make + pool):.1f} with making the pool)")
    assert each > pool, f"expected the pool to be faster: {pool:.4f} s and {each:.4f} s"


def bar(value, largest):
    return "#" * max(1, round(WIDTH * value / largest))


if __name__ == "__main__":
    main()
