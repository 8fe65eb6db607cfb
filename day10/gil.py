"""With a GIL, threads speed up waiting, but not computing; processes speed up both.
GIL 之下，多线程能加快等待，不能加快计算；多进程都能。
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
"""
import multiprocessing
import os
import queue
import sys
import threading
import time

COUNT = 4
LIMIT = 10                          # seconds; a wait that takes longer has failed


def main():
    # It can be asked since 3.13; before, every CPython had a GIL.
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    kind = "without a GIL"
    if gil:
        kind = f"with a GIL (switch interval {1000 * sys.getswitchinterval():g} ms)"
    cores = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))        # those that this process may use
    # Measured first, printed later: a new process flushes what is still to be printed.
    waits = [way(wait) for way in (in_sequence, by_threads, by_processes)]
    computations = [way(compute) for way in (in_sequence, by_threads, by_processes)]

    print(f"CPython {sys.version.split()[0]} {kind}, {cores} core(s)\n")
    print("four times                wall time   CPU time   CPU/wall")
    sequence, _ = show("wait     in_sequence", waits[0])
    threads, _ = show("wait     by_threads", waits[1])
    processes, _ = show("wait     by_processes", waits[2])
    show("compute  in_sequence", computations[0])
    _, at_work = show("compute  by_threads", computations[1])
    show("compute  by_processes", computations[2])

    # A thread that computes never waits; the others get their turns all the same, on request.
    first_end = min(ended for began, ended, used in computations[1])
    begun = sum(began < first_end for began, ended, used in computations[1])
    print(f"\ncompute by_threads: when the first thread ended, {begun} of {COUNT} had begun")

    slower = max(threads, processes)
    # At once, four waits take as long as one, and a little longer on a busy machine.
    assert slower < 0.75 * sequence, f"expected well below {sequence:.2f} s: {slower:.2f} s"
    # How long it takes on a busy machine proves nothing, but CPU time per wall time does.
    # 有 GIL 时，几个线程合起来也只用到一个核
    assert not gil or at_work < 1.2, f"expected at most 1 core at work with a GIL: {at_work:.2f}"


def wait():
    # Like waiting for the network: it releases the GIL first. 等待之前先让出 GIL
    time.sleep(0.2)


def compute():
    n = 0
    while n < 1_000_000:
        n += 1


def in_sequence(task):
    return [timed(task) for _ in range(COUNT)]


def by_threads(task):
    return at_once(task, threading.Thread, threading.Barrier, queue.Queue())


def by_processes(task):
    return at_once(task, multiprocessing.Process, multiprocessing.Barrier, multiprocessing.Queue())


def at_once(task, kind, barrier, results):
    start = barrier(COUNT, timeout=LIMIT)
    # daemon 守护线程/守护进程: Ctrl-C ends the program at once, without waiting for them
    workers = [kind(target=work, args=(task, start, results), daemon=True) for _ in range(COUNT)]
    for worker in workers:
        worker.start()
    times = [results.get(timeout=LIMIT) for _ in workers]
    for worker in workers:
        worker.join(LIMIT)
    return times


def work(task, start, results):
    start.wait()                    # all begin together, so that only the tasks are timed
    results.put(timed(task))


def timed(task):
    """Return when the task began and when it ended, and its CPU time, all in seconds."""
    began, used = time.monotonic(), time.thread_time()
    task()
    used = time.thread_time() - used
    return began, time.monotonic(), used


def show(title, times):
    """Print a row; return the wall time in seconds and how many cores were at work on average."""
    wall = max(ended for began, ended, used in times) - min(began for began, ended, used in times)
    cpu = sum(used for began, ended, used in times)
    print(f"{title:21}{1000 * wall:11.0f} ms{1000 * cpu:8.0f} ms{cpu / wall:11.2f}")
    return wall, cpu / wall


if __name__ == "__main__":
    main()
