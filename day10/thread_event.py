"""An Event makes threads wait until something has happened: wait, set, clear, is_set, and what wait returns.
线程同步互斥方法 · 线程Event

Run:    python day10/thread_event.py

Output:
    three threads wait for an event, is_set() is False
    main waits too: wait(0.1) returned False, time is up; messages read so far: []
    main writes the message and calls set(): is_set() is True
    wait returned True to all three, and they read ['hello', 'hello', 'hello']
    it stays set: for one who comes late, wait(0) returned True
    after clear(): is_set() is False, wait(0.1) returned False
"""
import signal
from threading import Barrier, Event, Thread

PATIENCE = 20                                      # seconds until we end, if a thread waits for one which has failed
message = None                                     # a global, which all threads see


def main():
    global message
    signal.alarm(PATIENCE)
    written = Event()
    all_are_here = Barrier(4)
    returned, read = [], []
    # daemon: Ctrl-C waits for none of them.
    readers = [Thread(target=reader, args=(all_are_here, written, returned, read), daemon=True) for _ in range(3)]
    for thread in readers:
        thread.start()
    all_are_here.wait()
    print(f"three threads wait for an event, is_set() is {written.is_set()}")
    in_time = written.wait(0.1)
    print(f"main waits too: wait(0.1) returned {in_time}, time is up; messages read so far: {read}")
    assert in_time is False and read == []

    message = "hello"
    written.set()                                  # after the message: synchronisation 同步 is about the order of steps
    print(f"main writes the message and calls set(): is_set() is {written.is_set()}")
    for thread in readers:
        thread.join()
    print(f"wait returned {returned[0]} to all three, and they read {read}")
    assert returned == [True] * 3 and read == ["hello"] * 3

    late = written.wait(0)                         # 0: do not wait at all, only tell
    print(f"it stays set: for one who comes late, wait(0) returned {late}")
    assert late is True

    written.clear()
    in_time = written.wait(0.1)
    print(f"after clear(): is_set() is {written.is_set()}, wait(0.1) returned {in_time}")
    assert in_time is False


def reader(all_are_here, written, returned, read):
    all_are_here.wait()
    returned.append(written.wait())                # without a timeout, until it is set
    read.append(message)


if __name__ == "__main__":
    main()
