"""A reader gets EOFError when every copy of the writer is closed.
写端的所有副本都关闭，读端才会读到 EOF。
讲义: 进程间通信 (IPC) · 管道通信(Pipe)

Run:    python day09/pipe_end.py

Output:
    child : received 'one'
    child : received 'two'
    child : the parent has closed its writer; has the reader met the end? False
    child : I have closed mine; recv raises EOFError
"""
from multiprocessing import Event, Pipe, Process


def main():
    reader, writer = Pipe(duplex=False)
    closed = Event()
    child = Process(target=read_to_the_end, args=(reader, writer, closed))
    child.start()
    writer.send("one")
    writer.send("two")
    writer.close()
    closed.set()
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


def read_to_the_end(reader, writer, closed):
    print(f"child : received {receive(reader)!r}")
    print(f"child : received {receive(reader)!r}")
    assert closed.wait(10), "expected the parent to close its writer within 10 s"
    # A forked child has a copy of every descriptor. Its own writer keeps the pipe open.
    # fork 出来的子进程复制了所有描述符，它自己的写端使管道仍然开着
    end = reader.poll()
    print(f"child : the parent has closed its writer; has the reader met the end? {end}")
    assert not end, "expected False: this process has a writer, too"
    writer.close()
    try:
        receive(reader)
    except EOFError as error:
        print(f"child : I have closed mine; recv raises {type(error).__name__}")
    else:
        raise AssertionError("expected EOFError: there was one more object")


def receive(reader):
    """The next object. recv alone might wait for ever, poll waits at most 10 s."""
    assert reader.poll(10), "expected an object or the end within 10 s: is a writer still open?"
    return reader.recv()


if __name__ == "__main__":
    main()
