"""gevent: spawn, joinall, sleep. A greenlet gives way at gevent's own waits and nowhere else; its errors wait to be asked for.
第三方协程模块 · gevent模块

Run:    python day12/gevent_test.py

Output:
    spawn(work, done, 'a', b=1): done is [], it is only scheduled
    join(): done is ['a1'], its value is 'ok'

    two greenlets write a letter and wait, three times each
    with time.sleep(0.01)  : aaabbb
    with gevent.sleep(0.01): ababab

    joinall([slow, quick], timeout=0.1): returned [quick], and slow is alive, until kill()
    joinall([bad, quick]): returned both as if all were well, bad.value is None, the traceback is on stderr
    joinall([bad, quick], raise_error=True): ValueError
    bad.get(): ValueError
"""
import contextlib
import io
import time

import gevent
import gevent.event


def main():
    spawn()
    print()
    take_turns()
    print()
    time_out()
    fail()


def spawn():
    done = []
    greenlet = gevent.spawn(work, done, "a", b=1)  # the function, then its arguments
    time.sleep(0.01)                               # time is not what it needs, but a wait of gevent's
    print(f"spawn(work, done, 'a', b=1): done is {done}, it is only scheduled")
    assert done == []
    greenlet.join()
    print(f"join(): done is {done}, its value is {greenlet.value!r}")
    assert done == ["a1"] and greenlet.value == "ok"


def work(done, a, b):
    done.append(f"{a}{b}")
    return "ok"


def take_turns():
    print("two greenlets write a letter and wait, three times each")
    print(f"with time.sleep(0.01)  : {(blocked := letters(time.sleep))}")
    print(f"with gevent.sleep(0.01): {(in_turn := letters(gevent.sleep))}")
    assert (blocked, in_turn) == ("aaabbb", "ababab")


def letters(sleep):
    written = []
    gevent.joinall([gevent.spawn(write, letter, sleep, written) for letter in "ab"], raise_error=True)
    return "".join(written)


def write(letter, sleep, written):
    for _ in range(3):
        written.append(letter)
        sleep(0.01)


def time_out():
    slow, quick = gevent.spawn(gevent.event.Event().wait), gevent.spawn(work, [], "a", 1)
    quick.join()
    finished = gevent.joinall([slow, quick], timeout=0.1)
    assert finished == [quick] and not slow.dead
    print("joinall([slow, quick], timeout=0.1): returned [quick], and slow is alive, until kill()")
    slow.kill()
    assert slow.dead


def fail():
    bad, quick = gevent.spawn(int, "x"), gevent.spawn(work, [], "a", 1)
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        finished = gevent.joinall([bad, quick])
    assert set(finished) == {bad, quick} and bad.value is None and "Traceback" in stderr.getvalue()
    print("joinall([bad, quick]): returned both as if all were well, bad.value is None, the traceback is on stderr")
    try:
        gevent.joinall([bad, quick], raise_error=True)
    except ValueError as error:
        print(f"joinall([bad, quick], raise_error=True): {type(error).__name__}")
    else:
        raise AssertionError("it raised nothing")
    try:
        bad.get()
    except ValueError as error:
        print(f"bad.get(): {type(error).__name__}")
    else:
        raise AssertionError("it raised nothing")


if __name__ == "__main__":
    main()
