"""A child sends a long string; the parent prints the string's length and the child's exit code.
子进程发送一段长文本；父进程打印长度和子进程的退出码。

Run:    python day09/practice/join_first.py
You see: nothing; the program hangs (end it with Ctrl-C). With SIZE = 1000 it works.
看到：永远什么也没有（用 Ctrl-C 结束）。SIZE = 1000 时能工作。
"""
from multiprocessing import Process, Queue

SIZE = 1_000_000


def work(queue):
    queue.put("x" * SIZE)


def main():
    queue = Queue()
    child = Process(target=work, args=(queue,))
    child.start()
    child.join()
    text = queue.get()
    print(f"{len(text)} characters, exit code {child.exitcode}")


if __name__ == "__main__":
    main()
