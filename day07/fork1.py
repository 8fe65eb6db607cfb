"""After fork each process has its own copy of memory, but both share one file offset.
基于fork的多进程编程 · fork使用

Run:    python day07/fork1.py

Output:
    before the fork: n = 1, names = ['Lily']
    child : n = 1, names = ['Lily'], as it was
    child : n = 1000, names = ['Lily', 'Tom'] after my change
    child : read b'abc', the file offset is 3
    parent: n = 1, names = ['Lily'], nothing has changed here
    parent: the file offset is 3, though I have not read; the next read gives b'def'
"""
import os
import sys
import tempfile


def main():
    n = 1
    names = ["Lily"]
    print(f"before the fork: n = {n}, names = {names}", flush=True)

    with tempfile.TemporaryFile() as file:
        file.write(b"abcdef")
        file.flush()
        fd = file.fileno()
        os.lseek(fd, 0, os.SEEK_SET)

        pid = os.fork()
        if pid == 0:
            print(f"child : n = {n}, names = {names}, as it was")
            n = 1000
            names.append("Tom")                    # not a new list: the child's copy of the same one
            print(f"child : n = {n}, names = {names} after my change")
            print(f"child : read {os.read(fd, 3)}, the file offset is {offset(fd)}")
            sys.exit(0)

        os.waitpid(pid, 0)                         # whatever the child does, it has done it by now
        print(f"parent: n = {n}, names = {names}, nothing has changed here")
        assert (n, names) == (1, ["Lily"])

        # The descriptor was copied, but both copies point to one open file in the kernel, and the offset is kept there.
        here = offset(fd)
        rest = os.read(fd, 3)
        print(f"parent: the file offset is {here}, though I have not read; the next read gives {rest}")
        assert (here, rest) == (3, b"def")


def offset(fd):
    return os.lseek(fd, 0, os.SEEK_CUR)


if __name__ == "__main__":
    main()
