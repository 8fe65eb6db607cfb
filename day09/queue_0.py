"""A Queue between processes: put and get, full and empty, timeouts.
进程间的消息队列：存、取、满、空、超时。
讲义: 进程间通信 (IPC) · 消息队列

Run:    python day09/queue_0.py

Output:
    child : put 'a' and 'b' into Queue(2): full() is True, qsize() is 2
    child : put 'c' with {'block': False} raises Full after <s> s
    child : put 'c' with {'timeout': 0.2} raises Full after <s> s
    child : tries again to put 'c', and waits for room
    parent: got ['a', 'b', 'c'], the oldest first
    parent: get with timeout=0.2 raises Empty; empty() is True, qsize() is 0
    parent: put after close raises ValueError
"""
import time
from multiprocessing import Pipe, Process, Queue
# multiprocessing raises the exceptions of the queue module. 异常来自 queue 模块
from queue import Empty, Full


def main():
    q = Queue(2)
    reader, writer = Pipe(duplex=False)
    child = Process(target=produce, args=(q, writer))
    child.start()
    assert reader.poll(10), "expected the child to fill the queue within 10 s; it did not"
    # get waits while the queue is empty; without a timeout, it can wait for ever. 空时阻塞
    messages = [q.get(timeout=10) for _ in range(3)]
    print(f"parent: got {messages}, the oldest first")
    assert messages == ["a", "b", "c"], f"expected a, b, c; they are {messages}"
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"

    try:
        q.get(timeout=0.2)
    except Empty as error:
        raised = type(error).__name__
    else:
        raise AssertionError("expected Empty; get returned a fourth message")
    print(f"parent: get with timeout=0.2 raises {raised}; "
          f"empty() is {q.empty()}, qsize() is {size(q)}")

    # close affects only this process; other processes can still put. 只对本进程有效
    q.close()
    try:
        q.put("d")
    except ValueError as error:
        print(f"parent: put after close raises {type(error).__name__}")
    else:
        raise AssertionError("expected a ValueError; put worked after close")


def produce(q, writer):
    q.put("a")
    q.put("b")
    print(f"child : put 'a' and 'b' into Queue(2): full() is {q.full()}, qsize() is {size(q)}")

    for options in ({"block": False}, {"timeout": 0.2}):
        started = time.monotonic()
        try:
            q.put("c", **options)
        except Full as error:
            took = time.monotonic() - started
            raised = type(error).__name__
            print(f"child : put 'c' with {options} raises {raised} after {took:.1f} s")
        else:
            raise AssertionError("expected Full; the queue of 2 accepted a third message")
        least = options.get("timeout", 0)
        assert took >= least, f"expected put to wait {least} s or longer; it waited {took} s"

    print("child : tries again to put 'c', and waits for room", flush=True)
    writer.send("the queue is full")
    # put waits while the queue is full; without a timeout, it can wait for ever. 满时阻塞
    q.put("c", timeout=10)


def size(q):
    """Return q.qsize(), or "unknown" on macOS, which does not support it."""
    try:
        return q.qsize()
    except NotImplementedError:
        return "unknown"


if __name__ == "__main__":
    main()
