"""SIGCHLD: ignored, it leaves no zombies but loses every exit status; handled, the handler must loop, as signals do not queue.
孤儿和僵尸 · 如何避免僵尸进程产生 · 通过信号处理子进程退出

Run:    python day07/sigchld.py

Output:
    SIG_IGN: child <pid> ended; no zombie, /proc/<pid> exists: False
             the price: wait raised ChildProcessError, the exit status 7 is lost
             and a command that failed with 3 is reported as 0
    handler: 5 children ended while SIGCHLD was blocked
             the handler ran 1 time and reaped 5 children, exit statuses [1, 2, 3, 4, 5]
"""
import os
import signal
import subprocess


def main():
    ignore()
    handle()


def ignore():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    pid = fork_child(7)
    # A program that ignores SIGCHLD need never wait. This one does, to show a child that has certainly ended.
    try:
        os.waitpid(pid, 0)
    except ChildProcessError as error:
        exists = os.path.exists(f"/proc/{pid}")
        print(f"SIG_IGN: child {pid} ended; no zombie, /proc/{pid} exists: {exists}")
        print(f"         the price: wait raised {type(error).__name__}, the exit status 7 is lost")
        assert not exists
    else:
        raise AssertionError("the kernel kept the child for us")

    # It also breaks every library that starts a process and asks how it went, and the programs that we start inherit it.
    status = subprocess.run(["sh", "-c", "exit 3"]).returncode
    print(f"         and a command that failed with 3 is reported as {status}")
    assert status == 0
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def handle():
    calls, reaped = 0, []

    def handler(signum, frame):
        nonlocal calls
        calls += 1
        while True:                                # one signal may stand for many children
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:              # no child is left
                return
            if pid == 0:                           # children are left, but all of them are running
                return
            reaped.append(os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGCHLD, handler)
    # Hold the signal back until all five have ended: the busy parent, on purpose.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    for pid in [fork_child(status) for status in (1, 2, 3, 4, 5)]:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print("handler: 5 children ended while SIGCHLD was blocked")
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])       # the handler runs before the next line

    print(f"         the handler ran {calls} time and reaped {len(reaped)} children, exit statuses {sorted(reaped)}")
    assert calls == 1 and sorted(reaped) == [1, 2, 3, 4, 5]


def fork_child(status):
    """Fork a child that does nothing but exit; return its PID."""
    pid = os.fork()
    if pid == 0:
        os._exit(status)
    return pid


if __name__ == "__main__":
    main()
