"""Two threads take one cup each when there is one; a third puts down two.
两个线程各拿一杯，没有就等待；第三个线程放下两杯。

Not mended: to look once more is not to look until it is true.
"""
import threading


def take():
    with changed:
        if not cups:
            changed.wait()
            if not cups:
                changed.wait()
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
