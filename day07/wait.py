"""wait reaps a child and tells how it ended: the status is encoded, it is not the argument of exit.
孤儿和僵尸 · 如何避免僵尸进程产生 · 使用wait函数处理子进程退出

Run:    python day07/wait.py

Output:
    child <pid> called os._exit(3): wait returned (<pid>, 768) -> exited with 3
    child <pid> was killed by SIGKILL: wait returned (<pid>, 9) -> killed by signal 9
    no child left: wait raised ChildProcessError
"""
import os
import signal


def main():
    pid = fork_child(lambda: os._exit(3))
    child, status = os.wait()                      # blocks until some child has ended
    print(f"child {pid} called os._exit(3): wait returned ({child}, {status}) -> {decode(status)}")
    assert child == pid and os.waitstatus_to_exitcode(status) == 3

    pid = fork_child(lambda: os.kill(os.getpid(), signal.SIGKILL))
    child, status = os.wait()
    print(f"child {pid} was killed by SIGKILL: wait returned ({child}, {status}) -> {decode(status)}")
    assert child == pid and os.waitstatus_to_exitcode(status) == -signal.SIGKILL   # negative: a signal's number

    try:
        os.wait()                                  # nobody to wait for: an error, not an endless wait
    except ChildProcessError as error:
        print(f"no child left: wait raised {type(error).__name__}")
    else:
        raise AssertionError("there was another child")


def fork_child(end):
    """Fork a child that does nothing but call end(); return its PID."""
    pid = os.fork()
    if pid == 0:
        end()
    return pid


def decode(status):
    """The high byte is the argument of exit, the low seven bits the signal that killed (see man 2 wait)."""
    if os.WIFSIGNALED(status):
        return f"killed by signal {os.WTERMSIG(status)}"
    return f"exited with {os.WEXITSTATUS(status)}"


if __name__ == "__main__":
    main()
