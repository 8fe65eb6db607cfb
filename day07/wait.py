"""wait reaps a child and returns its PID and status; the status is encoded, not exit's argument.
wait 回收子进程，返回 PID 和退出状态：状态是编码过的，不是 exit 的参数本身。
讲义: 孤儿和僵尸 · 如何避免僵尸进程产生 · 使用wait函数处理子进程退出

Run:    python day07/wait.py

Output:
    child <pid> called os._exit(3)
        wait returned (<pid>, 768): exited with 3
    child <pid> was killed by SIGKILL
        wait returned (<pid>, 9): killed by signal 9
    no children are left
        wait raised ChildProcessError
"""
import os
import signal
import sys


def main():
    if sys.version_info < (3, 10):
        print("this needs Python 3.10 or newer · 需要 Python 3.10 或更新的版本", file=sys.stderr)
        sys.exit(2)
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)

    pid = os.fork()
    if pid == 0:
        os._exit(3)
    # wait blocks until one of the children has ended. 阻塞等待某个子进程退出。
    child, status = os.wait()
    print(f"child {pid} called os._exit(3)")
    print(f"    wait returned ({child}, {status}): {decode(status)}")
    code = os.waitstatus_to_exitcode(status)
    assert (child, code) == (pid, 3), f"expected child {pid} and code 3; got {child} and {code}"

    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    child, status = os.wait()
    print(f"child {pid} was killed by SIGKILL")
    print(f"    wait returned ({child}, {status}): {decode(status)}")
    # A negative exit code means a signal: -9 is signal 9, SIGKILL. 负数表示被信号杀死。
    code = os.waitstatus_to_exitcode(status)
    assert (child, code) == (pid, -9), f"expected child {pid} and code -9; got {child} and {code}"

    print("no children are left")
    try:
        result = os.wait()
    except ChildProcessError as error:
        print(f"    wait raised {type(error).__name__}")
    else:
        raise AssertionError(f"expected ChildProcessError; wait returned {result}")


def decode(status):
    """Return a message that says how a child ended.

    status: 16 bits. The high 8 bits are exit's argument: 768 is 3 * 256. The low 7 bits are the
    number of the signal that killed the child, or 0. Source: os.wait in Python's documentation.
    高 8 位是 exit 的参数（768 = 3 * 256），低 7 位是杀死它的信号的编号，没有则为 0。
    """
    if os.WIFSIGNALED(status):
        return f"killed by signal {os.WTERMSIG(status)}"
    return f"exited with {os.WEXITSTATUS(status)}"


if __name__ == "__main__":
    main()
