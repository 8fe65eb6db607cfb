"""A Pipe carries objects: which end can read, and which can write.
管道传送对象：哪一端读，哪一端写。
讲义: 进程间通信 (IPC) · 管道通信(Pipe)

Run:    python day09/pipe.py

Output:
    Pipe(): each end reads and writes
    child : received 6, sends its square
    parent: received 36

    Pipe(duplex=False): the first end reads, the second writes
    parent: send at the first end raises OSError
    parent: recv at the second end raises OSError
    child : sends ['any', 'object']
    parent: received ['any', 'object']
"""
from multiprocessing import Pipe, Process


def main():
    two_ways()
    print()
    one_way()


def two_ways():
    print("Pipe(): each end reads and writes")
    end1, end2 = Pipe()
    child = Process(target=square, args=(end2,))
    child.start()
    end1.send(6)
    print(f"parent: received {receive(end1)}")
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


def square(end):
    n = receive(end)
    # Print before sending, so that the lines appear in order. 先打印再发送，输出才有序
    print(f"child : received {n}, sends its square", flush=True)
    end.send(n * n)


def one_way():
    print("Pipe(duplex=False): the first end reads, the second writes")
    reader, writer = Pipe(duplex=False)
    print(f"parent: send at the first end raises {error_of(reader.send, 'x')}")
    print(f"parent: recv at the second end raises {error_of(writer.recv)}")

    child = Process(target=report, args=(writer,))
    child.start()
    print(f"parent: received {receive(reader)}")
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


def report(writer):
    print("child : sends ['any', 'object']", flush=True)
    writer.send(["any", "object"])


def error_of(call, *args):
    """Call a function that must raise OSError; return the name of the exception."""
    try:
        call(*args)
    except OSError as error:
        return type(error).__name__
    raise AssertionError(f"expected an OSError; {call.__name__} raised nothing")


def receive(end):
    """Return the next object from this end. Wait at most 10 s; recv alone could wait for ever."""
    assert end.poll(10), "expected an object within 10 s; none came"
    return end.recv()


if __name__ == "__main__":
    main()
