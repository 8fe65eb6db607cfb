"""A race in one thread: if coroutines yield between reading and writing, updates are lost.
只有一个线程也会有竞争：在读和写之间切换的协程会丢失更新。
讲义: 协程技术 · 基础概念 · 协程优缺点

Run:    python day12/coroutine_race.py

Output:
    n is 0, and ten tasks run add(): now n is 1 (9 updates lost)
    n is 0, and ten tasks run add_at_once(): now n is 10 (0 updates lost)
"""
from collections import deque

TASKS = 10


def main():
    n = count_with(add)
    print(f"n is 0, and ten tasks run add(): now n is {n} ({TASKS - n} updates lost)")
    assert n == 1, f"expected 9 lost updates: every task should have read 0; n is {n}"

    n = count_with(add_at_once)
    print(f"n is 0, and ten tasks run add_at_once(): now n is {n} ({TASKS - n} updates lost)")
    assert n == TASKS, f"expected no lost update: += has no switch inside; n is {n}"


def count_with(task):
    """Run ten coroutines of the function `task`, each of which adds 1; return the final count."""
    shared = {"n": 0}
    run([task(shared) for _ in range(TASKS)])
    return shared["n"]


def run(tasks):
    """The scheduler of coroutine_0.py: run each task in turn up to its next yield."""
    ready = deque(tasks)
    while ready:
        task = ready.popleft()
        try:
            next(task)
            ready.append(task)
        except StopIteration:
            pass


def add(shared):
    n = shared["n"]
    # A switch: the other nine tasks read the same 0. 切换：其他九个任务也读到同一个 0
    yield
    shared["n"] = n + 1


def add_at_once(shared):
    yield
    # No switch between reading and writing, so no lock is needed. 读写之间没有切换，不用加锁
    shared["n"] += 1


if __name__ == "__main__":
    main()
