"""Explore every order in which the steps of a few threads can happen.
探索几个线程的步骤的所有先后次序。

    exploration = explore([a, b], setup, check)

A step touches shared state: it reads or writes a global variable, an attribute, an item, or a
variable of an enclosing function; it calls a method of a list, dict, set or deque; or it calls a
method of a lock, an event, a queue or the like. Looking up a function, class or module is not a
step. What a thread does between two steps belongs to the earlier step. acquire() is one step; if it
has to wait, acquiring the lock after the wait is a second step. release() of a lock is a step only
if the program somewhere calls locked(), or acquire() with a timeout or without waiting, or releases
a lock that is not held, because only such a call can notice when the lock was released.
"""

from explorer.search import explore

__all__ = ["explore"]
