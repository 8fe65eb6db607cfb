"""A blocking call sleeps, a non-blocking call fails immediately, and a timeout limits the sleep.
阻塞的调用睡眠等待，非阻塞的调用立即失败，超时检测限制睡眠的时间。
讲义: 阻塞IO · 非阻塞IO

Run:    python day11/block_io.py

Output:
    blocking: the default
      accept() waited <ms> ms for a client, and used <ms> ms of CPU
      recv() waited <ms> ms for b'hello', and used <ms> ms of CPU

    non-blocking, before a client connects
      setblocking(False): accept() raised BlockingIOError after <ms> ms
      settimeout(0):      accept() raised BlockingIOError after <ms> ms
      accept() in a loop: <n> calls in <ms> ms, which used <ms> ms of CPU

    with a timeout, and no client connects
      settimeout(0.1):    accept() raised TimeoutError after <ms> ms
      settimeout(None):   getblocking() is True
"""
import contextlib
import faulthandler
import itertools
import socket
import time
from threading import Event, Timer

# Seconds until the client does what the server is waiting for.
DELAY = 0.2


def main():
    # If the program hangs, faulthandler prints the current line after 10 s and ends the program.
    # (If stderr is closed, faulthandler raises an exception.)
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("blocking: the default")
        block(listener)
        print("\nnon-blocking, before a client connects")
        do_not_block(listener)
        print("\nwith a timeout, and no client connects")
        limit(listener)


def block(listener):
    with socket.socket() as client:
        # A Timer is a thread: this one calls client.connect after DELAY seconds.
        # Timer：延迟执行的线程
        connect = Timer(DELAY, client.connect, [listener.getsockname()])
        (conn, addr), waited, cpu = measure(connect, listener.accept)
        with conn:
            print(f"  accept() waited {waited:.0f} ms for a client, and used {cpu:.1f} ms of CPU")
            assert cpu < waited / 4, f"expected a wait that uses no CPU: {cpu} ms in {waited} ms"

            send = Timer(DELAY, client.sendall, [b"hello"])
            data, waited, cpu = measure(send, conn.recv, 100)
            print(f"  recv() waited {waited:.0f} ms for {data}, and used {cpu:.1f} ms of CPU")
            assert cpu < waited / 4, f"expected a wait that uses no CPU: {cpu} ms in {waited} ms"


def measure(timer, call, *args):
    """Start the timer that makes the client act, then make the call that waits for the client.

    Returns the call's result, its duration and its CPU time (both in milliseconds).
    """
    started, cpu_started = time.monotonic(), time.process_time()
    timer.start()
    # In a blocking call, this thread sleeps in the kernel and uses no CPU until the client acts.
    # 阻塞的调用使本线程在内核中睡眠，直到客户端行动，期间不占 CPU
    result = call(*args)
    waited, cpu = time.monotonic() - started, time.process_time() - cpu_started
    timer.join()
    return result, 1000 * waited, 1000 * cpu


def do_not_block(listener):
    listener.setblocking(False)
    # In C, the call returns -1, and errno is EAGAIN.
    error, waited = error_of(listener.accept)
    print(f"  setblocking(False): accept() raised {error} after {waited:.1f} ms")
    assert error == "BlockingIOError", f"expected BlockingIOError, not {error}"
    listener.settimeout(0)
    error, waited = error_of(listener.accept)
    print(f"  settimeout(0):      accept() raised {error} after {waited:.1f} ms")
    assert error == "BlockingIOError", f"expected BlockingIOError, not {error}"

    with socket.socket() as client:
        has_called = Event()

        def connect():
            # On a busy machine, DELAY can be over before the first call.
            # 机器繁忙时，第一次调用可能晚于 DELAY
            has_called.wait(10)
            client.connect(listener.getsockname())

        timer = Timer(DELAY, connect)
        calls, waited, cpu = measure(timer, accept_in_a_loop, listener, has_called)
    used = f"{calls} calls in {waited:.0f} ms, which used {cpu:.0f} ms of CPU"
    print(f"  accept() in a loop: {used}")
    assert calls > 1, f"expected several calls before the client connects, got {calls}"


def accept_in_a_loop(listener, has_called):
    """Repeat accept until it succeeds; return the number of calls. Busy waiting works, but it
    keeps a core busy. 忙等待（轮询）：可行，但一直占用 CPU
    """
    for calls in itertools.count(1):
        with contextlib.suppress(BlockingIOError):
            conn, addr = listener.accept()
            conn.close()
            return calls
        has_called.set()


def limit(listener):
    # In the kernel, a socket with a timeout is non-blocking. Python does the waiting: it calls
    # poll (day 12) with the timeout first, then accept.
    # 设了超时的套接字在内核里是非阻塞的：Python 先用 poll 等待，再调用 accept
    listener.settimeout(0.1)
    error, waited = error_of(listener.accept)
    print(f"  settimeout(0.1):    accept() raised {error} after {waited:.0f} ms")
    assert error == "TimeoutError", f"expected TimeoutError, not {error}"
    assert waited >= 100, f"expected a wait of 100 ms, not {waited} ms"
    listener.settimeout(None)
    blocks = listener.getblocking()
    print(f"  settimeout(None):   getblocking() is {blocks}")
    assert blocks, "expected the socket to be blocking again"


def error_of(call):
    """Make a call that fails; return the name of the exception and the duration in milliseconds."""
    started = time.monotonic()
    try:
        call()
    except OSError as error:
        return type(error).__name__, 1000 * (time.monotonic() - started)
    raise AssertionError("expected an exception, because no client connects")


if __name__ == "__main__":
    main()
