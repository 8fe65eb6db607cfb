"""monkey.patch_all() gives names of the standard library a new meaning: the same waits without it, after it, and before it.
第三方协程模块 · gevent模块 · monkey脚本

Run:    python day12/gevent_monkey.py

Output:
    two greenlets write a letter and wait, three times each, in  sleep   recv    os.read
    not patched                                                  aaabbb  aaabbb  aaabbb
    patch_all() before from time import sleep                    ababab  ababab  aaabbb
    patch_all() after from time import sleep                     aaabbb  aaabbb  aaabbb
    patch_all() after import time                                ababab  ababab  aaabbb
"""
import contextlib
import os
import signal
from socket import AF_INET, SOCK_DGRAM

import gevent
from gevent import monkey

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


# Here the imports stand in functions, since this is about their order.

def not_patched():
    from socket import socket
    from time import sleep
    return sleep, socket


def patch_before_names():
    monkey.patch_all()
    from socket import socket
    from time import sleep
    return sleep, socket


def patch_after_names():
    from socket import socket
    from time import sleep
    monkey.patch_all()                             # too late for our sleep: the name stands for the old function
    return sleep, socket


def patch_after_modules():
    import socket
    import time
    monkey.patch_all()                             # in good time: we look up time.sleep when we call it
    return time.sleep, socket.socket


def main():
    signal.alarm(PATIENCE)
    print("two greenlets write a letter and wait, three times each, in  sleep   recv    os.read", flush=True)
    show("not patched", not_patched, ["aaabbb", "aaabbb", "aaabbb"])
    show("patch_all() before from time import sleep", patch_before_names, ["ababab", "ababab", "aaabbb"])
    show("patch_all() after from time import sleep", patch_after_names, ["aaabbb", "aaabbb", "aaabbb"])
    show("patch_all() after import time", patch_after_modules, ["ababab", "ababab", "aaabbb"])


def show(title, prepare, expected):
    """A patch is for the whole process and for good, so each case has a process of its own."""
    pid = os.fork()
    if pid == 0:
        found = try_out(*prepare())
        print(f"{title:59}  {'  '.join(found)}", flush=True)
        os._exit(0 if found == expected else 1)
    assert os.waitpid(pid, 0) == (pid, 0)


def try_out(sleep, socket):
    reader, writer = os.pipe()
    signal.signal(signal.SIGALRM, lambda signum, frame: os.write(writer, b"x"))

    def wait_for_time():
        sleep(0.01)

    def wait_for_a_packet():
        with socket(AF_INET, SOCK_DGRAM) as sock, contextlib.suppress(TimeoutError):
            sock.settimeout(0.01)
            sock.recv(1)                           # nobody sends

    def wait_for_a_byte():
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)               # again, if the first comes before the read has begun
        os.read(reader, 1)                         # gevent leaves it as it is, and so files, pipes and input() too

    return [letters(wait_for_time), letters(wait_for_a_packet), letters(wait_for_a_byte)]


def letters(wait):
    written = []
    gevent.joinall([gevent.spawn(write, letter, wait, written) for letter in "ab"], raise_error=True)
    return "".join(written)


def write(letter, wait, written):
    for _ in range(3):
        written.append(letter)
        wait()


if __name__ == "__main__":
    main()
