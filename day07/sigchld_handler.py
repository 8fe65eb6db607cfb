"""Handle SIGCHLD: it does not queue, so the handler reaps in a loop until no zombie is left.
处理 SIGCHLD：它不排队，所以处理函数必须循环回收，直到没有已结束的子进程。
讲义: 孤儿和僵尸 · 如何避免僵尸进程产生 · 通过信号处理子进程退出

Run:    python day07/sigchld_handler.py

Output:
    children that ended while SIGCHLD was blocked: 5
    calls to the handler: 1
    exit statuses that the handler read: [1, 2, 3, 4, 5]
    zombies that are left: 0
"""
import os
import signal
import sys

# The handler records the signal's number at each call, and each exit status that it reads.
calls = []
statuses = []


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    # On macOS, os.waitid is new in Python 3.13.
    if not hasattr(os, "waitid"):
        print("this needs os.waitid: use Linux or WSL, or Python 3.13"
              " · 需要 os.waitid，请用 Linux、WSL 或 Python 3.13", file=sys.stderr)
        sys.exit(2)

    signal.signal(signal.SIGCHLD, reap)
    # A blocked signal is not delivered: it stays pending. So all five children end before the
    # handler can run. 先阻塞信号：五个子进程都结束之后，处理函数才会执行。
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    expected = [1, 2, 3, 4, 5]
    for status in expected:
        pid = os.fork()
        if pid == 0:
            os._exit(status)
        # Wait until this child (P_PID, pid) has ended (WEXITED), but do not reap it (WNOWAIT). `|`
        # combines the two options. 等这个子进程结束，但不回收；`|` 把两个选项合在一起。
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print(f"children that ended while SIGCHLD was blocked: {len(expected)}")
    # The kernel sent SIGCHLD five times, but only one signal is pending. Unblocking delivers it, so
    # the handler runs before the next line. 发出了五次 SIGCHLD，只留下一个；解除阻塞，信号送达。
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])

    print(f"calls to the handler: {len(calls)}")
    print(f"exit statuses that the handler read: {sorted(statuses)}")
    print(f"zombies that are left: {len(expected) - len(statuses)}")
    assert len(calls) == 1, f"expected one call, because SIGCHLD does not queue; got {len(calls)}"
    assert sorted(statuses) == expected, f"expected the exit statuses {expected}; got {statuses}"


def reap(signum, frame):
    """Handle SIGCHLD: reap every child that has ended, without waiting for the others."""
    calls.append(signum)
    # One signal may stand for many children. 一个信号可能代表多个子进程。
    while True:
        try:
            # -1: any child. WNOHANG: do not block. -1 表示任意子进程；WNOHANG 表示不阻塞。
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            # No children are left.
            return
        if pid == 0:
            # Some children are left, but all of them are still running.
            return
        statuses.append(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
