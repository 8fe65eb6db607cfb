"""With a GIL, threads overlap waits but compute no faster; processes speed up both.
GIL 之下，多线程能让等待重叠，但不能加快计算；多进程两样都能。
讲义: python线程GIL

Run:    python day10/gil.py

Output:
    CPython <version> <kind>, <n> core(s)

    four times                wall time   CPU time   CPU/wall
    wait     in_sequence       <ms> ms     <ms> ms    <n>
    wait     by_threads        <ms> ms     <ms> ms    <n>
    wait     by_processes      <ms> ms     <ms> ms    <n>
    compute  in_sequence       <ms> ms     <ms> ms    <n>
    compute  by_threads        <ms> ms     <ms> ms    <n>
    compute  by_processes      <ms> ms     <ms> ms    <n>

    compute by_threads: when the first thread ended, <n> of 4 had begun
    compute by_processes: <result> (<n> of <n> core(s))
"""
import multiprocessing
import os
import queue
import sys
import threading
import time
from types import SimpleNamespace

COUNT = 4                           # tasks in each row of the table
LIMIT = 10                          # seconds to wait for a task before giving up


def main():
    # Measure everything, then print. (Starting a process flushes stdout, which would fail if the
    # program that reads our output had exited, as in `| head -1`.) 先全部测完，再打印
    wait_in_sequence = in_sequence(wait)
    wait_by_threads = fastest_of_three(by_threads, wait)
    wait_by_processes = fastest_of_three(by_processes, wait)
    compute_in_sequence = in_sequence(compute)
    compute_by_threads = by_threads(compute)
    compute_by_processes = by_processes(compute)

    cores = usable_cores()
    kind = "without a GIL"
    if has_gil():
        kind = f"with a GIL (switch interval {1000 * sys.getswitchinterval():g} ms)"
    print(f"CPython {sys.version.split()[0]} {kind}, {cores} core(s)\n")
    print("four times                wall time   CPU time   CPU/wall")
    show("wait     in_sequence", wait_in_sequence)
    show("wait     by_threads", wait_by_threads)
    show("wait     by_processes", wait_by_processes)
    show("compute  in_sequence", compute_in_sequence)
    show("compute  by_threads", compute_by_threads)
    show("compute  by_processes", compute_by_processes)

    # If the threads ran one after the other, only 1 would have begun when the first ended. But a
    # thread that waits for the GIL requests it after the switch interval, so they take turns.
    # 如果一个接一个执行，第一个结束时就只有 1 个开始过；等待的线程会请求 GIL，所以轮流执行
    first_end = min(timing.ended for timing in compute_by_threads)
    begun = sum(timing.began < first_end for timing in compute_by_threads)
    print(f"\ncompute by_threads: when the first thread ended, {begun} of {COUNT} had begun")
    faster = wall_time(compute_by_processes) < wall_time(compute_in_sequence)
    used = cores_used(compute_by_processes)
    print(f"compute by_processes: {verdict(faster, used, cores)} ({used:.2f} of {cores} core(s))")

    # Four waits at the same time take as long as one, or a little longer on a busy machine.
    limit = 0.75 * wall_time(wait_in_sequence)
    slower = max(wall_time(wait_by_threads), wall_time(wait_by_processes))
    assert slower < limit, f"expected four waits to take less than {limit:.2f} s: {slower:.2f} s"
    # With a GIL, all the threads together use at most one core. On a busy machine, CPU/wall shows
    # this limit, but the wall time alone does not.
    # 有 GIL 时，几个线程合起来最多用到一个核；机器忙时，经过的时间说明不了什么，要看 CPU/wall
    used = cores_used(compute_by_threads)
    assert used < 1.2 or not has_gil(), f"expected at most 1 busy core with a GIL: {used:.2f}"


def has_gil():
    # sys._is_gil_enabled exists since Python 3.13. Every earlier CPython has a GIL.
    if hasattr(sys, "_is_gil_enabled"):
        return sys._is_gil_enabled()
    return True


def usable_cores():
    """Return how many cores this process may use. taskset can limit it to some of the cores."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def wait():
    # Like a wait for the network: the thread releases the GIL before it sleeps. 等待之前先让出 GIL
    time.sleep(0.2)


def compute():
    n = 0
    while n < 1_000_000:
        n += 1


def fastest_of_three(way, task):
    """Call way(task) three times; return the timings of the fastest.

    Other programs can only slow it down. 取最快的一次：别的程序只会让它变慢
    """
    return min((way(task) for _ in range(3)), key=wall_time)


def in_sequence(task):
    """Run a task COUNT times, one after the other; return what timed() returns for each."""
    return [timed(task) for _ in range(COUNT)]


def by_threads(task):
    """Run a task in COUNT threads at the same time; return what timed() returns for each."""
    # A Barrier lets no thread pass until all COUNT have arrived.
    start, results = threading.Barrier(COUNT, timeout=LIMIT), queue.Queue()
    # daemon: Ctrl-C ends the program immediately, without waiting for threads or processes
    # 守护线程、守护进程：按 Ctrl-C 时程序立即结束，不等待它们
    threads = [threading.Thread(target=work, args=(task, start, results), daemon=True)
               for _ in range(COUNT)]
    return collect(threads, results)


def by_processes(task):
    """Run a task in COUNT processes at the same time; return what timed() returns for each."""
    start, results = multiprocessing.Barrier(COUNT, timeout=LIMIT), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=work, args=(task, start, results), daemon=True)
                 for _ in range(COUNT)]
    return collect(processes, results)


def collect(workers, results):
    """Start the threads or processes, and return what each of them puts into results."""
    for worker in workers:
        worker.start()
    timings = [results.get(timeout=LIMIT) for _ in workers]
    for worker in workers:
        worker.join(LIMIT)
    return timings


def work(task, start, results):
    # All tasks begin together; the time to start the threads or processes is not measured.
    start.wait()
    results.put(timed(task))


def timed(task):
    """Run a task; return when it began, when it ended, and its CPU time, all in seconds."""
    began, cpu_before = time.monotonic(), time.thread_time()
    task()
    cpu = time.thread_time() - cpu_before
    return SimpleNamespace(began=began, ended=time.monotonic(), cpu=cpu)


def wall_time(timings):
    """Return the wall-clock seconds from the start of the first task to the end of the last."""
    return max(timing.ended for timing in timings) - min(timing.began for timing in timings)


def cores_used(timings):
    """Return how many cores were busy on average."""
    return sum(timing.cpu for timing in timings) / wall_time(timings)


def show(title, timings):
    wall, cpu = wall_time(timings), sum(timing.cpu for timing in timings)
    print(f"{title:21}{1000 * wall:11.0f} ms{1000 * cpu:8.0f} ms{cores_used(timings):11.2f}")


def verdict(faster, used, cores):
    """Say whether the processes were faster than in_sequence, and if not, why not."""
    if faster and used > 1.2:
        return "faster: more than one core busy"
    if cores == 1:
        return "not faster: there is only one core"
    return "not shown: the machine is busy"


if __name__ == "__main__":
    main()
