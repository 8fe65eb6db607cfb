"""With greenlet, you switch by hand: g.switch(value) resumes g where it stopped.
用 greenlet 要手工切换：g.switch(value) 让 g 从停下的地方继续。
讲义: 第三方协程模块 · greenlet模块

Run:    python day12/greenlet_0.py

Output:
    a begins with 'from main'
    b begins with 'from a'
    a continues with 'from b'
    b continues with 'from a, inside a function'
    main continues with 'result of b'; a.dead: False, b.dead: True
    another thread that calls a.switch() gets greenlet.error
    a continues with 'from main again'
    main continues with 'result of a'; a.dead: True, b.dead: True
    main switches to the dead a and gets its own 'from main, too late' back
"""
import sys
from concurrent.futures import ThreadPoolExecutor

try:
    import greenlet
except ImportError:
    greenlet = None


def main():
    if greenlet is None:
        print("this needs greenlet: make demo DAY=12 installs it, then use .venv/bin/python"
              " · 需要 greenlet：make demo DAY=12 会安装它，然后用 .venv/bin/python",
              file=sys.stderr)
        sys.exit(2)
    a, b = greenlet.greenlet(play_a), greenlet.greenlet(play_b)
    # The first switch to a greenlet calls its function with the arguments of switch.
    # 第一次 switch 调用它的函数，参数就是这些
    value = a.switch(b, "from main")
    # b has returned, so its parent continues. The parent is main, because main created b.
    print(f"main continues with {value!r}; a.dead: {a.dead}, b.dead: {b.dead}")
    assert (value, a.dead, b.dead) == ("result of b", False, True), \
        f"expected the result of b, and only b to be dead; got {value!r}, {a.dead}, {b.dead}"

    # A greenlet belongs to the thread that created it.
    with ThreadPoolExecutor() as pool:
        error = pool.submit(a.switch, "from a thread").exception(timeout=10)
    print(f"another thread that calls a.switch() gets greenlet.{type(error).__name__}")
    assert isinstance(error, greenlet.error), f"expected greenlet.error, got {error!r}"

    value = a.switch("from main again")
    print(f"main continues with {value!r}; a.dead: {a.dead}, b.dead: {b.dead}")
    assert (value, a.dead) == ("result of a", True), \
        f"expected 'result of a', and a.dead to be True; got {value!r}, {a.dead}"
    # A switch to a dead greenlet goes to its parent instead. The parent of a is main, so main gets
    # its own value back.
    # 切换到已结束的 greenlet，就是切换到它的 parent，也就是 main 自己
    value = a.switch("from main, too late")
    print(f"main switches to the dead a and gets its own {value!r} back")
    assert value == "from main, too late", f"expected main's own value back, got {value!r}"


def play_a(b, value):
    print(f"a begins with {value!r}")
    # Greenlet a stops here until another greenlet switches back to a and passes a value.
    # 停在这里，直到别的 greenlet 切换回来，并带来一个值
    value = b.switch(greenlet.getcurrent(), "from a")      # getcurrent() is a itself
    print(f"a continues with {value!r}")
    value = switch_from_inside(b)
    print(f"a continues with {value!r}")
    return "result of a"


def switch_from_inside(b):
    """Switch to b. A greenlet can stop inside a nested call; a generator cannot."""
    return b.switch("from a, inside a function")


def play_b(a, value):
    print(f"b begins with {value!r}")
    # a continues at its line `value = b.switch(...)`, where value becomes "from b".
    # a 从自己的 value = b.switch(...) 那一行继续，value 得到 "from b"
    value = a.switch("from b")
    print(f"b continues with {value!r}")
    return "result of b"


if __name__ == "__main__":
    main()
