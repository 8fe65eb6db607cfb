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

COUNT = 4
LIMIT = 10                          # seconds; a wait that takes longer has failed


def main():
    # Only 3.13 and later can be asked; before that, every CPython had a GIL.
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    kind = "without a GIL"
    if gil:
        kind = f"with a GIL (switch interval {1000 * sys.getswitchinterval():g} ms)"
    cores = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))        # those that this process may use
    # Measured first, printed later: a new process flushes what is still to be printed.
    waits = [in_sequence(wait), by_threads(wait), by_processes(wait)]
    computations = [in_sequence(compute), by_threads(compute), by_processes(compute)]
    of_threads = computations[1]

    print(f"CPython {sys.version.split()[0]} {kind}, {cores} core(s)\n")
    print("four times                wall time   CPU time   CPU/wall")
    sequence, _ = show("wait     in_sequence", waits[0])
    threads, _ = show("wait     by_threads", waits[1])
    processes, _ = show("wait     by_processes", waits[2])
    one_by_one, _ = show("compute  in_sequence", computations[0])
    _, at_work = show("compute  by_threads", of_threads)
    in_processes, cores_used = show("compute  by_processes", computations[2])

    # A thread that computes never waits; the others get their turns all the same, on request.
    first_end = min(task.ended for task in of_threads)
    begun = sum(task.began < first_end for task in of_threads)
    print(f"\ncompute by_threads: when the first thread ended, {begun} of {COUNT} had begun")
    result = verdict(in_processes < one_by_one, cores_used, cores)
    print(f"compute by_processes: {result} ({cores_used:.2f} of {cores} core(s))")

    slower = max(threads, processes)
    # Four waits at once take as long as one, and a little longer on a busy machine.
    assert slower < 0.75 * sequence, f"expected well below {sequence:.2f} s: {slower:.2f} s"
    # On a busy machine, the wall time proves nothing, but the CPU time divided by it does: with a
    # GIL, all the threads together use one core at most.
    # 机器忙时，经过的时间说明不了什么，CPU/wall 才可靠：有 GIL 时，几个线程合起来最多用到一个核
    assert not gil or at_work < 1.2, f"expected at most 1 core at work with a GIL: {at_work:.2f}"


def verdict(faster, cores_used, cores):
    """Say whether processes were faster; it depends on the cores that are free at this moment."""
    if faster and cores_used > 1.2:
        return "faster: more than one core at work"
    if cores == 1:
        return "not faster: there is only one core"
    return "not shown: the machine is busy"


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
    """Run a task in COUNT workers; kind: Thread or Process, the rest from the same module."""
    # A Barrier lets none of them pass until all COUNT have arrived.
    start = barrier(COUNT, timeout=LIMIT)
    # daemon: Ctrl-C ends the program at once, without waiting for them
    # 守护线程、守护进程：按 Ctrl-C 时程序立即结束，不等待它们
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
    return SimpleNamespace(began=began, ended=time.monotonic(), used=used)


def show(title, times):
    """Print a row; return the wall time in seconds and how many cores were at work on average."""
    wall = max(task.ended for task in times) - min(task.began for task in times)
    cpu = sum(task.used for task in times)
    print(f"{title:21}{1000 * wall:11.0f} ms{1000 * cpu:8.0f} ms{cpu / wall:11.2f}")
    return wall, cpu / wall


if __name__ == "__main__":
    main()
