"""Waiting gives up the CPU; a process that computes loses it after a time slice if others want it.
进程等待时主动让出 CPU；一直计算的进程，时间片用完而别的进程也要用时，被收回 CPU。
讲义: 进程理论基础 · cpu时间片

Run:    python day07/time_slice.py

Output:
    slept once: gave up the CPU <n> time(s)
    computed while another process used the same CPU: lost the CPU <n> times
    computed for <ms> ms on average before the process lost the CPU
"""
import os
import signal
import sys
import time


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    if not hasattr(os, "sched_setaffinity"):
        print("this needs os.sched_setaffinity: use Linux or WSL"
              " · 需要 os.sched_setaffinity，请用 Linux 或 WSL", file=sys.stderr)
        sys.exit(2)
    sleep_once()
    compute_beside_another_process()


def sleep_once():
    # ru_nvcsw counts voluntary context switches: how often this process gave up the CPU.
    # 主动让出 CPU 的次数。
    before = usage().ru_nvcsw
    # A process that waits gives up the CPU. 等待就是让出 CPU。
    time.sleep(0.01)
    gave_up = usage().ru_nvcsw - before
    print(f"slept once: gave up the CPU {gave_up} time(s)")
    assert gave_up >= 1, f"expected the process to give up the CPU at least once; got {gave_up}"


def compute_beside_another_process():
    # Parent and child must share one CPU. 让父子进程共用一个 CPU。
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    deadline = time.monotonic() + 10
    pid = os.fork()
    if pid == 0:
        while time.monotonic() < deadline:
            pass
        os._exit(0)

    # ru_nivcsw counts involuntary context switches: how often this process lost the CPU.
    # 被收回 CPU 的次数。
    lost = 0
    before = usage().ru_nivcsw
    started = time.process_time()
    while lost < 5 and time.monotonic() < deadline:
        lost = usage().ru_nivcsw - before
    used = time.process_time() - started
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    print(f"computed while another process used the same CPU: lost the CPU {lost} times")
    assert lost >= 5, f"expected to lose the CPU 5 times within 10 seconds; got {lost}"
    # The average is about one time slice: less if a more urgent process took the CPU, and more if
    # the kernel noticed only at the next tick of its clock that the slice was over.
    # 大约是一个时间片：更紧急的进程会提前抢走 CPU；内核在时钟中断时才检查，所以也可能晚一点收回。
    ms = 1000 * used / lost
    print(f"computed for {ms:.1f} ms on average before the process lost the CPU")


def usage():
    """Return the resources that this process has used so far (man 2 getrusage)."""
    # Import resource only here, because Windows has no such module.
    import resource
    return resource.getrusage(resource.RUSAGE_SELF)


if __name__ == "__main__":
    main()
