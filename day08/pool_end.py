"""What a pool loses: queued tasks, and a dead worker's task.
进程池会丢掉的任务：还在排队的任务，以及工作进程异常退出时正在执行的任务。
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
    # Ctrl-C while a pool is being created can hang it: this script and its workers ignore it.
    # 创建进程池时按 Ctrl-C 可能会卡住，所以忽略它
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_the_block()
    lose_a_worker()


def leave_the_block():
    # The end of the block calls terminate(), not close() and join(). 离开语句块会终止进程池
    with Pool(1) as pool:
        results = [pool.apply_async(time.sleep, (3,)) for _ in range(3)]
    done = sum(result.ready() for result in results)
    print(f"with  : leaving the block terminates the pool; {done} of 3 tasks were done")
    assert done == 0, f"expected no task to be done; {done} were"


def lose_a_worker():
    with Pool(1) as pool:
        first = pool.apply_async(os.getpid).get(timeout=10)
        # The task ends its worker; a worker that is killed has the same effect.
        lost = pool.apply_async(os._exit, (1,))
        # The pool makes a new worker for the next task, but nothing remembers the lost one.
        # 进程池会补上一个新的工作进程，但丢失的任务不会重做
        second = pool.apply_async(os.getpid).get(timeout=10)
        print(f"worker: {first} exits in the middle of a task; {second} replaces it")
        print(f"worker: is the task ever done? ready() is {lost.ready()}")
        assert first != second, f"expected a new worker; both tasks were done by {first}"
        assert not lost.ready(), "expected the task to be lost; it is done"


if __name__ == "__main__":
    main()
