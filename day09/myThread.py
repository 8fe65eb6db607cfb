"""Your own Thread class; main sees the result of run().
自定义线程类，主线程能看到 run() 的结果。
讲义: 线程编程 (Thread) · 自定义线程类

Run:    python day09/myThread.py

Output:
    start(): run() in thread 'multiplier' multiplies 6 by 7
    start(): back in main, result is 42
    run()  : run() in thread 'MainThread' multiplies 6 by 7
    without super().__init__(), start raises RuntimeError
"""
import threading
from threading import Thread


class Multiplier(Thread):
    """Multiplies two numbers: start() does it in a new thread, run() in the calling thread."""

    def __init__(self, label, a, b):
        # Always call this first: it sets up what start() needs. 必须先调用父类的 __init__
        super().__init__(name="multiplier")
        self.label = label
        self.a = a
        self.b = b
        self.result = None

    def run(self):
        """Do the thread's work. A class with its own run() needs no target. 线程执行的内容"""
        name = threading.current_thread().name
        print(f"{self.label}: run() in thread {name!r} multiplies {self.a} by {self.b}")
        self.result = self.a * self.b


class Forgetful(Thread):
    def __init__(self):
        pass


def main():
    started = Multiplier("start()", 6, 7)
    started.start()
    started.join()
    # The thread set the result in this same object; nothing was copied. 是同一个对象，没有复制
    print(f"start(): back in main, result is {started.result}")
    assert started.result == 42, f"expected 42; result is {started.result}"

    called = Multiplier("run()  ", 6, 7)
    # This is an ordinary function call; it starts no thread. 只是普通的函数调用
    called.run()
    assert called.ident is None, f"expected no new thread; there is one, {called.ident}"

    try:
        Forgetful().start()
    except RuntimeError as error:
        print(f"without super().__init__(), start raises {type(error).__name__}")
    else:
        raise AssertionError("expected start() to raise RuntimeError; it raised nothing")


if __name__ == "__main__":
    main()
