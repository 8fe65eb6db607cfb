"""Your own Process class, and what start() and run() do.
自定义进程类：start() 和 run() 的区别。
讲义: multiprocessing 模块创建进程 · 自定义进程类

Run:    python day08/myProcess.py

Output:
    main is <pid>
    start(): run() in <pid> multiplies 6 by 7
    start(): back in main, result is None
    run()  : run() in <pid> multiplies 6 by 7
    run()  : back in main, result is 42, pid is None
    without super().__init__(), start raises AttributeError
"""
import os
from multiprocessing import Process


class Multiplier(Process):
    """Multiplies two numbers: start() does it in a child process, run() in the calling process."""

    def __init__(self, label, a, b):
        # Always call this first: it sets up what start() needs. 必须先调用父类的 __init__
        super().__init__()
        self.label = label
        self.a = a
        self.b = b
        self.result = None

    def run(self):
        """Do the child's work. A class with its own run() needs no target. 子进程执行的内容"""
        print(f"{self.label}: run() in {os.getpid()} multiplies {self.a} by {self.b}")
        self.result = self.a * self.b


class Forgetful(Process):
    def __init__(self):
        pass


def main():
    print(f"main is {os.getpid()}")
    started = Multiplier("start()", 6, 7)
    started.start()
    started.join()
    # The child set the result in its own copy of this object. 子进程设置的是它自己的副本
    print(f"start(): back in main, result is {started.result}")
    assert started.exitcode == 0, f"expected exit code 0; it is {started.exitcode}"
    assert started.result is None, f"expected None in the parent; result is {started.result}"

    called = Multiplier("run()  ", 6, 7)
    called.run()
    print(f"run()  : back in main, result is {called.result}, pid is {called.pid}")
    assert called.result == 42, f"expected 42; result is {called.result}"
    assert called.pid is None, f"expected no new process; there is one, {called.pid}"

    try:
        Forgetful().start()
    except AttributeError as error:
        print(f"without super().__init__(), start raises {type(error).__name__}")
    else:
        raise AssertionError("expected start() to raise AttributeError; it raised nothing")


if __name__ == "__main__":
    main()
