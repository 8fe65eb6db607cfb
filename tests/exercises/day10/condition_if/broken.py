"""Two threads take one cup each when there is one; a third puts down two.
两个线程各拿一杯，没有就等待；第三个线程放下两杯。

Run:    python day10/practice/condition_if.py
        python day10/interleavings.py day10/practice/condition_if.py
You see: two cups, nearly always; interleavings.py shows an IndexError.
看到：几乎总是两杯；interleavings.py 会显示 IndexError。
"""
import threading


def take():
    with changed:
        if not cups:
            changed.wait()
        taken.append(cups.pop())


def put(cup):
    with changed:
        cups.append(cup)
        changed.notify_all()


def setup():
    global cups, taken, changed
    cups, taken, changed = [], [], threading.Condition()


def a():
    take()


def b():
    take()


def c():
    put("tea")
    put("milk")


def check():
    return sorted(taken) == ["milk", "tea"]


if __name__ == "__main__":
    setup()
    threads = [threading.Thread(target=target) for target in (a, b, c)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    print("taken:", taken)
