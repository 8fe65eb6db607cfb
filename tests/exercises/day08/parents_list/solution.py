"""Three children compute squares; the parent prints all three.
三个子进程计算平方，父进程打印三个结果。
"""
import os
from multiprocessing import Process, Queue


def square(number, queue):
    queue.put((number ** 2, os.getpid()))


def main():
    queue = Queue()
    children = [Process(target=square, args=(number, queue)) for number in (2, 3, 4)]
    for child in children:
        child.start()
    # Get first, then join: a child may end only after its result is read. 先 get，后 join
    results = [queue.get() for _ in children]
    for child in children:
        child.join()
    print("squares:", sorted(square for square, pid in results))
    print("not by the parent:", os.getpid() not in [pid for square, pid in results])


if __name__ == "__main__":
    main()
