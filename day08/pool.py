"""A pool: a few processes do many tasks.
进程池：几个进程完成许多任务。
讲义: multiprocessing 模块创建进程 · 进程池实现

Run:    python day08/pool.py

Output:
    after close, apply_async raises ValueError
    20 tasks were done, by <n> of the 2 workers
    their results: [0, 1, 4, 9, 16, 25, 36, 49, 64, 81] ...
    the task that failed: ready() is True, successful() is False
    get raises the task's error: ZeroDivisionError
"""
import os
import signal
from multiprocessing import Pool


def square(n):
    # Return the square, and the PID of the worker that computed it. 结果，以及是哪个工作进程算的
    return n * n, os.getpid()


def main():
    # Ctrl-C while a pool is being created can make the program hang, so this script and its workers
    # ignore Ctrl-C; `kill` still ends it. 创建进程池时按 Ctrl-C 可能会卡住，所以忽略它
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Without a number, Pool() has one worker per CPU (since 3.13, per CPU that it may use).
    # 不写数量则每个 CPU 一个工作进程（3.13 起只算可用的 CPU）
    pool = Pool(2)
    # apply_async puts a task into the pool's queue and returns immediately. 任务进入队列，立即返回
    results = [pool.apply_async(square, (n,)) for n in range(20)]
    failed = pool.apply_async(divmod, (1, 0))

    # From now on the pool refuses new tasks, but it completes those in the queue.
    # 不再接受新任务，已有的会做完
    pool.close()
    try:
        pool.apply_async(square, (20,))
    except ValueError as error:
        print(f"after close, apply_async raises {type(error).__name__}")
    else:
        raise AssertionError("expected a ValueError; the closed pool accepted a task")

    # get waits for one result. 等待一个结果
    answers = [result.get(timeout=10) for result in results]
    # join waits until all tasks are done and the workers have exited. 等待全部完成，回收工作进程
    pool.join()
    squares = [answer for answer, worker in answers]
    workers = {worker for answer, worker in answers}
    print(f"{len(squares)} tasks were done, by {len(workers)} of the 2 workers")
    print(f"their results: {squares[:10]} ...")
    assert len(workers) <= 2, f"expected at most 2 workers; there were {len(workers)}"

    ready, successful = failed.ready(), failed.successful()
    print(f"the task that failed: ready() is {ready}, successful() is {successful}")
    try:
        failed.get(timeout=10)
    except ZeroDivisionError as error:
        print(f"get raises the task's error: {type(error).__name__}")
    else:
        raise AssertionError("expected get to raise ZeroDivisionError; it returned")


if __name__ == "__main__":
    main()
