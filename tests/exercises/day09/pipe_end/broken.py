"""A child sends numbers and closes its end; the parent adds them up until EOF.
子进程发送一些数，然后关闭自己的一端；父进程累加，直到读到 EOF。

Run:    python day09/practice/pipe_end.py
You see: `sent`, and then nothing; the program hangs (end it with Ctrl-C).
看到：打印 `sent` 之后永远没有动静（用 Ctrl-C 结束）。
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
