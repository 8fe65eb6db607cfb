"""A pool: a few processes do many tasks. How results and errors come back, and what becomes of work when a pool ends.
multiprocessing 模块创建进程 · 进程池实现

Run:    python day08/pool.py

Output:
    20 tasks were done by 2 processes at most
    close  : apply_async now raises ValueError, but all 20 results are there
    error  : nothing is seen of it until get, which raises ZeroDivisionError
    with   : leaving the block terminates the pool, of 3 tasks 0 were done
    killed : the worker was replaced, but its task is never done: ready() is False
"""
import os
import signal
from multiprocessing import Event, Pool, get_context

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # no Ctrl-C, here and in the workers: a half-made pool could not be ended
    many_tasks()
    an_error()
    leaving_the_block()
    a_killed_worker()


def many_tasks():
    pool = Pool(2)                                 # without a number: one worker for each CPU
    results = [pool.apply_async(os.getpid) for _ in range(20)]         # returns at once, with an AsyncResult
    pool.close()                                   # no more tasks; what is queued will be done
    try:
        pool.apply_async(os.getpid)
    except ValueError as error:
        refused = type(error).__name__
    pool.join()                                    # wait until all of it is done and the workers have ended
    pids = {result.get() for result in results}
    print(f"20 tasks were done by {'2 processes at most' if len(pids) <= 2 else len(pids)}")
    print(f"close  : apply_async now raises {refused}, but all {len(results)} results are there")
    assert len(pids) <= 2


def an_error():
    with Pool(1) as pool:
        result = pool.apply_async(divmod, (1, 0))
        result.wait(PATIENCE)                      # done, and no word of an error
        try:
            result.get()
        except ZeroDivisionError as error:
            print(f"error  : nothing is seen of it until get, which raises {type(error).__name__}")
        assert result.ready() and not result.successful()


def leaving_the_block():
    never = Event()
    with Pool(1, initializer=remember, initargs=(never,)) as pool:
        results = [pool.apply_async(wait_for_it) for _ in range(3)]
    done = sum(result.ready() for result in results)
    print(f"with   : leaving the block terminates the pool, of {len(results)} tasks {done} were done")
    assert done == 0


def remember(event):
    """Run once in each worker."""
    global remembered
    remembered = event                             # an Event cannot travel with a task, only with the start of a process


def wait_for_it():
    remembered.wait(PATIENCE)


def a_killed_worker():
    # A pool replaces a worker from one of its threads, and to fork a process that has threads is not safe: so spawn.
    with get_context("spawn").Pool(1) as pool:
        doomed = pool.apply_async(kill_myself)
        replacement = pool.apply_async(os.getpid).get(PATIENCE)        # done by the next worker, after the first has died
        print(f"killed : the worker was replaced, but its task is never done: ready() is {doomed.ready()}")
        assert replacement and not doomed.ready()


def kill_myself():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
