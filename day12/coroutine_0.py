"""A coroutine stops at yield; next, send or a ten-line scheduler resumes it from that line.
协程停在 yield 处；next、send 或一个十行的调度器让它从那一行继续。
讲义: 协程技术 · 基础概念 · 协程原理

Run:    python day12/coroutine_0.py

Output:
    adder()   has not begun, keeps {}
    next()    got 0, keeps {'total': 0}
    send(10)  got 10, keeps {'total': 10, 'n': 10}
    send(32)  got 42, keeps {'total': 42, 'n': 32}
    close()   its frame: None

    three tasks take turns: a1 b1 c1 a2 b2 a3
"""
from collections import deque


def main():
    keep_the_place()
    print()
    take_turns()


def adder():
    """A generator that adds numbers: each yield hands out the total, then waits for send(n)."""
    total = 0
    while True:
        # The generator stops at this yield. After send(10), the value of `yield total` is 10.
        # 停在这里；send(10) 从这里继续，yield 的值就是 10
        n = yield total
        total += n


def keep_the_place():
    coroutine = adder()
    # The call adder() has created a generator; no line of the function has run yet.
    show("adder()   has not begun", coroutine)
    # The first next() runs adder up to its first yield. From then on, adder can receive values.
    show(f"next()    got {next(coroutine)}", coroutine)
    show(f"send(10)  got {coroutine.send(10)}", coroutine)
    show(f"send(32)  got {coroutine.send(32)}", coroutine)
    kept = dict(coroutine.gi_frame.f_locals)
    assert kept == {"total": 42, "n": 32}, f"expected a total of 10 + 32 = 42, got {kept}"
    coroutine.close()
    print(f"close()   its frame: {coroutine.gi_frame}")
    assert coroutine.gi_frame is None, f"expected no frame after close(), got {coroutine.gi_frame}"


def show(what, coroutine):
    """Print the variables in the frame of a stopped coroutine; its current line is there too."""
    # 协程停着的时候，它的栈帧保存着变量和执行到的行（上下文）
    print(f"{what}, keeps {dict(coroutine.gi_frame.f_locals)}")


def run(tasks):
    """The scheduler: run the first task to its next yield, move it to the queue's end, repeat."""
    ready = deque(tasks)
    while ready:
        task = ready.popleft()
        try:
            next(task)
            ready.append(task)
        except StopIteration:
            # The task has returned: do not queue it again.
            pass


def write(name, times, written):
    for number in range(1, times + 1):
        written.append(f"{name}{number}")
        # Let the other tasks run. Until this line, no other task gets a turn. 主动让出
        yield


def take_turns():
    written = []
    run([write("a", 3, written), write("b", 2, written), write("c", 1, written)])
    turns = " ".join(written)
    print(f"three tasks take turns: {turns}")
    assert turns == "a1 b1 c1 a2 b2 a3", f"expected turns a1 b1 c1 a2 b2 a3, got {turns}"


if __name__ == "__main__":
    main()
