"""Two ways in which a pool loses tasks.
进程池丢掉任务的两种情况。
讲义: multiprocessing 模块创建进程 · 进程池实现

Run:    python day08/pool_end.py

Output:
    with  : leaving the block terminates the pool; 0 of 3 tasks were done
    worker: <pid> exits in the middle of a task; <pid> replaces it
    worker: is the task ever done? ready() is False
"""
import os
import signal
import time
from multiprocessing import Pool


def main():
    # Ctrl-C while a pool is being created can make the program hang, so this script and its workers
    # ignore Ctrl-C. 创建进程池时按 Ctrl-C 可能会卡住，所以本脚本和工作进程都忽略它
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_the_block()
    lose_a_worker()


def leave_the_block():
    # Leaving the block calls terminate(), not close() and join(). 离开语句块会终止进程池
    with Pool(1) as pool:
        results = [pool.apply_async(time.sleep, (3,)) for _ in range(3)]
    done = sum(result.ready() for result in results)
    print(f"with  : leaving the block terminates the pool; {done} of 3 tasks were done")
    assert done == 0, f"expected 0 tasks to be done; {done} were done"


def lose_a_worker():
    with Pool(1) as pool:
        first = pool.apply_async(os.getpid).get(timeout=10)
        # This task ends its own worker. Killing the worker has the same effect. 被杀死也一样
        lost = pool.apply_async(os._exit, (1,))
        # The pool starts a new worker, which does the next task. No worker repeats the lost task.
        # 进程池会补上一个新的工作进程，由它做下一个任务，但丢失的任务不会重做
        second = pool.apply_async(os.getpid).get(timeout=10)
        print(f"worker: {first} exits in the middle of a task; {second} replaces it")
        print(f"worker: is the task ever done? ready() is {lost.ready()}")
        assert first != second, f"expected a new worker to do the second task; {first} did both"
        assert not lost.ready(), "expected the task to be lost; ready() is True"


if __name__ == "__main__":
    main()
