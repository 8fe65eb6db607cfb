"""A Queue carries messages between processes: full and empty, blocking and not, and why join comes after get.
进程间通信 (IPC) · 消息队列

Run:    python day09/queue_0.py

Output:
    parent: put 'a' and 'b' into Queue(2), full() is True, qsize() is 2
    parent: a third put raised Full, at once with block=False, later with timeout=0.1
    child : got 'a' and 'b', put 'answer'
    parent: got 'answer', and get with timeout=0.1 raised Empty

    parent: put has returned, qsize() is 1, but empty() is True and get_nowait raised Empty
    parent: when the feeder thread has sent it, get returns 'slow'

    parent: join before get: the child is alive, it cannot end before its message has gone
    parent: join after get: its exit code is 0
    parent: put after close raised ValueError
"""
import signal
import threading
import time
from multiprocessing import Event, Process, Queue
from queue import Empty, Full                      # multiprocessing takes the errors of the threads' queue

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died
BIG = bytes(1 << 20)                               # more than a pipe holds


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    # Start the children first: put starts a thread, and to fork a process that has threads is not safe.
    messages, answers, bulk = Queue(2), Queue(), Queue()
    may_get, may_put = Event(), Event()
    first = Process(target=answer, args=(messages, answers, may_get))
    second = Process(target=put_much, args=(bulk, may_put))
    first.start()
    second.start()

    block_and_time_out(messages, answers, may_get)
    first.join()
    print()
    put_returns_early(answers)
    print()
    may_put.set()
    get_then_join(bulk, second)
    assert (first.exitcode, second.exitcode) == (0, 0)


def block_and_time_out(messages, answers, may_get):
    messages.put("a")
    messages.put("b")
    print(f"parent: put 'a' and 'b' into Queue(2), full() is {messages.full()}, qsize() is {messages.qsize()}")
    assert messages.full()
    waited = []
    for options in ({"block": False}, {"timeout": 0.1}):
        started = time.monotonic()
        try:
            messages.put("c", **options)
        except Full:
            waited.append(time.monotonic() - started)
    assert len(waited) == 2 and waited[1] >= 0.1
    print("parent: a third put raised Full, at once with block=False, later with timeout=0.1", flush=True)
    may_get.set()
    received = answers.get()                       # blocks until there is something
    try:
        answers.get(timeout=0.1)
    except Empty as error:
        print(f"parent: got {received!r}, and get with timeout=0.1 raised {type(error).__name__}")
    else:
        raise AssertionError("there was a second answer")


def answer(messages, answers, may_get):
    signal.alarm(PATIENCE)
    if may_get.wait():
        print(f"child : got {messages.get()!r} and {messages.get()!r}, put 'answer'", flush=True)
        answers.put("answer")


class Slow:
    """An object that can only be pickled when it may."""
    may_be_sent = threading.Event()

    def __reduce__(self):
        self.may_be_sent.wait(PATIENCE)
        return str, ("slow",)


def put_returns_early(q):
    """put leaves the message to a thread of this process, which pickles it and writes it into a pipe."""
    q.put(Slow())
    try:
        q.get_nowait()
    except Empty as error:
        print(f"parent: put has returned, qsize() is {q.qsize()}, but empty() is {q.empty()} "
              f"and get_nowait raised {type(error).__name__}")
        assert q.qsize() == 1 and q.empty()
    else:
        raise AssertionError("it was there already")
    Slow.may_be_sent.set()
    print(f"parent: when the feeder thread has sent it, get returns {q.get(timeout=PATIENCE)!r}")


def get_then_join(q, child):
    child.join(0.5)
    assert child.is_alive()
    print("parent: join before get: the child is alive, it cannot end before its message has gone")
    assert q.get() == BIG
    child.join()
    print(f"parent: join after get: its exit code is {child.exitcode}")
    q.close()                                      # for this process; the others may go on
    try:
        q.put("x")
    except ValueError as error:
        print(f"parent: put after close raised {type(error).__name__}")
    else:
        raise AssertionError("put worked after close")


def put_much(q, may_put):
    signal.alarm(PATIENCE)
    if may_put.wait():
        q.put(BIG)                                 # returns at once, and so does this function


if __name__ == "__main__":
    main()
