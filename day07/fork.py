"""fork returns twice: 0 in the child, the child's PID in the parent. It raises OSError if it fails.
fork 返回两次：子进程得到 0，父进程得到子进程的 PID；失败时抛出 OSError。
讲义: 基于fork的多进程编程 · fork使用

Run:    python day07/fork.py

Output:
    before the fork: one process, PID <pid>
    child  <pid>: fork returned 0
    child  <pid>: goes on after the if
    parent <pid>: fork returned <pid>, the PID of my child
    parent <pid>: goes on after the if
"""
import os
import signal
import sys


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    # End quietly when nothing reads our output any more, as in `python fork.py | head -1`.
    # Skip this line at first reading: day 9 explains signals. 初读可跳过
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

    # flush: fork copies the buffer, so text that is still in it would be printed twice.
    # flush：否则文字可能还在缓冲区里，被 fork 复制，打印两次。
    print(f"before the fork: one process, PID {os.getpid()}", flush=True)
    try:
        pid = os.fork()
    except OSError as error:
        # fork fails if the system or the user has too many processes. (In C, it returns -1.)
        # C 语言的 fork 返回 -1；系统或用户的进程数达到上限时会失败。
        sys.exit(f"fork raised {type(error).__name__}: {error}")

    # From here on there are two processes. 从这里开始有两个进程，都接着执行。
    if pid == 0:
        me = f"child  {os.getpid()}"
        print(f"{me}: fork returned {pid}")
    else:
        me = f"parent {os.getpid()}"
        # The kernel decides which process runs first. Here the parent waits for the child.
        os.waitpid(pid, 0)
        print(f"{me}: fork returned {pid}, the PID of my child")
    print(f"{me}: goes on after the if")


if __name__ == "__main__":
    main()
