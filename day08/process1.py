"""A Process object runs one function in a child process.
Process 对象让子进程运行一个函数。
讲义: multiprocessing 模块创建进程 · 进程创建方法

Run:    python day08/process1.py

Output:
    parent <pid>: made a Process object; its PID is None
    child  <pid>: running the function; my parent is <pid>
    parent <pid>: the child <pid> has ended with exit code 0
    parent <pid>: only the parent prints this line
"""
import os
from multiprocessing import Process, parent_process


def greet():
    # parent_process() is the process that called start(). os.getppid() may be the PID of a helper
    # process instead (start_methods.py).
    # parent_process() 是调用 start() 的进程；os.getppid() 可能是辅助进程
    print(f"child  {os.getpid()}: running the function; my parent is {parent_process().pid}")


def main():
    me = f"parent {os.getpid()}"
    child = Process(target=greet)
    print(f"{me}: made a Process object; its PID is {child.pid}")
    # Only now does the process exist. 从这时起进程才真正存在
    child.start()
    # Wait until the child ends, and reap it, so that it does not remain as a zombie.
    # 等待子进程结束并回收，不留僵尸
    child.join()
    print(f"{me}: the child {child.pid} has ended with exit code {child.exitcode}")
    print(f"{me}: only the parent prints this line")
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


# This file can be imported for the child. Without this line, the import would try to start another
# child. 可能要为子进程导入本文件；没有这一行，导入时又会去创建子进程
if __name__ == "__main__":
    main()
