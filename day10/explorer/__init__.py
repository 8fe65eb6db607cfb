"""Explore every order in which the steps of a few threads can happen.
探索几个线程的步骤的所有先后次序。

    exploration = explore([a, b], setup, check)

A step is what touches shared state: a read or a write of a global variable, of an attribute, of an
item, or of a variable of an enclosing function; a call of a method of a list, dict, set or deque;
a call of a lock or of another thing that threads wait with. A function, class or module that is
only looked up is no step. What a thread does between two steps belongs to the first of them.
acquire() is one step; if it must wait, going on afterwards is another one. release() of a lock is a
step only in a program that asks without waiting, since nothing else can tell the difference.
"""

from explorer.search import explore

__all__ = ["explore"]
