"""Why join comes after get: the feeder thread of a Queue.
为什么先 get 后 join：队列的发送线程。
讲义: 进程间通信 (IPC) · 消息队列

put hands the message to a thread of its process, the feeder thread, which writes it into a pipe;
the process exits only when all is written.
put 把消息交给本进程的发送线程，由它写入管道；全部写完，进程才能退出。

Run:    python day09/queue_join.py

Output:
    child : put has returned; 1048576 bytes are to be sent
    parent: join before get: is the child alive? True
    parent: get returned 1048576 bytes
    parent: join after get: exit code 0
"""
import contextlib
import faulthandler
from multiprocessing import Event, Process, Queue

# Bytes: more than the pipe inside a queue can hold (64 KiB on Linux).
SIZE = 1 << 20


def main():
    q, has_put = Queue(), Event()
    child = Process(target=put_much, args=(q, has_put))
    child.start()
    assert has_put.wait(10), "expected put to return within 10 s"
    # Without a timeout this would wait for ever. 不设超时就会永远等下去
    child.join(0.5)
    alive = child.is_alive()
    print(f"parent: join before get: is the child alive? {alive}")
    assert alive, "expected the child to wait for its feeder thread; it has exited"

    message = q.get(timeout=10)
    print(f"parent: get returned {len(message)} bytes")
    child.join()
    print(f"parent: join after get: exit code {child.exitcode}")
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


def put_much(q, has_put):
    # If get never comes: after 10 s, say in which line each thread waits, and end.
    # (suppress: there may be no stderr.)
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    # put returns at once: the feeder thread writes the message. put 立即返回，由发送线程写入
    q.put(bytes(SIZE))
    print(f"child : put has returned; {SIZE} bytes are to be sent", flush=True)
    has_put.set()


if __name__ == "__main__":
    main()
