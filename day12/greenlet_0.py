"""Greenlets switch to each other by hand: each goes on where it stood, with the value that the switch brings.
第三方协程模块 · greenlet模块

Run:    python day12/greenlet_0.py

Output:
    main: switch to a with 1
    a   : begins with 1, switch to b
    b   : begins with 2, switch to a
    a   : goes on with 3, switch to b, from inside a function that it calls
    b   : goes on with 4, switch to a
    a   : goes on with 5, returns
    main: goes on with 6, for main has made a and so is its parent; a.dead is True, b.dead is False
    main: a thread that wants to switch to b gets greenlet.error
    main: switch to b with 7
    b   : goes on with 7, returns
    main: goes on with 8; b.dead is True
    main: switch to the dead a with 9: goes on with 9 at once
"""
import threading

import greenlet


def play_a(b, n):
    print(f"a   : begins with {n}, switch to b")
    n = b.switch(greenlet.getcurrent(), n + 1)     # stands here until somebody switches back, and brings a value
    print(f"a   : goes on with {n}, switch to b, from inside a function that it calls")
    n = pass_on(b, n + 1)
    print(f"a   : goes on with {n}, returns")
    return n + 1


def pass_on(b, n):
    """A greenlet has a stack of its own, so it may stop at any depth of calls. A generator stops only in its own lines."""
    return b.switch(n)


def play_b(a, n):
    print(f"b   : begins with {n}, switch to a")
    n = a.switch(n + 1)
    print(f"b   : goes on with {n}, switch to a")
    n = a.switch(n + 1)
    print(f"b   : goes on with {n}, returns")
    return n + 1


def main():
    a, b = greenlet.greenlet(play_a), greenlet.greenlet(play_b)
    print("main: switch to a with 1")
    n = a.switch(b, 1)                             # the first switch brings the arguments of the function
    print(f"main: goes on with {n}, for main has made a and so is its parent; a.dead is {a.dead}, b.dead is {b.dead}")
    assert (n, a.dead, b.dead) == (6, True, False)

    raised = []
    thread = threading.Thread(target=trespass, args=(b, raised))
    thread.start()
    thread.join()
    print(f"main: a thread that wants to switch to b gets greenlet.{raised[0].__name__}")
    assert raised == [greenlet.error]
    print("main: switch to b with 7")
    n = b.switch(n + 1)
    print(f"main: goes on with {n}; b.dead is {b.dead}")
    assert (n, b.dead) == (8, True)

    n = a.switch(n + 1)
    print(f"main: switch to the dead a with 9: goes on with {n} at once")
    assert n == 9


def trespass(b, raised):
    try:
        b.switch(0)                                # a greenlet belongs to the thread that made it
    except greenlet.error as error:
        raised.append(type(error))


if __name__ == "__main__":
    main()
