"""Ignore SIGCHLD: no child becomes a zombie, but the program gets no exit status from any child.
忽略 SIGCHLD：子进程不会变成僵尸，但整个程序再也得不到任何退出状态。
讲义: 孤儿和僵尸 · 如何避免僵尸进程产生 · 通过信号处理子进程退出

Run:    python day07/sigchld.py

Output:
    child <pid> called os._exit(7)
        waitpid raised ChildProcessError: the exit status is lost
        kill raised ProcessLookupError: the child does not even exist as a zombie
    the command `exit 3` failed
        subprocess reports exit status 0
"""
import os
import signal
import subprocess
import sys
import time


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)

    # Ignore SIGCHLD before the child ends. From now on, the kernel itself reaps our children.
    # 必须在子进程退出之前设置；从此由内核回收子进程。
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os._exit(7)

    print(f"child {pid} called os._exit(7)")
    # The child need not be reaped. We call waitpid only to be sure that the child has ended.
    try:
        result = os.waitpid(pid, 0)
    except ChildProcessError as error:
        print(f"    waitpid raised {type(error).__name__}: the exit status is lost")
    else:
        raise AssertionError(f"expected ChildProcessError; waitpid returned {result}")
    # Signal 0 is never delivered: kill only checks if the process exists. A zombie still exists.
    # waitpid can return a moment before the kernel has removed the child, so we ask until it has.
    # waitpid 返回时，内核可能还没有清除完，所以反复询问。
    deadline = time.monotonic() + 10
    try:
        while time.monotonic() < deadline:
            os.kill(pid, 0)
    except ProcessLookupError as error:
        print(f"    kill raised {type(error).__name__}: the child does not even exist as a zombie")
    else:
        raise AssertionError(f"expected no process {pid}; kill still finds one")

    # The price: modules that start a program cannot learn how it ended. subprocess then reports 0,
    # as if the program had succeeded.
    # 代价：得不到命令的退出状态，subprocess 会报告 0，好像成功了一样。
    status = subprocess.run(["sh", "-c", "exit 3"], timeout=10).returncode
    print("the command `exit 3` failed")
    print(f"    subprocess reports exit status {status}")
    assert status == 0, f"expected 0, because the exit status is lost; got {status}"


if __name__ == "__main__":
    main()
