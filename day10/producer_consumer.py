"""Producers and consumers share a bounded queue; Condition.wait belongs in a while loop.
生产者消费者：共用一个有界队列；Condition 的 wait 要放在 while 循环里。
讲义之外

Run:    python day10/producer_consumer.py

Output:
    2 producers put 200 items; 2 consumers get them; room for 3 items in the queue
      Condition    200 items received, 200 distinct ones
      queue.Queue  200 items received, 200 distinct ones
    a consumer waits; an item arrives, but another consumer takes it first
      while        checks again, and gets item 2
      if           IndexError: pop from an empty deque
"""
import collections
import contextlib
import faulthandler
import queue
import threading
from threading import Thread

SIZE = 3                            # maximum number of items in the queue
COUNT = 100                         # the number of items that each producer puts


class Buffer:
    """A queue for SIZE items: put() waits while it is full, get() waits while it is empty."""

    def __init__(self):
        self.items = collections.deque()
        # An RLock, because overtake() and get_one() call put() and get() while they hold the lock.
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
        """Remove and return the first item. The caller holds the lock."""
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
    # If the program is still running after 10 seconds, it is stuck: print where each thread waits,
    # and exit. (dump_traceback_later raises an exception if stderr is closed; ignore it.)
    # 只是防止本演示卡住：10 秒后还没结束，就打印每个线程停在哪一行，然后结束
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)

    print(f"2 producers put {2 * COUNT} items; 2 consumers get them; "
          f"room for {SIZE} items in the queue")
    # queue.Queue is such a buffer, ready to use. 标准库的 queue.Queue 就是这样的队列
    for name, shared in [("Condition", Buffer()), ("queue.Queue", queue.Queue(SIZE))]:
        got = produce_and_consume(shared)
        print(f"  {name:11}  {len(got)} items received, {len(set(got))} distinct ones")
        assert sorted(got) == list(range(2 * COUNT)), f"expected each item once: {sorted(got)}"

    print("a consumer waits; an item arrives, but another consumer takes it first")
    got = overtake(Buffer(), later_items=[2])
    print(f"  while        checks again, and gets item {got}")
    assert got == 2, f"expected the consumer to get item 2: {got!r}"
    # Put no second item here: the consumer could get it, and then there would be no error.
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
        got.append(item)            # no lock: append is one step in CPython 一步完成，不用锁


def overtake(buffer, later_items):
    """Show why get() needs its loop. Skip this function at first reading. 初读可跳过

    Wake a waiting consumer with item 1, but take item 1 before the consumer has the lock. Then put
    later_items. Return what the consumer got: an item, or an IndexError.
    """
    has_lock, result = threading.Event(), []
    consumer = start(get_one, buffer, has_lock, result)
    # 1. The consumer holds the lock until it calls wait() in get(). So this thread can acquire the
    # lock only when the consumer is waiting.
    # 消费者一直持有锁，直到在 get() 里调用 wait()：本线程能上锁时，它一定在等待
    has_lock.wait()
    with buffer.lock:
        # 2. put() wakes the consumer. But wait() cannot return without the lock, which this thread
        # holds. put() 唤醒消费者；但 wait() 要重新上锁才能返回，而锁在本线程手里
        buffer.put(1)
        # 3. This thread acts as another consumer, and takes the item first.
        # 本线程充当另一个消费者，抢先取走数据
        buffer.get()
    # 4. The lock is free: now wait() can return, but item 1 has been taken.
    # 锁已放开：现在 wait() 可以返回，但数据 1 已被取走
    for item in later_items:
        buffer.put(item)
    consumer.join()
    return result[0]


def get_one(buffer, has_lock, result):
    """Get one item; append the item, or the IndexError, to result. Skip this too. 初读可跳过"""
    # get() acquires this RLock a second time. wait() in get() releases the lock completely,
    # although this thread has acquired it twice. wait() 会完全放开锁，虽然本线程上了两次锁
    with buffer.lock:
        has_lock.set()
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
