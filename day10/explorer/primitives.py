"""Locks, semaphores, events, conditions, barriers and queues that hand over instead of blocking.
用交出执行权代替阻塞的锁、信号量、事件、条件变量、屏障和队列。

They have the interface of threading's and queue's. Outside the explored threads (in setup and check) they act at once.
A wait with a timeout may also end without success, whenever it would have to wait: how long it takes must not decide.
"""
import queue
import threading
from collections import deque

from explorer import current


class Primitive:
    """What they have in common. Those that were made outside a run begin every run as they were made."""

    def __init__(self, *args, **kwargs):
        self._args = args, kwargs
        self._begin(*args, **kwargs)
        current.made(self)

    def _again(self):
        self._begin(*self._args[0], **self._args[1])

    def _step(self, verb):
        current.step(verb, self)

    def _wait(self, is_ready, verb, timeout=None):
        """Wait until it is ready; False if the time is up first."""
        if is_ready():
            return True
        if timeout is not None and timeout <= 0:
            return False
        current.wait(verb, self, is_ready if timeout is None else None)
        return is_ready()

    def _owner_text(self):
        return None

    def __repr__(self):
        return f"{type(self).__name__}()"

    def __reduce__(self):
        raise TypeError(f"cannot pickle a {type(self).__name__}")


class Lock(Primitive):
    """An owner is noted only to be shown; any thread may release a Lock."""

    def _begin(self):
        self._owner, self._since, self._count = None, None, 0

    def acquire(self, blocking=True, timeout=-1):
        current.probes(not blocking or timeout >= 0)
        self._step("acquires")
        me = current.thread()
        if not self._wait(lambda: self._is_free(me), "goes on with", None if blocking and timeout < 0 else timeout if blocking else 0):
            return False
        self._owner, self._since, self._count = me, current.line(), self._count + 1
        return True

    __enter__ = acquire

    def _is_free(self, thread):
        return self._owner is None

    def release(self):
        if current.is_stopping():
            return
        if current.are_releases_steps():
            self._step("releases")
        self._check_owner()
        self._count -= 1
        if not self._count:
            self._owner = None

    def _check_owner(self):
        if self._owner is None:
            raise RuntimeError("release unlocked lock")

    def __exit__(self, *error):
        self.release()

    def locked(self):
        current.probes(True)
        self._step("looks at")
        return self._owner is not None

    def _state(self):
        return self._owner, self._count

    def _owner_text(self):
        return self._owner


class RLock(Lock):
    def _is_free(self, thread):
        return self._owner in (None, thread)

    def _check_owner(self):
        if self._owner != current.thread():
            raise RuntimeError("cannot release un-acquired lock")

    def _is_owned(self):
        return self._owner == current.thread()


class Semaphore(Primitive):
    def _begin(self, value=1):
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._value = self._most = value

    def acquire(self, blocking=True, timeout=None):
        current.probes(not blocking or timeout is not None)
        self._step("acquires")
        if not self._wait(lambda: self._value > 0, "goes on with", timeout if blocking else 0):
            return False
        self._value -= 1
        return True

    __enter__ = acquire

    def release(self, n=1):
        if n < 1:
            raise ValueError("n must be one or more")
        if current.is_stopping():
            return
        if current.are_releases_steps():
            self._step("releases")
        self._check(n)
        self._value += n

    def _check(self, n):
        pass

    def __exit__(self, *error):
        self.release()

    def _state(self):
        return self._value


class BoundedSemaphore(Semaphore):
    def _check(self, n):
        if self._value + n > self._most:
            raise ValueError("Semaphore released too many times")


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
        # They go on even if it is cleared before their turn comes.
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
        self._wait(lambda: self._waiting.get(me), "goes on with", timeout)
        return self._waiting.pop(me)

    def _state(self):
        return self._flag, tuple(self._waiting.items())


class Condition(Primitive):
    def _begin(self, lock=None):
        self._lock = RLock() if lock is None else lock
        self.acquire, self.release = self._lock.acquire, self._lock.release
        # The waiting threads in the order in which they came, and those that were notified.
        self._waiting, self._woken = [], []

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
        lock._wait(lambda: lock._owner is None, "goes on with")
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
        self._wait(lambda: self._round > mine or self._is_broken, "goes on with", timeout)
        if self._round == mine:
            self._is_broken = True
            raise threading.BrokenBarrierError
        return index

    def abort(self):
        self._step("aborts")
        self._is_broken = True

    def reset(self):
        self._step("resets")
        self._is_broken, self._arrived = False, 0

    def _state(self):
        return self._arrived, self._round, self._is_broken


class Queue(Primitive):
    def _begin(self, maxsize=0):
        self.maxsize, self._items, self.unfinished_tasks = maxsize, deque(), 0

    def put(self, item, block=True, timeout=None):
        self._step("puts into")
        if not self._wait(lambda: not self._is_full(), "goes on with", timeout if block else 0):
            raise queue.Full
        self._add(item)
        self.unfinished_tasks += 1

    def get(self, block=True, timeout=None):
        self._step("gets from")
        if not self._wait(lambda: self._items, "goes on with", timeout if block else 0):
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

    def join(self):
        self._step("waits for")
        self._wait(lambda: not self.unfinished_tasks, "goes on with")

    def _state(self):
        return self._items, self.unfinished_tasks


class LifoQueue(Queue):
    def _take(self):
        return self._items.pop()


class SimpleQueue(Queue):
    def __init__(self):
        super().__init__()
