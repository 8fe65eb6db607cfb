"""The textbook's process states and Linux's own, R, S, T and Z, read live from /proc.
教科书上的进程状态，以及 Linux 自己的 R、S、T、Z：从 /proc 现场读取。
讲义: 进程理论基础 · 进程状态（三态，五态）

Run:    python day07/process_states.py

Output:
    three states: ready <-> running, running -> waiting -> ready
    five states:  these three, and before them new, after them terminated

    textbook        a process that ...              /proc says
    ready, running  computes without a pause        R (running)
    waiting         sleeps                          S (sleeping)
    (stopped)       was sent SIGSTOP                T (stopped)
    terminated      has ended and was not reaped    Z (zombie)
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
    print("five states:  these three, and before them new, after them terminated")
    print()
    print("textbook        a process that ...              /proc says")
    # One letter for two states: R means "has a CPU" or "queues for one". R 包括就绪和运行。
    show("ready, running", "computes without a pause", "R (running)", compute)
    # D also waits, usually for a disk, but signals cannot wake it. It is too short to be shown
    # here. D 也是等待（多为等磁盘），但不能被信号唤醒；时间太短，这里不演示。
    show("waiting", "sleeps", "S (sleeping)", sleep)
    show("(stopped)", "was sent SIGSTOP", "T (stopped)", sleep, signal.SIGSTOP)
    show("terminated", "has ended and was not reaped", "Z (zombie)", end)


def show(textbook, what, expected, live, sent=None):
    """Fork a child that calls live(), send it a signal, wait for the expected state, end it."""
    pid = os.fork()
    if pid == 0:
        try:
            live()
        finally:
            # Whatever happens, the child must not return into the parent's part of the program.
            os._exit(0)
    try:
        if sent is not None:
            os.kill(pid, sent)
        state = state_of(pid)
        # The child is still on its way into the state. 子进程还没有进入该状态，再读一次。
        deadline = time.monotonic() + 10
        while state != expected and time.monotonic() < deadline:
            state = state_of(pid)
        print(f"{textbook:14}  {what:30}  {state}")
        assert state == expected, f"expected {expected}, because it {what}; /proc says {state}"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def state_of(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("State:"):
                return line.removeprefix("State:").strip()


def compute():
    # The limit is there for a child whose parent was killed.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        pass


def sleep():
    time.sleep(10)


def end():
    os._exit(0)


if __name__ == "__main__":
    main()
