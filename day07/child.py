"""Fork twice: the parent reaps only the middle process; the adopter must reap the grandchild.
创建二级子进程：子进程立即退出并被回收，二级子进程被收养，由收养者回收。
讲义: 孤儿和僵尸 · 如何避免僵尸进程产生 · 创建二级子进程处理僵尸

Run:    python day07/child.py

Output:
    parent     <pid>: forked the middle process <pid>
    parent     <pid>: reaped the middle process; its exit status is 0
    parent     <pid>: step 1
    grandchild <pid>: step 1, my parent is <pid>
    parent     <pid>: step 2
    grandchild <pid>: step 2, my parent is <pid>
    parent     <pid>: wait raised ChildProcessError: I have no children left
"""
import os
import socket
import sys


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)

    parent = os.getpid()
    # Two connected sockets: what is sent through one is received at the other. This process uses
    # `ours`, the grandchild uses `theirs`. 一对相连的套接字：我们用 ours，二级子进程用 theirs。
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)
    middle = os.fork()
    if middle == 0:
        ours.close()                # the child's copy: see work_as_grandchild 原因见该函数
        if os.fork() == 0:
            work_as_grandchild(theirs)
        # Both processes get here: the middle process immediately, the grandchild after its work.
        # 两个进程都会执行到这一行：子进程立即退出；二级子进程做完工作后退出。
        os._exit(0)
    theirs.close()
    print(f"parent     {parent}: forked the middle process {middle}")
    _, status = os.waitpid(middle, 0)
    print(f"parent     {parent}: reaped the middle process; its exit status is {status}")

    # The grandchild is now an orphan. This process and the grandchild both go on working. They take
    # turns only so that the output has a fixed order.
    # 二级子进程成为孤儿，和原来的父进程一样继续执行；轮流只是为了让输出有序。
    for step in (1, 2):
        print(f"parent     {parent}: step {step}")
        ours.send(b".")
        grandchild, adopter = ours.recv(100).decode().split()
        print(f"grandchild {grandchild}: step {step}, my parent is {adopter}")
        assert int(adopter) not in (parent, middle), (
            f"expected init or a subreaper to adopt {grandchild}; its parent is {adopter}")

    # The grandchild is still alive, but it is not our child.
    try:
        result = os.wait()
    except ChildProcessError as error:
        print(f"parent     {parent}: wait raised {type(error).__name__}: I have no children left")
    else:
        raise AssertionError(f"expected ChildProcessError; wait returned {result}")
    ours.close()


def work_as_grandchild(sock):
    """In the grandchild: for each byte that arrives, send back my PID and my parent's PID."""
    # recv returns b"" only when every copy of `ours` is closed. The first fork gave the middle
    # process a copy, so the middle process closes it before it forks again. Now this loop ends when
    # the parent closes `ours` or exits.
    # 每一份 ours 都关闭后，recv 才返回 b""；所以子进程先关闭 fork 复制来的那一份
    while sock.recv(1):
        sock.send(f"{os.getpid()} {os.getppid()}".encode())


if __name__ == "__main__":
    main()
