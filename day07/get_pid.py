"""getpid returns my PID, getppid my parent's: a child's parent is the process that called fork.
getpid 返回自己的 PID，getppid 返回父进程的 PID：子进程的父进程就是调用 fork 的进程。
讲义: 进程相关函数

Run:    python day07/get_pid.py

Output:
    parent: my PID is <pid>, my parent is <pid> (it started this program)
    child : my PID is <pid>, my parent is <pid>
    parent: fork returned <pid>, the PID of my child
"""
import os
import signal
import sys


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    # End quietly when nothing reads our output any more, as in `python get_pid.py | head -1`.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

    parent = os.getpid()
    print(f"parent: my PID is {parent}, my parent is {os.getppid()} (it started this program)",
          flush=True)

    pid = os.fork()
    if pid == 0:
        # fork returned 0 here, so the child calls getpid for its PID and getppid for its parent's.
        # fork 在子进程中返回 0，所以要用这两个函数得到自己和父进程的 PID。
        print(f"child : my PID is {os.getpid()}, my parent is {os.getppid()}")
        # Use sys.exit, not os._exit: sys.exit first writes what is in stdout's buffer.
        # 不用 os._exit：sys.exit 会先把缓冲区里的文字写出。
        sys.exit(int(os.getppid() != parent))

    # The parent waits, so it is still alive when the child calls getppid (compare orphan.py).
    _, status = os.waitpid(pid, 0)
    print(f"parent: fork returned {pid}, the PID of my child", flush=True)
    assert status == 0, f"expected {parent} to be the child's parent; the child has another parent"


if __name__ == "__main__":
    main()
