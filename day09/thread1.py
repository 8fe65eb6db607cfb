"""Two threads of one process have the same PID and the same variables.
同一进程的两个线程：同一 PID，同样的变量。
讲义: 线程编程 (Thread) · threading模块创建线程

Run:    python day09/thread1.py

Output:
    main  : PID <pid>, thread id <n>, a = 1
    branch: PID <pid>, thread id <n>, a = 1, writes 10000
    main  : sees a = 10000
"""
import os
import threading
from threading import Thread

a = 1


def branch():
    # main sees this variable, too: threads share the memory of their process. 线程共享进程的内存
    global a
    me = f"PID {os.getpid()}, thread id {threading.get_native_id()}"
    print(f"branch: {me}, a = {a}, writes 10000")
    a = 10000


def main():
    me = f"PID {os.getpid()}, thread id {threading.get_native_id()}"
    print(f"main  : {me}, a = {a}")
    thread = Thread(target=branch)
    thread.start()
    # Wait until the thread ends. A thread has no exit status. 等待它结束；线程没有退出状态
    thread.join()
    print(f"main  : sees a = {a}")
    assert a == 10000, f"expected main to see 10000; a is {a}"


if __name__ == "__main__":
    main()
