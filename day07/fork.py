"""fork returns twice: 0 in the child, the child's PID in the parent; failure is OSError.
基于fork的多进程编程 · fork使用

Run:    python day07/fork.py

Output:
    before the fork: one process, PID <pid>
    child  <pid>: fork returned 0
    child  <pid>: goes on after the if
    parent <pid>: fork returned <pid>, the PID of my child
    parent <pid>: goes on after the if
    no process allowed: fork raised BlockingIOError (EAGAIN), which is an OSError
"""
import contextlib
import errno
import os
import resource
import sys


def fork_twice_returned():
    # flush: text that still waits in the buffer would be copied with the rest and come out twice.
    print(f"before the fork: one process, PID {os.getpid()}", flush=True)
    pid = os.fork()
    if pid == 0:
        me = f"child  {os.getpid()}"
        print(f"{me}: fork returned {pid}")
    else:
        me = f"parent {os.getpid()}"
        # Which of the two runs first is the kernel's choice. Waiting here makes it the child.
        _, status = os.waitpid(pid, 0)
        print(f"{me}: fork returned {pid}, the PID of my child")
    print(f"{me}: goes on after the if", flush=True)

    if pid == 0:
        sys.exit(0)
    assert status == 0


def fork_refused():
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):         # the limit binds everybody but root; and who is root becomes "nobody"
            os.setuid(65534)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        try:
            os.fork()                              # C's fork would return -1 here
        except OSError as error:
            print(f"no process allowed: fork raised {type(error).__name__} "
                  f"({errno.errorcode[error.errno]}), which is an OSError", flush=True)
            os._exit(0)
        os._exit(1)                                # reached only if a process was allowed after all
    _, status = os.waitpid(pid, 0)
    assert status == 0, "the limit did not stop the fork"


def main():
    fork_twice_returned()
    fork_refused()


if __name__ == "__main__":
    main()
