"""An orphan: when its parent ends first, a process is adopted by init or the nearest subreaper.
孤儿和僵尸 · 孤儿进程

Run:    python day07/orphan.py

Output:
    child <pid>: my parent is <pid>
    the parent <pid> has ended and was reaped
    child <pid>: my parent is <pid> now (<name>), whose task it is to reap me
"""
import os
import socket


def main():
    ours, theirs = socket.socketpair()             # a line between the child and its elders
    parent = os.fork()
    if parent == 0:
        if os.fork() == 0:
            ours.close()
            lose_a_parent(theirs)
        else:
            theirs.close()
            ours.recv(1)                           # the child has said who its parent is ...
        os._exit(0)                                # ... and now has none

    theirs.close()
    os.waitpid(parent, 0)
    print(f"the parent {parent} has ended and was reaped", flush=True)
    ours.send(b".")
    assert ours.recv(1) == b"a", "the child was not adopted"
    ours.recv(1)                                   # end of file: the child has ended too
    ours.close()


def lose_a_parent(line):
    parent = os.getppid()
    print(f"child {os.getpid()}: my parent is {parent}", flush=True)
    line.send(b".")
    if not line.recv(1):                           # end of file instead of an answer: nobody is left to tell
        return
    adopter = os.getppid()                         # PID 1, or a process that asked for orphans (PR_SET_CHILD_SUBREAPER)
    with open(f"/proc/{adopter}/comm") as file:
        name = file.read().strip()
    print(f"child {os.getpid()}: my parent is {adopter} now ({name}), whose task it is to reap me", flush=True)
    if adopter != parent:
        line.send(b"a")


if __name__ == "__main__":
    main()
