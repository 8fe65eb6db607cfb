"""Two threads in one process: the same PID, other thread ids, and the same variables.
线程编程 (Thread) · threading模块创建线程

Run:    python day09/thread1.py

Output:
    main  : PID <pid>, thread id <n>, a = 1
    branch: PID <pid>, thread id <n>, a = 1, writes 10000
    main  : sees a = 10000
    the kernel lists them as tasks of one process, 2 while the branch ran
"""
import os
import threading
from threading import Thread

a = 1
tasks = []


def branch():
    global a                                       # the same variable as main's: threads share the process's memory
    print(f"branch: PID {os.getpid()}, thread id {threading.get_native_id()}, a = {a}, writes 10000")
    a = 10000
    tasks.extend(os.listdir(f"/proc/{os.getpid()}/task"))


def main():
    print(f"main  : PID {os.getpid()}, thread id {threading.get_native_id()}, a = {a}")
    thread = Thread(target=branch)
    thread.start()
    thread.join()                                  # wait for its end; there is no exit status to collect
    print(f"main  : sees a = {a}")
    print(f"the kernel lists them as tasks of one process, {len(tasks)} while the branch ran")
    assert a == 10000 and len(tasks) == 2


if __name__ == "__main__":
    main()
