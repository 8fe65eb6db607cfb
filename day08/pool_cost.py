"""Why a pool: the same short tasks, with a process for each and with a pool, timed side by side.
multiprocessing 模块创建进程 · 进程池实现 · 必要性

Run:    python day08/pool_cost.py

Output:
    8 short tasks, the middle of 5 rounds
    a process for each  ########################################  <ms> ms
    a pool of 2         <bar>  <ms> ms, after <ms> ms to make it, once
    a process for each took <ratio> times as long
"""
import signal
import statistics
import time
from multiprocessing import Pool, Process

TASKS = 8
ROUNDS = 5
WIDTH = 40


def task(n):
    return n * n                                   # short: next to nothing beside the making of a process


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # no Ctrl-C, here and in the workers: a half-made pool could not be ended
    signal.alarm(30)                               # if a worker dies, we may wait for it for ever
    each_times, make_times, pool_times = [], [], []
    for _ in range(ROUNDS):                        # in turn, so that a busy moment of the machine hits both
        started = time.perf_counter()
        for n in range(TASKS):
            child = Process(target=task, args=(n,))
            child.start()
            child.join()
        each_times.append(time.perf_counter() - started)

        started = time.perf_counter()
        with Pool(2) as pool:
            pool.apply(task, (0,))
            make_times.append(time.perf_counter() - started)
            started = time.perf_counter()
            results = [pool.apply_async(task, (n,)) for n in range(TASKS)]
            for result in results:
                result.get()
            pool_times.append(time.perf_counter() - started)
    each, make, pool = map(statistics.median, (each_times, make_times, pool_times))

    print(f"{TASKS} short tasks, the middle of {ROUNDS} rounds")
    print(f"a process for each  {bar(each, each)}  {1000 * each:.1f} ms")
    print(f"a pool of 2         {bar(pool, each)}  {1000 * pool:.1f} ms, after {1000 * make:.1f} ms to make it, once")
    print(f"a process for each took {each / pool:.0f} times as long")
    assert each > pool


def bar(value, largest):
    return "#" * max(1, round(WIDTH * value / largest))


if __name__ == "__main__":
    main()
