"""A pool of threads: futures, map, an error raised by result(), and tasks that deadlock the pool.
线程池：Future、map、result() 抛出任务的异常，以及互相等待而死锁的任务。
讲义之外

Run:    python day10/thread_pool.py

Output:
    submit() returns futures immediately: done() is False, False
    result() waits until its task has ended: 1, 4
    map(): the tasks ended in the order 2, 1; the results come in the order 1, 4
    an error in a task: exception() is ValueError, result() raised ValueError
    2 threads, 2 tasks; each task waits for another task in the same pool
      result(timeout=0.5) raised TimeoutError in 2 of 2 tasks
      cancel() returned True for 2 inner tasks: they had not begun
    the same tasks, with a second pool for the inner ones
      result() returned 1, 4
"""
import concurrent.futures
import contextlib
import faulthandler
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier, Event

THREADS = 2                         # number of threads in the pool that deadlocks
TIMEOUT = 0.5                       # seconds; without it, the deadlock would never end


def main():
    # If the program is still running after 10 seconds, it is stuck: print where each thread waits,
    # and exit. (dump_traceback_later raises an exception if stderr is closed; ignore it.)
    # 只是防止本演示卡住：10 秒后还没结束，就打印每个线程停在哪一行，然后结束
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    # Two threads take tasks from one queue. The `with` block ends when all tasks have ended.
    # 两个线程从同一个任务队列取任务；with 结束时等待所有任务完成
    with ThreadPoolExecutor(2) as pool:
        show_futures(pool)
        show_map(pool)
        show_error(pool)

    print(f"{THREADS} threads, 2 tasks; each task waits for another task in the same pool")
    with ThreadPoolExecutor(THREADS) as pool:
        reports = run_outer_tasks(pool, inner_pool=pool, timeout=TIMEOUT)
    answers = [report.answer for report in reports]
    cancelled = [report.cancelled for report in reports]
    timeouts = answers.count("TimeoutError")
    print(f"  result(timeout={TIMEOUT}) raised TimeoutError in {timeouts} of 2 tasks")
    print(f"  cancel() returned True for {cancelled.count(True)} inner tasks: they had not begun")
    assert answers == ["TimeoutError"] * 2, f"expected a timeout in both tasks: {answers}"
    assert cancelled == [True, True], f"expected no inner task to begin: {cancelled}"

    print("the same tasks, with a second pool for the inner ones")
    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(2) as inner_pool:
        reports = run_outer_tasks(pool, inner_pool, timeout=10)
    answers = [report.answer for report in reports]
    print("  result() returned", ", ".join(map(str, answers)))
    assert answers == [1, 4], f"expected both results: {answers}"


def show_futures(pool):
    gate = Event()
    # A future will hold the result of a task. Future 代表一个将来才有的结果
    futures = [pool.submit(square_after, gate, n) for n in (1, 2)]
    done = [future.done() for future in futures]
    print("submit() returns futures immediately: done() is", ", ".join(map(str, done)))
    gate.set()
    results = [future.result() for future in futures]
    print("result() waits until its task has ended:", ", ".join(map(str, results)))
    assert (done, results) == ([False, False], [1, 4]), \
        f"expected 1, 4, but only after gate.set(): {done}, {results}"


def square_after(event, n):
    event.wait()
    return n * n


def show_map(pool):
    second_has_ended, ended = Event(), []

    def task(n):
        if n == 1:
            second_has_ended.wait()
        ended.append(n)
        if n == 2:
            second_has_ended.set()
        return n * n

    # map returns an iterator over the results, in the order of the arguments.
    results = list(pool.map(task, (1, 2)))
    print("map(): the tasks ended in the order", ", ".join(map(str, ended)), end="; ")
    print("the results come in the order", ", ".join(map(str, results)))
    assert (ended, results) == ([2, 1], [1, 4]), \
        f"expected task 2 to end first: {ended}, {results}"


def show_error(pool):
    # The future keeps the error. Without a call to result() or exception(), you never see it.
    # 异常保存在 Future 里：不调用 result() 或 exception()，就永远看不到
    future = pool.submit(int, "x")
    stored, raised = future.exception(), None
    try:
        future.result()
    except ValueError as error:
        raised = error
    print(f"an error in a task: exception() is {type(stored).__name__}", end=", ")
    print(f"result() raised {type(raised).__name__}")
    assert raised and raised is stored, \
        f"expected the same ValueError twice: {stored!r}, {raised!r}"


# @dataclass writes __init__ for us: Report(answer, cancelled) sets these two attributes.
# @dataclass 自动写好 __init__：Report(answer, cancelled) 设置这两个属性
@dataclass
class Report:
    """What an outer task got: the inner result or "TimeoutError", and what cancel() returned."""

    answer: object
    cancelled: bool


def run_outer_tasks(pool, inner_pool, timeout):
    """Run two outer tasks in pool and their inner tasks in inner_pool; return the Reports."""
    both_have_begun, both_have_answers = Barrier(2), Barrier(2)
    futures = [pool.submit(outer, inner_pool, n, timeout, both_have_begun, both_have_answers)
               for n in (1, 2)]
    return [future.result() for future in futures]


def outer(inner_pool, n, timeout, both_have_begun, both_have_answers):
    """Submit an inner task, and wait at most timeout seconds for its result; return a Report."""
    # Wait until each of the two outer tasks has a thread of the pool. 等两个外层任务都占有一个线程
    both_have_begun.wait()
    inner = inner_pool.submit(pow, n, 2)
    try:
        # If both kinds of tasks share one pool, an inner task must wait for a free thread. But
        # both threads wait here, for the inner tasks.
        # 如果是同一个池，内层任务要等空闲线程，而两个线程都在这里等内层任务
        answer = inner.result(timeout)
    except concurrent.futures.TimeoutError:
        answer = "TimeoutError"
    # If the inner task has not begun, cancel() returns True, and the task will never run.
    cancelled = inner.cancel()
    # Do not end before the other outer task has its answer. Otherwise, this thread would become
    # free, and could run the other task's inner task.
    # 先得到结果的线程若结束，就会空出来执行另一个内层任务，也就看不到死锁
    both_have_answers.wait()
    return Report(answer, cancelled)


if __name__ == "__main__":
    main()
