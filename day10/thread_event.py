"""An Event makes threads wait until something has happened.
Event：让线程等待某件事发生。
讲义: 线程同步互斥方法 · 线程Event

Run:    python day10/thread_event.py

Output:
    before set(): is_set() is False, 0 of 3 readers have read
    main waits with a timeout: wait(0.1) returned False
    after set(): is_set() is True, all 3 readers went on and read: hello hello hello
    the event is still set: a later wait(0) returned True
    after clear(): is_set() is False, wait(0.1) returned False
"""
import contextlib
import faulthandler
from threading import Event, Thread

message = None


def main():
    global message
    # If the program is still running after 10 seconds, it is stuck: print where each thread waits,
    # and exit. (dump_traceback_later raises an exception if stderr is closed; ignore it.)
    # 只是防止本演示卡住：10 秒后还没结束，就打印每个线程停在哪一行，然后结束
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    written, read = Event(), []
    # daemon: Ctrl-C ends the program immediately, without waiting for the threads
    # 守护线程：按 Ctrl-C 时程序立即结束，不等待这些线程
    readers = [Thread(target=reader, args=(written, read), daemon=True) for _ in range(3)]
    for thread in readers:
        thread.start()
    print(f"before set(): is_set() is {written.is_set()}, {len(read)} of 3 readers have read")
    # With a timeout, wait() returns False when the time is up.
    in_time = written.wait(0.1)
    print(f"main waits with a timeout: wait(0.1) returned {in_time}")
    assert (in_time, read) == (False, []), f"expected nothing before set(): {in_time}, {read}"

    # Write the message first, then call set(): synchronisation determines the order of steps.
    # 先写消息，再 set()：同步就是规定步骤的先后
    message = "hello"
    written.set()
    is_set = written.is_set()
    for thread in readers:
        thread.join()
    print(f"after set(): is_set() is {is_set}, all {len(read)} readers went on and read:", *read)
    assert read == ["hello"] * 3, f"expected each reader to find the message: {read}"

    in_time = written.wait(0)
    print(f"the event is still set: a later wait(0) returned {in_time}")
    assert in_time is True, f"expected True from an event that is set: {in_time}"

    written.clear()
    in_time = written.wait(0.1)
    print(f"after clear(): is_set() is {written.is_set()}, wait(0.1) returned {in_time}")
    assert in_time is False, f"expected False after clear(): {in_time}"


def reader(written, read):
    written.wait()                  # no timeout: wait until the event is set
    read.append(message)


if __name__ == "__main__":
    main()
