"""One thread waits for three cups, then takes them; another puts the cups down, one by one.
一个线程等三杯都到齐才拿走；另一个线程一杯一杯地放下。

Still wrong: take() checks only twice, so it can go on before all cups are there.
"""
import threading


def take():
    with changed:
        if cups < 3:
            changed.wait()
        if cups < 3:
            changed.wait()
        carry()


def put():
    global cups
    with changed:
        cups += 1
        changed.notify()


def carry():
    global cups
    assert cups == 3, "too early"
    cups = 0


def setup():
    global cups, changed
    cups, changed = 0, threading.Condition()


def a():
    take()


def b():
    for _ in range(3):
        put()


def check():
    return cups == 0


if __name__ == "__main__":
    setup()
    threads = [threading.Thread(target=target) for target in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("cups left:", cups)
