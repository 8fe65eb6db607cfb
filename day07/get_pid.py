"""getpid is my own number, getppid my parent's: the child's parent is whoever called fork.
进程相关函数

Run:    python day07/get_pid.py

Output:
    parent: my PID is <pid>, my parent is <pid> (it started this program)
    child : my PID is <pid>, my parent is <pid>
    parent: fork gave me <pid>, the child's PID
"""
import os
import sys


def main():
    parent = os.getpid()
    print(f"parent: my PID is {parent}, my parent is {os.getppid()} (it started this program)", flush=True)

    pid = os.fork()
    if pid == 0:
        print(f"child : my PID is {os.getpid()}, my parent is {os.getppid()}")
        # fork gave the child a 0, which is no PID: these two functions are how it learns the numbers.
        sys.exit(0 if os.getppid() == parent else 1)

    # While we wait here we are alive, so the child's getppid cannot be anybody else (compare orphan.py).
    child, status = os.waitpid(pid, 0)
    print(f"parent: fork gave me {pid}, the child's PID")
    assert (child, status) == (pid, 0)


if __name__ == "__main__":
    main()
