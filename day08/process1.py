"""A Process runs one function in a child, and only that: target, start, join.
multiprocessing 模块创建进程 · 进程创建方法

Run:    python day08/process1.py

Output:
    parent <pid>: made a Process, it has no PID yet: None
    child  <pid>: running the function, my parent is <pid>
    parent <pid>: the child <pid> has ended with exit code 0
    parent <pid>: this line is printed once, the child ran the function and nothing else
"""
import os
from multiprocessing import Process, parent_process


def greet():
    # parent_process() and not os.getppid(): with some start methods a helper does the forking (start_methods.py).
    print(f"child  {os.getpid()}: running the function, my parent is {parent_process().pid}")


def main():
    me = f"parent {os.getpid()}"
    child = Process(target=greet)
    print(f"{me}: made a Process, it has no PID yet: {child.pid}", flush=True)
    child.start()                                  # the process exists from here on
    child.join()                                   # waits for its end and reaps it: no zombie
    print(f"{me}: the child {child.pid} has ended with exit code {child.exitcode}")
    print(f"{me}: this line is printed once, the child ran the function and nothing else")
    assert child.exitcode == 0


if __name__ == "__main__":                         # a child may import this file: it must not start children in turn
    main()
