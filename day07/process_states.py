"""The textbook's process states, and Linux's letters for them (R, S, T, Z), read from /proc.
教科书上的进程状态，对照 Linux 的字母 R、S、T、Z：从 /proc 现场读取。
讲义: 进程理论基础 · 进程状态（三态，五态）

Run:    python day07/process_states.py

Output:
    three states: ready <-> running, running -> waiting -> ready
    five states:  those three, with new before them and terminated after them

    textbook        a process that ...              /proc says
    running         reads its own state             R (running)
    ready           computes, but has no CPU now    R (running)
    waiting         sleeps                          S (sleeping)
    (stopped)       was sent SIGTSTP (Ctrl-Z)       T (stopped)
    terminated      has ended, but is not reaped    Z (zombie)
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
    if not os.path.exists("/proc/self/stat"):
        print("this needs Linux's /proc: use Linux or WSL"
              " · 需要 Linux 的 /proc，请用 Linux 或 WSL", file=sys.stderr)
        sys.exit(2)

    print("three states: ready <-> running, running -> waiting -> ready")
    print("five states:  those three, with new before them and terminated after them")
    print()
    print("textbook        a process that ...              /proc says")
    # R covers two states: a process has a CPU (running), or it queues for one (ready).
    # R 包括运行和就绪：正占有 CPU，或者在排队等 CPU。
    report("running", "reads its own state", "R (running)", state_of(os.getpid()))
    # From here on this process and its children share one CPU. While this process runs and reads
    # the state of a child, the child cannot run: it is ready.
    # 从这里开始，本进程和子进程只用同一个 CPU：本进程运行时，子进程只能排队。
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    show("ready", "computes, but has no CPU now", "R (running)", compute)
    # A process in state D is waiting too, usually for a disk, and ordinary signals do not wake it.
    # State D usually ends too quickly to be shown here.
    # D 也是等待（多为等磁盘），普通信号不能唤醒；通常时间太短，这里不演示。
    show("waiting", "sleeps", "S (sleeping)", sleep)
    # The textbook has no stopped state. Even when its sleep is over, a stopped process does not run
    # until it gets SIGCONT, which `fg` sends.
    # 教科书没有停止这个状态：收到 SIGCONT（由 fg 发送）之前，进程不会运行。
    show("(stopped)", "was sent SIGTSTP (Ctrl-Z)", "T (stopped)", sleep, signal.SIGTSTP)
    show("terminated", "has ended, but is not reaped", "Z (zombie)", end)


def show(textbook, what, expected, task, sent=None):
    """Fork a child that calls task(), wait until it is in the expected state, and kill it.

    textbook, what, expected: the columns of one row of the table.
    sent: a signal to send to the child first, or None.
    """
    pid = os.fork()
    if pid == 0:
        try:
            task()
        finally:
            # Whatever happens, the child must not go on with the parent's part of the program.
            os._exit(0)
    try:
        if sent is not None:
            # A stopped process cannot end itself. So put the child into its own process group (a
            # set of processes that can be sent a signal together): if this script is killed, the
            # kernel wakes and ends the stopped processes of that group.
            # 停止的进程不会自己结束；子进程自成一个进程组，本程序被杀时由内核唤醒并结束它
            os.setpgid(pid, pid)
            os.kill(pid, sent)
        state = state_of(pid)
        # The child may not have reached the expected state yet, so read its state again.
        # 子进程可能还没有进入该状态，再读一次。
        deadline = time.monotonic() + 10
        while state != expected and time.monotonic() < deadline:
            state = state_of(pid)
        report(textbook, what, expected, state)
    finally:
        # If the child is a zombie, this signal has no effect. 对僵尸没有作用，也不报错
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def report(textbook, what, expected, state):
    """Print and check one row of the table."""
    print(f"{textbook:14}  {what:30}  {state}")
    assert state == expected, f"{textbook}: expected {expected}; /proc says {state}"


def state_of(pid):
    """Return the state of a process as /proc names it, such as "S (sleeping)"."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("State:"):
                return line.removeprefix("State:").strip()


def compute():
    # If the parent is killed, the time limit ends the child. 时限：父进程被杀时，子进程会自己结束。
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        pass


def sleep():
    time.sleep(10)


def end():
    os._exit(0)


if __name__ == "__main__":
    main()
