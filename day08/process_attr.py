"""What a Process object tells before, during and after its life: name, pid, is_alive, exitcode.
multiprocessing 模块创建进程 · 进程对象属性

Run:    python day08/process_attr.py

Output:
    the child ...        name    pid    is_alive()  exitcode
    before start         worker  None   False       None
    is running           worker  <pid>  True        None
    has returned         worker  <pid>  False       0
    called sys.exit(1)   worker  <pid>  False       1
    was terminated       worker  <pid>  False       -15
"""
import signal
import sys
import time
from multiprocessing import Event, Process

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def work(running, may_end, fail):
    signal.alarm(PATIENCE)
    running.set()
    may_end.wait()
    if fail:
        sys.exit(1)                                # an uncaught exception gives 1 as well, with a traceback


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    print("the child ...        name    pid    is_alive()  exitcode")
    running, may_end = Event(), Event()
    child = Process(target=work, name="worker", args=(running, may_end, False))
    show("before start", child)
    assert (child.pid, child.is_alive(), child.exitcode) == (None, False, None)

    child.start()
    running.wait()
    show("is running", child)
    assert (child.is_alive(), child.exitcode) == (True, None)

    may_end.set()
    child.join()
    show("has returned", child)
    assert (child.is_alive(), child.exitcode) == (False, 0)

    child = Process(target=work, name="worker", args=(running, may_end, True))
    child.start()
    child.join()
    show("called sys.exit(1)", child)
    assert child.exitcode == 1

    child = Process(target=time.sleep, name="worker", args=(PATIENCE,))
    child.start()
    child.terminate()                              # sends SIGTERM, and an exit code below 0 is minus a signal's number
    child.join()
    show("was terminated", child)
    assert child.exitcode == -15


def show(when, child):
    print(f"{when:19}  {child.name:6}  {str(child.pid):5}  {str(child.is_alive()):10}  {child.exitcode}")


if __name__ == "__main__":
    main()
