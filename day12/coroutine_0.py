"""A coroutine stops in the middle and keeps its place: a generator, send, a scheduler of a few lines, and a race after all.
协程技术 · 基础概念 · 协程原理

Run:    python day12/coroutine_0.py

Output:
    called  : GEN_CREATED, nothing has run yet
    next    : 0, now it stands at `n = yield total` with {'total': 0}
    send(10): 10, now it stands at `n = yield total` with {'total': 10, 'n': 10}
    send(32): 42, now it stands at `n = yield total` with {'total': 42, 'n': 32}
    close   : GEN_CLOSED, its frame is None

    three tasks take turns: a1 b1 c1 a2 b2 a3

    ten tasks add 1 to 0, with a switch between reading and writing: 1, nine updates are lost
    ten tasks add 1 to 0, without: 10
"""
import inspect
import linecache
from collections import deque


def adder():
    total = 0
    while True:
        n = yield total                            # hands total out and stops; goes on when somebody sends an n
        total += n


def main():
    keep_the_place()
    print()
    take_turns()
    print()
    race()


def keep_the_place():
    coroutine = adder()
    print(f"called  : {inspect.getgeneratorstate(coroutine)}, nothing has run yet")
    show("next    ", coroutine, next(coroutine))   # runs up to the first yield, which can take a value then
    show("send(10)", coroutine, coroutine.send(10))
    show("send(32)", coroutine, coroutine.send(32))
    assert coroutine.gi_frame.f_locals == {"total": 42, "n": 32}
    coroutine.close()
    print(f"close   : {inspect.getgeneratorstate(coroutine)}, its frame is {coroutine.gi_frame}")
    assert coroutine.gi_frame is None


def show(call, coroutine, result):
    """What a coroutine keeps while it stands still is its frame: the line, and the variables."""
    frame = coroutine.gi_frame
    line = linecache.getline(__file__, frame.f_lineno).partition("#")[0].strip()
    print(f"{call}: {result}, now it stands at `{line}` with {dict(frame.f_locals)}")


def run(tasks):
    """The scheduler: the first in the queue runs up to its next yield, and goes to the end of the queue."""
    ready = deque(tasks)
    while ready:
        task = ready.popleft()
        try:
            next(task)
        except StopIteration:                      # it has returned
            continue
        ready.append(task)


def write(name, times, written):
    for number in range(1, times + 1):
        written.append(f"{name}{number}")
        yield                                      # gives way; until it does, no other task has a turn


def take_turns():
    written = []
    run([write("a", 3, written), write("b", 2, written), write("c", 1, written)])
    print(f"three tasks take turns: {' '.join(written)}")
    assert written == ["a1", "b1", "c1", "a2", "b2", "a3"]


def add(shared):
    n = shared["n"]
    yield                                          # one thread, and yet the other nine come in between
    shared["n"] = n + 1


def add_at_once(shared):
    yield
    shared["n"] += 1                               # no switch between reading and writing, so no lock is needed


def race():
    shared = {"n": 0}
    run([add(shared) for _ in range(10)])
    print(f"ten tasks add 1 to 0, with a switch between reading and writing: {shared['n']}, nine updates are lost")
    assert shared["n"] == 1

    shared = {"n": 0}
    run([add_at_once(shared) for _ in range(10)])
    print(f"ten tasks add 1 to 0, without: {shared['n']}")
    assert shared["n"] == 10


if __name__ == "__main__":
    main()
