"""Why a program must call get before join: the feeder thread of a Queue.
为什么先 get 后 join：队列的发送线程。
讲义: 进程间通信 (IPC) · 消息队列

put hands the message to the feeder thread of the same process. This thread writes the message
into a pipe. The pipe's buffer is small, so the thread may have to wait until another process reads.
By default, the process cannot exit before its feeder thread has written everything.
put 把消息交给本进程的发送线程，由它写入管道。管道容量小，发送线程可能要等别的进程来读；
默认情况下，全部写完，进程才能退出。

Run:    python day09/queue_join.py

Output:
    child : put has returned; the feeder thread has 1048576 bytes to write
    parent: join before get: is the child alive? True
    parent: get returned 1048576 bytes
    parent: join after get: exit code 0
"""
import contextlib
import faulthandler
from multiprocessing import Event, Process, Queue

# In bytes; the pipe inside a queue holds less (usually 64 KiB on Linux). 单位字节；超过管道的容量
SIZE = 1024 * 1024


def main():
    # An Event is a flag: wait() returns after another process or thread has called set() (day 10).
    # Event 是一个标志：wait() 一直等到别的进程或线程调用 set()（第 10 天）
    q, has_put = Queue(), Event()
    child = Process(target=put_much, args=(q, has_put))
    child.start()
    assert has_put.wait(10), "expected put to return within 10 s; it did not"
    # Without a timeout, this would be a deadlock: we wait for the child to exit, and the child
    # waits for us to read. 不设超时就是死锁：我们等子进程退出，子进程等我们来读
    child.join(0.5)
    alive = child.is_alive()
    print(f"parent: join before get: is the child alive? {alive}")
    assert alive, "expected the child to wait for its feeder thread; it exited"

    message = q.get(timeout=10)
    print(f"parent: get returned {len(message)} bytes")
    child.join()
    print(f"parent: join after get: exit code {child.exitcode}")
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


def put_much(q, has_put):
    # If the parent never calls get, this call ends the child after 10 s, and prints where each
    # thread waits.
    # (If there is no stderr, dump_traceback_later raises an exception, which we ignore.)
    # 只是防止本演示卡住：10 秒后还没结束，就打印每个线程停在哪一行，然后结束
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    # put returns immediately; the feeder thread writes the message. put 立即返回，由发送线程写入
    q.put(bytes(SIZE))
    print(f"child : put has returned; the feeder thread has {SIZE} bytes to write", flush=True)
    has_put.set()


if __name__ == "__main__":
    main()
