"""The double fork: the middle process ends at once and is reaped; the grandchild works on and is never our zombie.
孤儿和僵尸 · 如何避免僵尸进程产生 · 创建二级子进程处理僵尸

Run:    python day07/child.py

Output:
    parent     <pid>: forked the middle process <pid>
    parent     <pid>: reaped the middle process, its exit status is 0
    grandchild <pid>: my parent is no longer <pid>, and not <pid>
    parent     <pid>: step 1
    grandchild <pid>: step 1
    parent     <pid>: step 2
    grandchild <pid>: step 2
    parent     <pid>: waiting for the grandchild raised ChildProcessError, it is not my child
"""
import os
import socket


def main():
    parent = os.getpid()
    # A line between parent and grandchild, so that this demo can show their steps in turn.
    ours, theirs = socket.socketpair()
    middle = os.fork()
    if middle == 0:
        ours.close()
        middle = os.getpid()
        if os.fork() == 0:
            work_as_grandchild(theirs, parent, middle)
        os._exit(0)                                # both end here, the middle process at once

    theirs.close()
    print(f"parent     {parent}: forked the middle process {middle}")
    _, status = os.waitpid(middle, 0)              # short, since the middle does nothing but fork
    print(f"parent     {parent}: reaped the middle process, its exit status is {status}", flush=True)
    assert status == 0
    ours.send(b".")                                # from here on the grandchild is an orphan
    grandchild = work_as_parent(ours)
    ours.close()

    try:
        os.waitpid(grandchild, 0)
    except ChildProcessError as error:
        print(f"parent     {parent}: waiting for the grandchild raised {type(error).__name__}, it is not my child")
    else:
        raise AssertionError("the grandchild was our child")


def work_as_parent(line):
    """Take the steps in turn with the grandchild; return its PID."""
    grandchild = int(line.recv(16) or 0)
    assert grandchild, "the grandchild was not adopted by another process (are we PID 1?)"
    for step in (1, 2):
        print(f"parent     {os.getpid()}: step {step}", flush=True)
        line.send(b".")
        assert line.recv(1)                        # an answer: so both of us are running at this moment
    assert line.recv(1) == b""                     # end of file: the grandchild has ended
    return grandchild


def work_as_grandchild(line, parent, middle):
    line.recv(1)                                   # the middle process is gone now
    if os.getppid() in (parent, middle):
        os._exit(1)
    print(f"grandchild {os.getpid()}: my parent is no longer {middle}, and not {parent}", flush=True)
    line.send(str(os.getpid()).encode())
    step = 0
    while step < 2 and line.recv(1):               # b"" would mean that the parent has died
        step += 1
        print(f"grandchild {os.getpid()}: step {step}", flush=True)
        line.send(b".")


if __name__ == "__main__":
    main()
