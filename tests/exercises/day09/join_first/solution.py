"""A child sends a long string; the parent prints the string's length and the child's exit code.
子进程发送一段长文本；父进程打印长度和子进程的退出码。
"""
from multiprocessing import Process, Queue

SIZE = 1_000_000


def work(queue):
    queue.put("x" * SIZE)


def main():
    queue = Queue()
    child = Process(target=work, args=(queue,))
    child.start()
    # The data does not fit into the pipe, so the child cannot end before we read.
    # 管道装不下这些数据：我们不读，子进程就不能结束
    text = queue.get()
    child.join()
    print(f"{len(text)} characters, exit code {child.exitcode}")


if __name__ == "__main__":
    main()
