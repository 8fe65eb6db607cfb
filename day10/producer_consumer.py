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
    """A queue for SIZE items: put waits while it is full, get waits while it is empty."""

    def __init__(self):
        self.items = collections.deque()
        # Two conditions, one lock: wait() releases the lock, and acquires it again at the end.
        # 两个条件共用一把锁：wait() 先解锁再等待，被唤醒后重新上锁
        self.lock = threading.RLock()
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
            # Look again after each wait: notify() says that there was an item, not that it is
            # still there. 每次醒来都要再检查：被唤醒时数据可能已被别的消费者取走
            while not self.items:
                self.not_empty.wait()
            return self.take()

    def take(self):
        item = self.items.popleft()
        self.not_full.notify()                      # wakes one producer, if one is waiting
        return item


class CarelessBuffer(Buffer):
    """The same with a mistake: get looks only once."""

    def get(self):
        with self.lock:
            if not self.items:
                self.not_empty.wait()
            return self.take()


def main():
    # If a thread waits for ever: after 10 s, say in which line each one waits, and end
    # (suppress: there may be no stderr).
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)

    print(f"2 producers put {2 * COUNT} items, 2 consumers get them, room for {SIZE}")
    # queue.Queue is such a buffer, ready to use. 标准库的 queue.Queue 就是这样的队列
    for name, shared in ("Condition", Buffer()), ("queue.Queue", queue.Queue(SIZE)):
        got = produce_and_consume(shared)
        print(f"  {name:11}  {len(got)} items came, {len(set(got))} of them different")
        assert sorted(got) == list(range(2 * COUNT)), f"expected each item once: {sorted(got)}"

    print("a consumer waits; an item comes, but another consumer takes it first")
    got = overtake(Buffer(), then=[2])
    print(f"  while        waits again, and gets item {got}")
    assert got == 2, f"expected that it waits for item 2: {got!r}"
    # No second item: it might come in time, and hide the mistake.
    got = overtake(CarelessBuffer(), then=[])
    print(f"  if           {type(got).__name__}: {got}")
    assert isinstance(got, IndexError), f"expected an IndexError without the loop: {got!r}"


def produce_and_consume(shared):
    """Let two threads put items and two threads get them; return all items that were got."""
    got = []
    producers = [start(produce, shared, range(COUNT)),
                 start(produce, shared, range(COUNT, 2 * COUNT))]
    consumers = [start(consume, shared, got) for _ in range(2)]
    for producer in producers:
        producer.join()
    for _ in consumers:
        shared.put(None)                            # the end, once for each consumer
    for consumer in consumers:
        consumer.join()
    return got


def produce(shared, items):
    for item in items:
        shared.put(item)


def consume(shared, got):
    while (item := shared.get()) is not None:
        got.append(item)


def overtake(buffer, then):
    """Let a consumer wait, and another one take its item; return what the first one gets."""
    inside, result = threading.Event(), []
    consumer = start(get_late, buffer, inside, result)
    # The consumer holds the lock now. We get it when the consumer waits, because wait() releases
    # it; and until we release it, the consumer that put() wakes cannot go on.
    # 消费者 wait() 时才解锁，我们才能上锁；在我们解锁之前，被唤醒的消费者无法继续
    inside.wait()
    with buffer.lock:
        buffer.put(1)
        buffer.get()                                # as another consumer would
    for item in then:
        buffer.put(item)
    consumer.join()
    return result[0]


def get_late(buffer, inside, result):
    # An RLock: this thread may acquire it again in get(), and wait() releases it altogether.
    with buffer.lock:
        inside.set()
        try:
            result.append(buffer.get())
        except IndexError as error:
            result.append(error)


def start(target, *args):
    # daemon: Ctrl-C ends the program at once, without waiting for it
    # 守护线程：按 Ctrl-C 时程序立即结束，不等待它
    thread = Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    main()
