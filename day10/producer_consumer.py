"""Producers and consumers share a bounded queue; Condition.wait belongs in a while loop.
生产者消费者：共用一个有界队列；Condition 的 wait 要放在 while 循环里。
讲义之外

Run:    python day10/producer_consumer.py

Output:
    2 producers put 200 items, 2 consumers get them, room for 3
      Condition    200 items came, 200 of them different
      queue.Queue  200 items came, 200 of them different
    a consumer waits; an item comes, but another consumer takes it first
      while        waits again, and gets item 2
      if           IndexError: pop from an empty deque
"""
import collections
import contextlib
import faulthandler
import queue
import threading
from threading import Thread

SIZE = 3                            # the most items that the queue holds
COUNT = 100                         # of items that each producer puts


class Buffer:
    """A queue for SIZE items: put() waits while it is full, get() waits while it is empty."""

    def __init__(self):
        self.items = collections.deque()
        # An RLock, because overtake() below calls put() and get() while it holds the lock.
        self.lock = threading.RLock()
        # Two conditions share the lock. wait() releases the lock, sleeps until notify(), and
        # acquires the lock again before it returns.
        # 两个条件共用一把锁：wait() 先解锁再等待，被唤醒后重新上锁才返回
        self.not_full = threading.Condition(self.lock)
        self.not_empty = threading.Condition(self.lock)

    def put(self, item):
        with self.lock:
            while len(self.items) == SIZE:
                self.not_full.wait()
            self.items.append(item)
            self.not_empty.notify()                 # wakes one consumer, if one is waiting

    def get(self):
        with self.lock:
            # Check again after each wait: there was an item when notify() was called, but another
            # consumer may have taken it since. 每次醒来都要再检查：数据可能已被别的消费者取走
            while not self.items:
                self.not_empty.wait()
            return self.take()

    def take(self):
        item = self.items.popleft()
        self.not_full.notify()                      # wakes one producer, if one is waiting
        return item


class CarelessBuffer(Buffer):
    """The same buffer with a mistake: get() checks only once."""

    def get(self):
        with self.lock:
            if not self.items:
                self.not_empty.wait()
            return self.take()


def main():
    # If the threads wait for ever, print after 10 seconds in which line each one waits, and exit
    # (suppress: there may be no stderr).
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)

    print(f"2 producers put {2 * COUNT} items, 2 consumers get them, room for {SIZE}")
    # queue.Queue is such a buffer, ready to use. 标准库的 queue.Queue 就是这样的队列
    for name, shared in [("Condition", Buffer()), ("queue.Queue", queue.Queue(SIZE))]:
        got = produce_and_consume(shared)
        print(f"  {name:11}  {len(got)} items came, {len(set(got))} of them different")
        assert sorted(got) == list(range(2 * COUNT)), f"expected each item once: {sorted(got)}"

    print("a consumer waits; an item comes, but another consumer takes it first")
    got = overtake(Buffer(), later_items=[2])
    print(f"  while        waits again, and gets item {got}")
    assert got == 2, f"expected the consumer to wait for item 2: {got!r}"
    # There is no second item here: if it came early enough, it would hide the mistake.
    got = overtake(CarelessBuffer(), later_items=[])
    print(f"  if           {type(got).__name__}: {got}")
    assert isinstance(got, IndexError), f"expected an IndexError without the loop: {got!r}"


def produce_and_consume(shared):
    """Let two threads put items and two threads get them; return the list of items received."""
    got = []
    producers = [start(produce, shared, range(COUNT)),
                 start(produce, shared, range(COUNT, 2 * COUNT))]
    consumers = [start(consume, shared, got) for _ in range(2)]
    for producer in producers:
        producer.join()
    for _ in consumers:
        shared.put(None)                            # tells one consumer to stop
    for consumer in consumers:
        consumer.join()
    return got


def produce(shared, items):
    for item in items:
        shared.put(item)


def consume(shared, got):
    while True:
        item = shared.get()
        if item is None:
            return
        got.append(item)


def overtake(buffer, later_items):
    """Wake a waiting consumer with an item, and take the item away before the consumer gets it.

    Then put later_items. Return what the consumer gets in the end: an item, or an IndexError.
    """
    inside, result = threading.Event(), []
    consumer = start(get_late, buffer, inside, result)
    inside.wait()
    # The consumer holds the lock now, and releases it in wait(). So once we have the lock, the
    # consumer is waiting. put() wakes the consumer, but it cannot go on without the lock, which we
    # keep until the item is gone.
    # 消费者此时持有锁，在 wait() 里才解锁，所以我们上锁时它一定在等待；put() 唤醒它，
    # 但它要重新上锁才能继续，而我们取走数据之后才解锁
    with buffer.lock:
        buffer.put(1)
        buffer.get()                                # as another consumer would do
    for item in later_items:
        buffer.put(item)
    consumer.join()
    return result[0]


def get_late(buffer, inside, result):
    # get() acquires the RLock a second time; wait() releases it completely.
    with buffer.lock:
        inside.set()
        try:
            result.append(buffer.get())
        except IndexError as error:
            result.append(error)


def start(target, *args):
    # daemon: Ctrl-C ends the program immediately, without waiting for the thread
    # 守护线程：按 Ctrl-C 时程序立即结束，不等待这个线程
    thread = Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    main()
