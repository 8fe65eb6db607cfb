"""Your own Thread class: three threads compute, and main prints their results.
自定义线程类：三个线程计算，主线程打印结果。

Still wrong: main() calls run() directly, so run() runs in the main thread.
"""
import threading


class Worker(threading.Thread):
    def __init__(self, number):
        self.number = number

    def run(self):
        self.result = self.number ** 2
        self.ran_in = threading.get_ident()


def main():
    workers = [Worker(number) for number in (2, 3, 4)]
    for worker in workers:
        worker.run()
    print("results:", [worker.result for worker in workers])
    print("in other threads:", all(worker.ran_in != threading.get_ident() for worker in workers))


if __name__ == "__main__":
    main()
