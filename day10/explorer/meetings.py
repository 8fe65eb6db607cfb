"""Events, conditions, barriers and queues that let another thread run instead of blocking.
用让别的线程执行来代替阻塞的事件、条件变量、屏障和队列。

These classes have the methods of those in threading and queue, except Queue.shutdown; see
primitives.py.
"""

import queue
import threading
from collections import deque

from explorer import current
from explorer.current import Unusable
from explorer.primitives import Primitive, RLock


class Event(Primitive):
    def _begin(self):
        self._flag, self._waiting = False, {}

    def is_set(self):
        self._step("looks at")
        return self._flag

    isSet = is_set

    def set(self):
        self._step("sets")
        self._flag = True
        # The waiting threads go on, even if clear() is called before their turn comes.
        self._waiting = dict.fromkeys(self._waiting, True)

    def clear(self):
        self._step("clears")
        self._flag = False

    def wait(self, timeout=None):
        self._step("waits for")
        if self._flag:
            return True
        me = current.thread()
        self._waiting[me] = False
        self._wait(lambda: self._waiting.get(me), "is woken by", timeout)
        return self._waiting.pop(me)

    def _state(self):
        return self._flag, tuple(self._waiting.items())


class Condition(Primitive):
    def _begin(self, lock=None):
        self._lock = RLock() if lock is None else lock
        self.acquire, self.release = self._lock.acquire, self._lock.release
        # The waiting threads in order of arrival, and the threads that notify() has woken.
        self._waiting, self._woken = [], []

    def locked(self):
        return self._lock.locked()

    def __enter__(self):
        return self._lock.acquire()

    def __exit__(self, *error):
        self._lock.release()

    def _check_owner(self, verb):
        if self._lock._owner != current.thread():
            raise RuntimeError(f"cannot {verb} on un-acquired lock")

    def wait(self, timeout=None):
        self._check_owner("wait")
        self._step("waits for")
        me, lock = current.thread(), self._lock
        count, lock._owner, lock._count = lock._count, None, 0
        self._waiting.append(me)
        self._wait(lambda: me in self._woken, "is woken by", timeout)
        was_woken = me in self._woken
        (self._woken if was_woken else self._waiting).remove(me)
        lock._wait(lambda: lock._owner is None, "acquires the lock of")
        lock._owner, lock._count = me, count
        return was_woken

    def wait_for(self, predicate, timeout=None):
        while not (result := predicate()):
            if not self.wait(timeout) and timeout is not None:
                return predicate()
        return result

    def notify(self, n=1):
        self._check_owner("notify")
        self._step("notifies")
        self._woken += self._waiting[:n]
        del self._waiting[:n]

    def notify_all(self):
        self.notify(len(self._waiting) or 1)

    notifyAll = notify_all

    def _state(self):
        return self._lock._state(), tuple(self._waiting), tuple(self._woken)


class Barrier(Primitive):
    def _begin(self, parties, action=None, timeout=None):
        self._parties, self._action, self._timeout = parties, action, timeout
        self._arrived, self._round, self._is_broken = 0, 0, False
        self._reset_rounds = ()

    parties = property(lambda self: self._parties)
    n_waiting = property(lambda self: self._arrived)
    broken = property(lambda self: self._is_broken)

    def wait(self, timeout=None):
        self._step("waits at")
        if self._is_broken:
            raise threading.BrokenBarrierError
        index, mine = self._arrived, self._round
        self._arrived += 1
        if self._arrived == self._parties:
            if self._action:
                self._action()
            self._arrived, self._round = 0, self._round + 1
            return index
        timeout = self._timeout if timeout is None else timeout
        self._wait(lambda: self._round > mine or self._is_broken, "passes", timeout)
        if self._round == mine:
            self._is_broken = True
        if self._round == mine or mine in self._reset_rounds:
            raise threading.BrokenBarrierError
        return index

    def abort(self):
        self._step("aborts")
        self._is_broken = True

    def reset(self):
        self._step("resets")
        if self._arrived:               # the waiting threads get a BrokenBarrierError
            self._reset_rounds += (self._round,)
            self._round += 1
        self._is_broken, self._arrived = False, 0

    def _state(self):
        return self._arrived, self._round, self._is_broken, self._reset_rounds


class Queue(Primitive):
    def _begin(self, maxsize=0):
        self.maxsize, self._items, self.unfinished_tasks = maxsize, deque(), 0

    def put(self, item, block=True, timeout=None):
        self._step("puts into")
        if not self._wait(lambda: not self._is_full(), "now puts into", timeout if block else 0):
            raise queue.Full
        self._add(item)
        self.unfinished_tasks += 1

    def get(self, block=True, timeout=None):
        self._step("gets from")
        if not self._wait(lambda: self._items, "now gets from", timeout if block else 0):
            raise queue.Empty
        return self._take()

    def put_nowait(self, item):
        self.put(item, False)

    def get_nowait(self):
        return self.get(False)

    def _is_full(self):
        return 0 < self.maxsize <= len(self._items)

    def _add(self, item):
        self._items.append(item)

    def _take(self):
        return self._items.popleft()

    def qsize(self):
        self._step("looks at")
        return len(self._items)

    def empty(self):
        return not self.qsize()

    def full(self):
        self._step("looks at")
        return self._is_full()

    def task_done(self):
        self._step("finishes a task of")
        if not self.unfinished_tasks:
            raise ValueError("task_done() called too many times")
        self.unfinished_tasks -= 1

    def shutdown(self, immediate=False):
        raise Unusable("it calls Queue.shutdown(), which the explorer does not have")

    def join(self):
        self._step("waits for")
        self._wait(lambda: not self.unfinished_tasks, "is woken by")

    def _state(self):
        return self._items, self.unfinished_tasks


class LifoQueue(Queue):
    def _take(self):
        return self._items.pop()


class SimpleQueue(Queue):
    def __init__(self):
        super().__init__()
