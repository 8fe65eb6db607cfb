"""Three children compute squares; the parent prints all three.
三个子进程计算平方，父进程打印三个结果。

Still wrong: `global` refers to a variable of the current process only.
"""
import os
from multiprocessing import Process

results = []


def square(number):
    global results
    results.append((number ** 2, os.getpid()))


def main():
    children = [Process(target=square, args=(number,)) for number in (2, 3, 4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print("squares:", sorted(square for square, pid in results))
    print("not by the parent:", os.getpid() not in [pid for square, pid in results])


if __name__ == "__main__":
    main()
