"""Modules that replace threading, queue and time in the explored code.
在被探索的代码中代替 threading、queue、time 的模块。"""

import contextlib
import queue
import threading
import time
import types
import _thread

from explorer import current, meetings, primitives

NAMES = {
    threading: ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Event", "Condition", "Barrier"),
    queue: ("Queue", "LifoQueue", "SimpleQueue"),
}


def ours(name):
    return getattr(primitives, name, None) or getattr(meetings, name)


def sleep(seconds):
    """Return without sleeping, because the result must not depend on time. The call is a step, so
    other threads may run before it returns."""
    current.step("sleeps in", sleep)


def modules():
    """Return {name: module}: copies of the real modules, with our own classes that can wait."""
    made = {}
    for real in (threading, queue, time):
        made[real.__name__] = module = types.ModuleType(real.__name__)
        module.__dict__.update(vars(real))
        for name in NAMES.get(real, ()):
            setattr(module, name, ours(name))
    made["time"].sleep = sleep
    return made


def replacement_of(value, made):
    """Return what replaces a value of the explored module, or the value itself."""
    for real in (threading, queue, time):
        if value is real:
            return made[real.__name__]
        for name in NAMES.get(real, ()):
            if value is getattr(real, name):
                return ours(name)
    if value is time.sleep:
        return sleep
    if type(value) is _thread.LockType:
        return primitives.Lock()
    if type(value) is type(threading.RLock()):
        return primitives.RLock()
    return value


@contextlib.contextmanager
def replaced(namespace):
    """Let the names of a module refer to the stand-ins until the `with` block ends."""
    made, old = modules(), dict(namespace)
    lasting = list(current.lasting)
    for name, value in old.items():
        new = replacement_of(value, made)
        if new is not value:
            namespace[name] = new
    try:
        yield
    finally:
        for name, value in old.items():
            namespace[name] = value
        current.lasting[:] = lasting
