"""Locks and semaphores that let another thread run instead of blocking.
用让别的线程执行来代替阻塞的锁和信号量。

These classes have the same interface as those in threading. In setup and check, they never let
another thread run. A wait that has a timeout and cannot succeed at once can fail at any time,
because the result must not depend on how long anything takes.
"""

from explorer import current


class Primitive:
    """Base class of the primitives: locks, events, queues and the like. A primitive that was made
    outside a run is reset before every run."""

    def __init__(self, *args, **kwargs):
        self._args = args, kwargs
        self._begin(*args, **kwargs)
        current.made(self)

    def _again(self):
        self._begin(*self._args[0], **self._args[1])

    def _step(self, verb):
        current.step(verb, self)

    def _wait(self, is_ready, verb, timeout=None):
        """Wait until is_ready() is true; return False if the time is up first.

        verb: what the thread does after the wait. timeout: None, or seconds.
        """
        if is_ready():
            return True
        if timeout is not None and timeout <= 0:
            return False
        if timeout is not None:
            verb = "stops waiting for"
        current.wait(verb, self, is_ready if timeout is None else None)
        return is_ready()

    def _owner_text(self):
        return None

    def __repr__(self):
        return f"{type(self).__name__}()"

    def __reduce__(self):
        raise TypeError(f"cannot pickle a {type(self).__name__}")


class Lock(Primitive):
    """A lock. It remembers its owner only for display: any thread may release a Lock."""

    def _begin(self):
        self._owner, self._since, self._count = None, None, 0

    def acquire(self, blocking=True, timeout=-1):
        current.probes(not blocking or timeout >= 0)
        self._step("acquires")
        me = current.thread()
        if not self._wait(
            lambda: self._is_free(me),
            "now acquires",
            None if blocking and timeout < 0 else timeout if blocking else 0,
        ):
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
            current.probes(True)
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
        if not self._wait(lambda: self._value > 0, "now acquires", timeout if blocking else 0):
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
        return (self._value,)


class BoundedSemaphore(Semaphore):
    def _check(self, n):
        if self._value + n > self._most:
            current.probes(True)
            raise ValueError("Semaphore released too many times")
