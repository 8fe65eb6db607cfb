"""daemon=True: the child is ended when its parent exits. daemon=False: the parent's exit waits for it.
multiprocessing 模块创建进程 · 进程对象属性 · p.daemon

Run:    python day08/process_daemon.py

Output:
    the parent starts two children, each with work to do, and returns
    the daemon was ended by the exit, its work is not done
    the other child is still at work, and the parent is waiting for it
    the other child: my work is done
    the parent has exited with 0
    to set daemon after start: AssertionError
"""
import os
import select
import signal
import sys
import time
from multiprocessing import Event, Process, SimpleQueue

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def work_long():
    time.sleep(PATIENCE)
    print("the daemon: my work is done")


def work_until(may_end):
    signal.alarm(PATIENCE)
    may_end.wait()
    print("the other child: my work is done")


def be_the_parent(pids, watched, may_end):
    """A process of its own, since this is about what happens when a parent exits."""
    signal.alarm(PATIENCE)
    daemon = Process(target=work_long, daemon=True)
    other = Process(target=work_until, args=(may_end,))
    daemon.start()
    other.start()
    pids.put((daemon.pid, other.pid))
    watched.wait()                                 # return, and so exit, when somebody is looking


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    print("the parent starts two children, each with work to do, and returns", flush=True)
    pids, watched, may_end = SimpleQueue(), Event(), Event()
    parent = Process(target=be_the_parent, args=(pids, watched, may_end))
    parent.start()
    daemon, other = pids.get()
    daemon, other = os.pidfd_open(daemon), os.pidfd_open(other)        # readable when the process has ended
    watched.set()

    assert has_ended(daemon, PATIENCE / 2), "the daemon lives on"
    print("the daemon was ended by the exit, its work is not done")
    assert not has_ended(other, 0) and parent.is_alive()
    print("the other child is still at work, and the parent is waiting for it", flush=True)

    may_end.set()
    parent.join()
    print(f"the parent has exited with {parent.exitcode}")
    assert has_ended(other, 0) and parent.exitcode == 0
    os.close(daemon)
    os.close(other)

    try:
        parent.daemon = True
    except AssertionError as error:
        print(f"to set daemon after start: {type(error).__name__}")
    else:
        sys.exit("daemon could be set after start")


def has_ended(pidfd, timeout):
    return bool(select.select([pidfd], [], [], timeout)[0])


if __name__ == "__main__":
    main()
