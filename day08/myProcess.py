"""A Process class of one's own: its attributes, its run(), and what start() does that run() does not.
multiprocessing 模块创建进程 · 自定义进程类

Run:    python day08/myProcess.py

Output:
    main is <pid>
    start(): run() in <pid> multiplies 6 by 7
    start(): back in main, result is None, for the child has set it in its own copy
    run()  : run() in <pid> multiplies 6 by 7
    run()  : back in main, result is 42, no process was made
    without super().__init__(), start raises AttributeError
"""
import os
from multiprocessing import Process


class Multiplier(Process):
    """Multiplies two numbers, in a child if it is started."""

    def __init__(self, label, a, b):
        super().__init__()                         # makes a process of it, so it comes first
        self.label = label
        self.a = a
        self.b = b
        self.result = None

    def run(self):                                 # what the child does, in place of a target
        print(f"{self.label}: run() in {os.getpid()} multiplies {self.a} by {self.b}", flush=True)
        self.result = self.a * self.b


class Forgetful(Process):
    def __init__(self):
        pass


def main():
    print(f"main is {os.getpid()}", flush=True)
    started = Multiplier("start()", 6, 7)
    started.start()
    started.join()
    print(f"start(): back in main, result is {started.result}, for the child has set it in its own copy")
    assert started.exitcode == 0 and started.result is None

    called = Multiplier("run()  ", 6, 7)
    called.run()
    print(f"run()  : back in main, result is {called.result}, no process was made")
    assert called.pid is None and called.result == 42

    try:
        Forgetful().start()
    except AttributeError as error:
        print(f"without super().__init__(), start raises {type(error).__name__}")
    else:
        raise AssertionError("it could be started")


if __name__ == "__main__":
    main()
