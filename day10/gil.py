"""What the GIL leaves to threads: tasks that wait and tasks that compute, in sequence, by threads, by processes, measured.
python线程GIL

Run:    python day10/gil.py

Output:
    CPython <version>, <kind>; cores to run on: <n>

    four times 0.2 s of waiting                                     cores at work
    in sequence   ########################################  <ms> ms  <n>
    by threads    <bar>  <ms> ms  <n>
    by processes  <bar>  <ms> ms  <n>

    four times the same computation, the best of 3 rounds           cores at work
    in sequence   <bar>  <ms> ms  <n>
    by threads    <bar>  <ms> ms  <n>
    by processes  <bar>  <ms> ms  <n>
    threads that never wait do not queue up either: when the first was done, <n> of 4 had begun
"""
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from multiprocessing import Process
from threading import Thread

COUNT = 4
WIDTH = 40
PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()          # can be asked since 3.13; before, there always was one
    kind = f"with a GIL, handed over every {1000 * sys.getswitchinterval():g} ms on request" if gil else "without a GIL"
    print(f"CPython {sys.version.split()[0]}, {kind}; cores to run on: {len(os.sched_getaffinity(0))}")
    print()

    sequence, threads, processes = measure("four times 0.2 s of waiting", wait, rounds=1)
    assert clock(threads) < clock(sequence) and clock(processes) < clock(sequence)
    print()

    sequence, threads, processes = measure("four times the same computation, the best of 3 rounds", compute, rounds=3)
    first_end = min(ended for started, ended, used in threads)
    begun = sum(started < first_end for started, ended, used in threads)
    print(f"threads that never wait do not queue up either: when the first was done, {begun} of {COUNT} had begun")
    # How long it takes on a busy machine proves nothing. This does: with a GIL, threads compute on one core at a time.
    assert not gil or cores(threads) < 1.2


def wait():
    time.sleep(0.2)                                # like a download: who waits for something gives the GIL back first


def compute():
    n = 0
    while n < 1_000_000:
        n += 1


def measure(title, task, rounds):
    """Do the task COUNT times in each of three ways, print how it went in the best round, return those times."""
    ways = {"in sequence": in_sequence, "by threads": by_threads, "by processes": by_processes}
    # Round by round, so that a busy moment of the machine hits all three.
    measured = [{way: do(task) for way, do in ways.items()} for _ in range(rounds)]
    best = {way: min((times[way] for times in measured), key=clock) for way in ways}
    longest = max(map(clock, best.values()))
    print(f"{title:65}cores at work")
    for way, times in best.items():
        print(f"{way:12}  {bar(clock(times), longest):{WIDTH}}  {1000 * clock(times):5.0f} ms  {cores(times):13.2f}")
    return best.values()


def in_sequence(task):
    return [timed(task) for _ in range(COUNT)]


def by_threads(task):
    return side_by_side(Thread, work, threading.Barrier(COUNT), queue.SimpleQueue(), task)


def by_processes(task):
    return side_by_side(Process, child, multiprocessing.Barrier(COUNT), multiprocessing.SimpleQueue(), task)


def timed(task):
    """When it started, when it ended, and how much CPU time this thread used between the two."""
    started, used = time.monotonic(), time.thread_time()
    task()
    used = time.thread_time() - used
    return started, time.monotonic(), used


def side_by_side(kind, target, barrier, results, task):
    workers = [kind(target=target, args=(task, barrier, results)) for _ in range(COUNT)]
    for worker in workers:
        worker.start()
    times = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    return times


def child(task, barrier, results):
    signal.alarm(PATIENCE)
    work(task, barrier, results)


def work(task, barrier, results):
    barrier.wait()                                 # start when all are there, so that only the work is timed
    results.put(timed(task))


def clock(times):
    """Seconds from the first start to the last end; all processes read the same clock."""
    return max(ended for started, ended, used in times) - min(started for started, ended, used in times)


def cores(times):
    """How many cores were at work, on average: seconds of CPU time per second by the clock."""
    return sum(used for started, ended, used in times) / clock(times)


def bar(value, largest):
    return "#" * max(1, round(WIDTH * value / largest))


if __name__ == "__main__":
    main()
