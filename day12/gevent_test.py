"""gevent switches greenlets only in its own waiting functions, such as sleep and joinall.
gevent 只在自己的等待函数里切换，例如 sleep 和 joinall，别处都不切换。
讲义: 第三方协程模块 · gevent模块

Run:    python day12/gevent_test.py

Output:
    after calling spawn twice, a and b have written ''
    after time.sleep(0.01), a and b have written ''
    after joinall([a, b]), a and b have written 'ababab'
    a.value and b.value: ['a is done', 'b is done']

    two greenlets write a letter and wait, three times each
    with time.sleep:   aaabbb
    with gevent.sleep: ababab
"""
import sys
import time

try:
    import gevent
except ImportError:
    gevent = None


def main():
    if gevent is None:
        print("this needs gevent: make demo DAY=12 installs it, then use .venv/bin/python"
              " · 需要 gevent：make demo DAY=12 会安装它，然后用 .venv/bin/python", file=sys.stderr)
        sys.exit(2)
    spawn_and_join()
    print()
    compare_waits()


def spawn_and_join():
    written = []
    # Pass the function, then its arguments, by position or by name. 先传函数，再按位置或名字传参数
    a = gevent.spawn(write, "a", gevent.sleep, written)
    b = gevent.spawn(write, "b", gevent.sleep, written=written)
    # spawn only schedules the greenlets; they have not run yet. 只是排队，还没有执行
    print(f"after calling spawn twice, a and b have written {''.join(written)!r}")
    # Time alone is not enough: a and b run only when we wait inside gevent.
    time.sleep(0.01)
    print(f"after time.sleep(0.01), a and b have written {''.join(written)!r}")
    assert written == [], f"expected neither a nor b to run before joinall, got {written}"
    gevent.joinall([a, b])
    print(f"after joinall([a, b]), a and b have written {''.join(written)!r}")
    print(f"a.value and b.value: {[a.value, b.value]}")
    assert b.value == "b is done", f"expected the return value of write, got {b.value!r}"


def compare_waits():
    print("two greenlets write a letter and wait, three times each")
    blocked = letters(time.sleep)
    print(f"with time.sleep:   {blocked}")
    assert blocked == "aaabbb", f"expected aaabbb, without a switch in time.sleep; got {blocked}"
    in_turn = letters(gevent.sleep)
    print(f"with gevent.sleep: {in_turn}")
    assert in_turn == "ababab", f"expected ababab, with switches in gevent.sleep; got {in_turn}"


def letters(sleep):
    """Let two greenlets write letters and wait in sleep; return the letters in order of writing."""
    written = []
    gevent.joinall([gevent.spawn(write, letter, sleep, written) for letter in "ab"])
    return "".join(written)


def write(letter, sleep, written):
    for _ in range(3):
        written.append(letter)
        # gevent.sleep switches to the other greenlet; time.sleep stops the entire thread.
        # gevent.sleep 会切换到另一个协程；time.sleep 让整个线程停住
        sleep(0.01)
    return f"{letter} is done"


if __name__ == "__main__":
    main()
