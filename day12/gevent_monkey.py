"""monkey.patch_all() patches standard modules; earlier `from` imports keep the old functions.
monkey.patch_all() 替换标准库里的名字：在它之前用 from ... import 导入的名字仍是旧的。
讲义: 第三方协程模块 · gevent模块 · monkey脚本

Run:    python day12/gevent_monkey.py

Output:
    two greenlets write a letter and wait, three times each:  sleep   recv
    before patch_all(): time.sleep, socket.socket             aaabbb  aaabbb
    after patch_all(): names imported before patch_all()      aaabbb  aaabbb
    after patch_all(): names imported after patch_all()       ababab  ababab
    after patch_all(): time.sleep, socket.socket              ababab  ababab
"""
import contextlib
import socket
import sys
import time
from socket import socket as old_socket
from time import sleep as old_sleep

try:
    import gevent
    from gevent import monkey
except ImportError:
    gevent = None


def main():
    if gevent is None:
        print("this needs gevent: make demo DAY=12 installs it, then use .venv/bin/python"
              " · 需要 gevent：make demo DAY=12 会安装它，然后用 .venv/bin/python", file=sys.stderr)
        sys.exit(2)
    print("two greenlets write a letter and wait, three times each:  sleep   recv")
    show("before patch_all(): time.sleep, socket.socket", time.sleep, socket.socket,
         expected=["aaabbb", "aaabbb"])

    monkey.patch_all()

    # The patch comes too late for old_sleep: this name still refers to the old function.
    # 对 old_sleep 来说太晚了：这个名字仍然指向旧的函数
    show("after patch_all(): names imported before patch_all()", old_sleep, old_socket,
         expected=["aaabbb", "aaabbb"])
    from socket import socket as new_socket
    from time import sleep as new_sleep
    show("after patch_all(): names imported after patch_all()", new_sleep, new_socket,
         expected=["ababab", "ababab"])
    # `import time` above does no harm: Python looks up time.sleep now, in the patched module.
    show("after patch_all(): time.sleep, socket.socket", time.sleep, socket.socket,
         expected=["ababab", "ababab"])


def show(title, sleep, socket_class, expected):
    """Print the letters of two greenlets that wait in sleep, then of two that wait in recv."""
    came = [letters(sleep, 0.01), letters(receive, socket_class)]
    print(f"{title:56}  {came[0]}  {came[1]}")
    assert came == expected, f"expected {expected} for [sleep, recv], got {came}"


def letters(wait, argument):
    """Let two greenlets write letters and wait; return the letters in order of writing."""
    written = []
    gevent.joinall([gevent.spawn(write, letter, wait, argument, written) for letter in "ab"],
                   raise_error=True)
    return "".join(written)


def write(letter, wait, argument, written):
    """Write a letter three times, and call the function `wait` after each letter.

    An unpatched function blocks the thread; a patched one lets the other greenlet write.
    """
    for _ in range(3):
        written.append(letter)
        wait(argument)


def receive(socket_class):
    """Wait in recv, which times out after 0.01 seconds because no packet arrives."""
    with socket_class(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.01)
        with contextlib.suppress(TimeoutError):
            sock.recv(1)


if __name__ == "__main__":
    main()
