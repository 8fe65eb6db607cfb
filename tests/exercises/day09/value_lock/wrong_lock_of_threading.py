"""Processes add to one counter: no addition is lost, under any start method.
几个进程往同一个计数器上加：用哪种启动方式都不能丢失任何一次。

Still wrong: a lock of threading keeps out only threads of the same process.
"""
import threading
from multiprocessing import Process, Value

lock = threading.Lock()


def add(counter):
    with lock:
        counter.value += 1


def add_often(counter):
    for _ in range(1_000_000):
        add(counter)


# The judge calls these functions: a and b each add once. 裁判用：两个进程各加一次
def setup():
    global counter
    counter = Value("i", 0)


def a():
    add(counter)


def b():
    add(counter)


def check():
    return counter.value == 2


if __name__ == "__main__":
    setup()
    children = [Process(target=add_often, args=(counter,)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print(counter.value, "of 2000000")
