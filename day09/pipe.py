"""A Pipe carries objects between two processes: which end reads, which writes, and when a reader meets the end.
进程间通信 (IPC) · 管道通信(Pipe)

Run:    python day09/pipe.py

Output:
    Pipe() is a socket: each end reads and writes
    child : received 6, sending its square
    parent: received 36

    Pipe(duplex=False) is a pipe: the first end reads, the second writes
    parent: send at the first end raised OSError
    parent: recv at the second end raised OSError
    child : received 'one'
    child : received 'two'
    child : the parent has closed its writer, but I have one too; is there an end to read? False
    child : I have closed mine, and recv raised EOFError
"""
import os
import signal
from multiprocessing import Event, Pipe, Process

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    two_ways()
    print()
    one_way()


def two_ways():
    ours, theirs = Pipe()
    print(f"Pipe() is a {kind(ours)}: each end reads and writes", flush=True)
    child = Process(target=square, args=(theirs,))
    child.start()
    theirs.close()                                 # the child has its own copy
    ours.send(6)
    print(f"parent: received {ours.recv()}")
    ours.close()
    child.join()
    assert child.exitcode == 0


def square(end):
    signal.alarm(PATIENCE)
    n = end.recv()
    print(f"child : received {n}, sending its square", flush=True)
    end.send(n * n)


def one_way():
    reader, writer = Pipe(duplex=False)
    print(f"Pipe(duplex=False) is a {kind(reader)}: the first end reads, the second writes")
    try:
        reader.send("one")
    except OSError as error:
        print(f"parent: send at the first end raised {type(error).__name__}")
    try:
        writer.recv()
    except OSError as error:
        print(f"parent: recv at the second end raised {type(error).__name__}", flush=True)

    closed = Event()
    child = Process(target=read_to_the_end, args=(reader, writer, closed))
    child.start()
    writer.send("one")
    writer.send("two")
    writer.close()
    closed.set()
    child.join()
    reader.close()
    assert child.exitcode == 0


def read_to_the_end(reader, writer, closed):
    signal.alarm(PATIENCE)
    print(f"child : received {reader.recv()!r}")
    print(f"child : received {reader.recv()!r}")
    closed.wait()
    # A forked child has a copy of every descriptor, wanted or not. Its own writer keeps the pipe open.
    print(f"child : the parent has closed its writer, but I have one too; is there an end to read? {reader.poll()}")
    writer.close()
    try:
        reader.recv()
    except EOFError as error:
        print(f"child : I have closed mine, and recv raised {type(error).__name__}")
    else:
        raise AssertionError("there was more")


def kind(end):
    """What the kernel calls it: a socket or a pipe."""
    return os.readlink(f"/proc/self/fd/{end.fileno()}").partition(":")[0]


if __name__ == "__main__":
    main()
