"""An orphan is a process whose parent has ended; init or the nearest subreaper adopts it.
父进程已经结束的进程叫孤儿，由 init 或最近的 subreaper 收养。
讲义: 孤儿和僵尸 · 孤儿进程

Run:    python day07/orphan.py

Output:
    child <pid>: my parent is <pid>
    the parent <pid> was killed and reaped
    child <pid>: my parent is <pid>
    the child was adopted by process <pid> (<name>), which should reap it
"""
import os
import signal
import socket
import sys
import time


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    if not os.path.exists("/proc/self/stat"):
        print("this needs Linux's /proc: use Linux or WSL"
              " · 需要 Linux 的 /proc，请用 Linux 或 WSL", file=sys.stderr)
        sys.exit(2)

    # There are three processes: this one, which controls the demo; its child, which is called the
    # parent below; and the child of that parent, which will become the orphan.
    # 三个进程：本进程控制演示；它的子进程是这里所说的“父进程”；孙进程将成为孤儿。
    # Two connected sockets: we ask through `ours`, and the orphan answers through `theirs`.
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)
    parent = os.fork()
    if parent == 0:
        ours.close()
        if os.fork() == 0:
            answer(theirs)
        else:
            # The parent only waits until the first process kills it.
            time.sleep(10)
        os._exit(0)
    theirs.close()

    before = ask(ours)
    # Now the parent ends before its child. 让父进程先于子进程结束。
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    print(f"the parent {parent} was killed and reaped")
    adopter = ask(ours)

    assert before == parent, f"expected the child's first parent to be {parent}; it was {before}"
    assert adopter != parent, f"expected the child to have a new parent; it still has {parent}"
    # The adopter is PID 1, or a subreaper: an ancestor that has registered with the kernel to
    # adopt orphans (PR_SET_CHILD_SUBREAPER in man 2 prctl).
    # 1 号进程，或者向内核申请收养孤儿的祖先进程。
    with open(f"/proc/{adopter}/comm") as file:
        name = file.read().strip()
    print(f"the child was adopted by process {adopter} ({name}), which should reap it")
    ours.close()


def ask(sock):
    """Ask the child for its parent's PID; print and return it."""
    sock.send(b"?")
    child, parent = sock.recv(100).decode().split()
    print(f"child {child}: my parent is {parent}")
    return int(parent)


def answer(sock):
    """In the child: for each question, send back my PID and my parent's PID."""
    # recv returns b"" when the asking process closes its socket or ends.
    while sock.recv(1):
        sock.send(f"{os.getpid()} {os.getppid()}".encode())


if __name__ == "__main__":
    main()
