"""A Thread class of one's own: its arguments, its run(), and a result that the main thread can read.
线程编程 (Thread) · 自定义线程类

Run:    python day09/myThread.py

Output:
    start(): run() in thread 'multiplier' multiplies 6 by 7
    start(): back in main, result is 42, for threads share their objects
    run()  : run() in thread 'MainThread' multiplies 6 by 7
    without super().__init__(), start raises RuntimeError
"""
import threading
from threading import Thread


class Multiplier(Thread):
    """Multiplies two numbers, in a thread of its own if it is started."""

    def __init__(self, label, a, b):
        super().__init__(name="multiplier")        # makes a thread of it, so it comes first
        self.label = label
        self.a = a
        self.b = b
        self.result = None

    def run(self):                                 # what the thread does, in place of a target
        print(f"{self.label}: run() in thread {threading.current_thread().name!r} multiplies {self.a} by {self.b}")
        self.result = self.a * self.b


class Forgetful(Thread):
    def __init__(self):
        pass


def main():
    started = Multiplier("start()", 6, 7)
    started.start()
    started.join()
    print(f"start(): back in main, result is {started.result}, for threads share their objects")
    assert started.result == 42

    called = Multiplier("run()  ", 6, 7)
    called.run()                                   # a call like any other
    assert called.result == 42 and called.ident is None

    try:
        Forgetful().start()
    except RuntimeError as error:
        print(f"without super().__init__(), start raises {type(error).__name__}")
    else:
        raise AssertionError("it could be started")


if __name__ == "__main__":
    main()
