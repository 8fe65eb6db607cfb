"""A zombie has ended but not been reaped: its memory is freed; wait, not SIGKILL, removes a zombie.
僵尸进程：已经结束，还没有被回收；内存已释放，wait 能清除它，SIGKILL 不能。
讲义: 孤儿和僵尸 · 僵尸进程

Run:    python day07/zombie.py

Output:
    the child <pid> has exited, but its parent has not called wait:
        State: Z (zombie)        lines about memory (Vm...): 0
    after kill -9:
        State: Z (zombie)        lines about memory (Vm...): 0
    waitpid returned (<pid>, 1792), so the exit status was 7:
        /proc/<pid> exists: False
"""
import os
import signal
import sys


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    if not os.path.exists("/proc/self/stat"):
        print("this needs Linux's /proc: use Linux or WSL"
              " · 需要 Linux 的 /proc，请用 Linux 或 WSL", file=sys.stderr)
        sys.exit(2)

    pid = os.fork()
    if pid == 0:
        os._exit(7)

    # WNOWAIT: return when the child has ended, but do not reap it. 只等它结束，不回收。
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print(f"the child {pid} has exited, but its parent has not called wait:")
    show(pid)

    # The signal has no effect, and kill raises no error: the child has already ended.
    # 子进程已经结束，信号不起作用，也不报错。
    os.kill(pid, signal.SIGKILL)
    print("after kill -9:")
    show(pid)

    # The kernel keeps the entry in the process table so that the parent can read the status.
    # 内核保留进程表中的一项，是为了让父进程读取状态。
    # The status is encoded: 7 * 256 means exit status 7 (wait.py). 状态是编码过的。
    child, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    exists = os.path.exists(f"/proc/{pid}")
    print(f"waitpid returned ({child}, {status}), so the exit status was {code}:")
    print(f"    /proc/{pid} exists: {exists}")
    assert code == 7, f"expected exit status 7, unchanged by SIGKILL; got {code}"
    assert not exists, f"expected /proc/{pid} to be removed when the child was reaped"


def show(pid):
    """Print a zombie's state and the number of lines about its memory in /proc; check both."""
    with open(f"/proc/{pid}/status") as file:
        lines = file.read().splitlines()
    [state] = [line.split(maxsplit=1)[1] for line in lines if line.startswith("State:")]
    # A living process has more than ten of these lines.
    memory = [line for line in lines if line.startswith("Vm")]
    print(f"    State: {state}        lines about memory (Vm...): {len(memory)}")
    assert state.startswith("Z"), f"expected process {pid} to be in state Z; /proc says {state}"
    assert not memory, f"expected process {pid} to have no memory; /proc says {memory}"


if __name__ == "__main__":
    main()
