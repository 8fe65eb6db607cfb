"""After fork, each process has its own copy of memory; both share the offset of an open file.
fork 之后父子进程各有一份内存副本，但共用已打开文件的读写位置。
讲义: 基于fork的多进程编程 · fork使用

Run:    python day07/fork1.py

Output:
    before the fork: n = 1, names = ['Lily']
    child : n = 1, names = ['Lily'], before my change
    child : n = 1000, names = ['Lily', 'Tom'], after my change
    child : read b'abc'; the file offset is now 3
    parent: n = 1, names = ['Lily'], after the child's change
    parent: the file offset is 3 before my first read, which returns b'def'
"""
import os
import signal
import sys
import tempfile


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    # End quietly when nothing reads our output any more, as in `python fork1.py | head -1`.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

    n = 1
    names = ["Lily"]
    print(f"before the fork: n = {n}, names = {names}", flush=True)

    with tempfile.TemporaryFile() as file:
        fd = file.fileno()
        os.write(fd, b"abcdef")
        os.lseek(fd, 0, os.SEEK_SET)

        pid = os.fork()
        if pid == 0:
            print(f"child : n = {n}, names = {names}, before my change")
            # These are the child's own copies. 修改的是子进程自己的副本。
            n = 1000
            names.append("Tom")
            print(f"child : n = {n}, names = {names}, after my change")
            print(f"child : read {os.read(fd, 3)}; the file offset is now {offset(fd)}")
            # Use sys.exit, not os._exit: sys.exit first writes what is in stdout's buffer.
            # 不用 os._exit：sys.exit 会先把缓冲区里的文字写出。
            sys.exit(0)

        # When waitpid returns, the child has done everything above.
        os.waitpid(pid, 0)
        print(f"parent: n = {n}, names = {names}, after the child's change")

        # fork copied the descriptor, but both copies refer to the same open file in the kernel,
        # which has one offset. 描述符被复制，但指向内核中同一个打开的文件，读写位置只有一个。
        before = offset(fd)
        data = os.read(fd, 3)
        print(f"parent: the file offset is {before} before my first read, which returns {data}",
              flush=True)

    assert (n, names) == (1, ["Lily"]), (
        f"expected the parent's n and names to be unchanged; they are {n}, {names}")
    assert data == b"def", f"expected b'def', because the child read b'abc'; got {data}"


def offset(fd):
    """Return the file offset in bytes: the position at which the next read or write begins."""
    return os.lseek(fd, 0, os.SEEK_CUR)


if __name__ == "__main__":
    main()
