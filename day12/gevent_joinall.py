"""gevent.joinall only waits: a timeout ends no greenlet, and by default joinall raises no error.
gevent.joinall 只负责等待：超时不会结束协程；不加 raise_error=True 就不会抛出协程的异常。
讲义: 第三方协程模块 · gevent模块

Run:    python day12/gevent_joinall.py

Output:
    joinall([slow, quick], timeout=0.1) returned ['quick']; slow.dead: False
    slow.kill(): slow.dead: True

    joinall([bad, quick]) returned ['bad', 'quick']; bad.value: None
    bad.exception: ValueError; its traceback went to stderr: True
    joinall([bad, quick], raise_error=True) raised ValueError
    bad.get() raised ValueError
"""
import contextlib
import io
import sys

try:
    import gevent
    import gevent.event
except ImportError:
    gevent = None


def main():
    if gevent is None:
        print("this needs gevent: make demo DAY=12 installs it, then use .venv/bin/python"
              " · 需要 gevent：make demo DAY=12 会安装它，然后用 .venv/bin/python", file=sys.stderr)
        sys.exit(2)
    time_out()
    print()
    fail()


def time_out():
    # This event is never set, so slow never ends. 这个事件永远不会 set，slow 不会结束
    slow = gevent.spawn(gevent.event.Event().wait)
    quick = gevent.spawn(str, 1)
    quick.join()
    finished = gevent.joinall([slow, quick], timeout=0.1)
    names = {slow: "slow", quick: "quick"}
    returned = [names[greenlet] for greenlet in finished]
    print(f"joinall([slow, quick], timeout=0.1) returned {returned}; slow.dead: {slow.dead}")
    assert returned == ["quick"], f"expected only quick to have finished, got {returned}"
    assert not slow.dead, "expected slow to be alive after the timeout, but it is dead"
    slow.kill()
    print(f"slow.kill(): slow.dead: {slow.dead}")
    assert slow.dead, "expected kill() to end slow, but it is alive"


def fail():
    # bad fails, because int("x") raises ValueError.
    bad, quick = gevent.spawn(int, "x"), gevent.spawn(str, 1)
    # gevent prints a traceback when bad fails. Redirect stderr into memory, so that we can search
    # the output.
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        finished = gevent.joinall([bad, quick])
    names = {bad: "bad", quick: "quick"}
    returned = sorted(names[greenlet] for greenlet in finished)
    print(f"joinall([bad, quick]) returned {returned}; bad.value: {bad.value}")
    assert returned == ["bad", "quick"], f"expected bad and quick to have finished, got {returned}"
    is_printed = "Traceback" in stderr.getvalue()
    error = type(bad.exception).__name__
    print(f"bad.exception: {error}; its traceback went to stderr: {is_printed}")
    assert is_printed, f"expected a traceback on stderr, got {stderr.getvalue()!r}"

    error = error_of(gevent.joinall, [bad, quick], raise_error=True)
    print(f"joinall([bad, quick], raise_error=True) raised {error}")
    assert error == "ValueError", f"expected ValueError from joinall, got {error}"
    error = error_of(bad.get)
    print(f"bad.get() raised {error}")
    assert error == "ValueError", f"expected ValueError from bad.get(), got {error}"


def error_of(function, *args, **kwargs):
    """Call a function; return the name of the exception that it raises, or "nothing"."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return "nothing"


if __name__ == "__main__":
    main()
