"""A child sends numbers and closes its end; the parent adds them up until EOF.
子进程发送一些数，然后关闭自己的一端；父进程累加，直到读到 EOF。

Still wrong: the child cannot inherit an end that is already closed.
"""
import random
from multiprocessing import Pipe, Process


def send(writer):
    numbers = [random.randrange(100) for _ in range(random.randrange(5, 50))]
    for number in numbers:
        writer.send(number)
    print("sent:", sum(numbers), flush=True)
    writer.close()


def main():
    reader, writer = Pipe(duplex=False)
    child = Process(target=send, args=(writer,))
    writer.close()
    child.start()
    total = 0
    try:
        while True:
            total += reader.recv()
    except EOFError:
        print("received:", total)
    child.join()


if __name__ == "__main__":
    main()
