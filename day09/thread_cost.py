"""What it costs to create and join a thread, and a process: their CPU time, measured side by side.
线程编程 (Thread) · 线程基本概念 · 线程的创建和销毁消耗资源远小于进程

Run:    python day09/thread_cost.py

Output:
    CPU time to create, start and join one, the middle of 9 rounds:
    a process  ########################################  <ms> ms
    a thread   <bar>  <ms> ms
    a process costs <ratio> times as much
"""
import resource
import statistics
from multiprocessing import Process
from threading import Thread

COUNT = 4
ROUNDS = 9
WIDTH = 40


def nothing():
    pass


def cost(kind):
    """Seconds of CPU time to create, start and join one of the kind: Process or Thread."""
    started = cpu_seconds()
    for _ in range(COUNT):
        worker = kind(target=nothing)
        worker.start()
        worker.join()
    return (cpu_seconds() - started) / COUNT


def cpu_seconds():
    """What this process has used and the children that it has reaped. By the clock, a busy machine would count too."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main():
    times = {Process: [], Thread: []}
    for _ in range(ROUNDS):                        # in turn, so that a busy moment of the machine hits both
        for kind, took in times.items():
            took.append(cost(kind))
    process, thread = [statistics.median(took) for took in times.values()]

    print(f"CPU time to create, start and join one, the middle of {ROUNDS} rounds:")
    print(f"a process  {bar(process, process)}  {1000 * process:.3f} ms")
    print(f"a thread   {bar(thread, process)}  {1000 * thread:.3f} ms")
    print(f"a process costs {process / thread:.0f} times as much")
    assert process > thread


def bar(value, largest):
    return "#" * max(1, round(WIDTH * value / largest))


if __name__ == "__main__":
    main()
