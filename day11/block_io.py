"""Blocking uses no CPU, non-blocking fails at once, a timeout is in between.
阻塞不占 CPU，非阻塞立即失败，超时检测介于两者之间。
讲义: 阻塞IO · 非阻塞IO

Run:    python day11/block_io.py

Output:
    blocking, as every socket is at first
      accept() waited <ms> ms for a client, and used <ms> ms of CPU
      recv() waited <ms> ms for b'hello', and used <ms> ms of CPU

    non-blocking, while no client is there
      setblocking(False): accept() raised BlockingIOError after <ms> ms
      settimeout(0):      accept() raised BlockingIOError after <ms> ms
      called until a client came, <n> times in <ms> ms: used <ms> ms of CPU

    with a limit, while no client is there
      settimeout(0.1):    accept() raised TimeoutError after <ms> ms
      settimeout(None):   getblocking() is True
"""
import contextlib
import faulthandler
import itertools
import socket
import time
from threading import Timer

# Seconds until the client does what the call is waiting for.
DELAY = 0.2


def main():
    # If a call waits for ever: after 10 s, say in which line it waits, and end
    # (suppress: there may be no stderr).
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("blocking, as every socket is at first")
        block(listener)
        print("\nnon-blocking, while no client is there")
        do_not_block(listener)
        print("\nwith a limit, while no client is there")
        limit(listener)


def block(listener):
    with socket.socket() as client:
        connect = Timer(DELAY, client.connect, [listener.getsockname()])
        (conn, addr), waited, cpu = measure(connect, listener.accept)
        with conn:
            print(f"  accept() waited {waited:.0f} ms for a client, and used {cpu:.1f} ms of CPU")
            assert cpu < waited / 4, f"expected a wait without CPU: {cpu} ms of CPU in {waited} ms"

            send = Timer(DELAY, client.sendall, [b"hello"])
            data, waited, cpu = measure(send, conn.recv, 100)
            print(f"  recv() waited {waited:.0f} ms for {data}, and used {cpu:.1f} ms of CPU")
            assert cpu < waited / 4, f"expected a wait without CPU: {cpu} ms of CPU in {waited} ms"


def measure(timer, call, *args):
    """Let a timer thread act while we wait in a call; return its result, and two times in ms."""
    started, cpu_started = time.monotonic(), time.process_time()
    timer.start()
    # Until the timer's thread has acted, this thread sleeps in the kernel: it uses no CPU.
    # 在计时器线程行动之前，本线程在内核中睡眠，不占 CPU
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
        connect = Timer(DELAY, client.connect, [listener.getsockname()])
        calls, waited, cpu = measure(connect, accept_in_a_loop, listener)
    times = f"{calls} times in {waited:.0f} ms"
    print(f"  called until a client came, {times}: used {cpu:.0f} ms of CPU")
    assert calls > 1, f"expected more calls than {calls}: the client comes after {DELAY} s"


def accept_in_a_loop(listener):
    """Busy waiting: it works, but it keeps a core busy. 忙等待（轮询）：可行，但一直占用 CPU"""
    for calls in itertools.count(1):
        with contextlib.suppress(BlockingIOError):
            conn, addr = listener.accept()
            conn.close()
            return calls


def limit(listener):
    # For the kernel, a socket with a timeout is non-blocking. Python does the waiting: it calls
    # poll (day 12) with the timeout, and then accept.
    listener.settimeout(0.1)
    error, waited = error_of(listener.accept)
    print(f"  settimeout(0.1):    accept() raised {error} after {waited:.0f} ms")
    assert error == "TimeoutError", f"expected TimeoutError, not {error}"
    assert waited >= 100, f"expected a wait of 100 ms, not {waited} ms"
    listener.settimeout(None)
    blocks = listener.getblocking()
    print(f"  settimeout(None):   getblocking() is {blocks}")
    assert blocks, "expected that the socket blocks again"


def error_of(call):
    """Make a call that fails; return the name of the error, and after how many ms it came."""
    started = time.monotonic()
    try:
        call()
    except OSError as error:
        return type(error).__name__, 1000 * (time.monotonic() - started)
    raise AssertionError("expected an error: no client is there")


if __name__ == "__main__":
    main()
