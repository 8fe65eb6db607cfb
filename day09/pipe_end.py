"""The reader of a pipe gets EOFError only when every copy of the writing end is closed.
写端的副本全部关闭，读端才得到 EOFError。
讲义: 进程间通信 (IPC) · 管道通信(Pipe)

Run:    python day09/pipe_end.py

Output:
    child : received 'one'
    child : received 'two'
    child : the parent has closed its writer; is the reader at end of file? False
    child : I have closed my copy, too; recv raises EOFError
"""
from multiprocessing import Pipe, Process, Semaphore


def main():
    reader, writer = Pipe(duplex=False)
    # acquire() waits until another process has called release() (sem.py).
    # acquire() 等到别的进程调用 release()
    closed = Semaphore(0)
    child = Process(target=read_to_the_end, args=(reader, writer, closed))
    child.start()
    writer.send("one")
    writer.send("two")
    writer.close()
    closed.release()
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


def read_to_the_end(reader, writer, closed):
    print(f"child : received {receive(reader)!r}")
    print(f"child : received {receive(reader)!r}")
    has_closed = closed.acquire(timeout=10)
    assert has_closed, "expected the parent to close its writer within 10 s; it did not"
    # This process has a copy of the writing end, which keeps the pipe open.
    # 本进程也有写端的一个副本，它使管道仍然开着
    end = reader.poll()
    print(f"child : the parent has closed its writer; is the reader at end of file? {end}")
    assert not end, "the reader saw end of file, although this process can still write"
    writer.close()
    try:
        receive(reader)
    except EOFError as error:
        print(f"child : I have closed my copy, too; recv raises {type(error).__name__}")
    else:
        raise AssertionError("expected EOFError; recv returned one more object")


def receive(reader):
    """Return the next object from the pipe. Wait at most 10 s; recv alone could wait for ever."""
    assert reader.poll(10), "expected an object or end of file within 10 s: is a writer still open?"
    return reader.recv()


if __name__ == "__main__":
    main()
