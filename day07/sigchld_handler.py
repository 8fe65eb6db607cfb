"""Handle SIGCHLD: signals do not queue, so the handler reaps in a loop until no child is left.
处理 SIGCHLD：信号不排队，所以处理函数必须循环回收，直到没有已结束的子进程。
讲义: 孤儿和僵尸 · 如何避免僵尸进程产生 · 通过信号处理子进程退出

Run:    python day07/sigchld_handler.py

Output:
    children that ended while SIGCHLD was blocked: 5
    calls of the handler: 1
    exit statuses that it read: [1, 2, 3, 4, 5]
    zombies that are left: 0
"""
import os
import signal
import sys

# For each call of the handler, the exit statuses that it read.
calls = []


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)

    signal.signal(signal.SIGCHLD, reap)
    # A blocked signal waits. So all five children end before the handler runs once.
    # 先阻塞信号，让五个子进程都结束，信号合并成一个。
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    for status in (1, 2, 3, 4, 5):
        pid = os.fork()
        if pid == 0:
            os._exit(status)
        # WNOWAIT: return when the child has ended, but do not reap it.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print("children that ended while SIGCHLD was blocked: 5")
    # Unblocking delivers the signal: the handler runs before the next line. 解除阻塞，信号送达。
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])

    statuses = sorted(status for call in calls for status in call)
    print(f"calls of the handler: {len(calls)}")
    print(f"exit statuses that it read: {statuses}")
    print(f"zombies that are left: {5 - len(statuses)}")
    assert len(calls) == 1, f"expected one call, because signals do not queue; got {len(calls)}"
    assert statuses == [1, 2, 3, 4, 5], f"expected all five exit statuses; got {statuses}"


def reap(signum, frame):
    """The handler: reap every child that has ended, and wait for none that still runs."""
    statuses = []
    calls.append(statuses)
    # One signal may stand for many children. 一个信号可能代表多个子进程。
    while True:
        try:
            # -1: any child.  WNOHANG: do not block.
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            # No child is left.
            return
        if pid == 0:
            # Some children are left, and all of them still run.
            return
        statuses.append(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
