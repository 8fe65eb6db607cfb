"""An exception in a thread ends that thread alone.
线程里的异常只结束这个线程。
讲义: 线程编程 (Thread) · 线程基本概念 · 线程特征

Run:    python day09/thread_error.py

Output:
    main goes on: join has returned, is_alive() is False
    the error that ended thread 'worker': ValueError
"""
import threading
from threading import Thread


def work():
    # Unlike a crash of the interpreter, such as a segmentation fault, which ends the whole process.
    # 解释器崩溃（如段错误）则不同：整个进程都会结束
    raise ValueError("a mistake in the thread")


def main():
    # Called with an exception that has ended a thread. By default it prints a traceback on stderr.
    # 线程因异常结束时调用；默认把 traceback 打印到 stderr
    errors = []
    threading.excepthook = errors.append
    thread = Thread(target=work, name="worker")
    thread.start()
    thread.join()
    print(f"main goes on: join has returned, is_alive() is {thread.is_alive()}")
    for error in errors:
        print(f"the error that ended thread {error.thread.name!r}: {error.exc_type.__name__}")
    assert not thread.is_alive(), "expected the thread to have ended; it is alive"
    assert len(errors) == 1, f"expected one error; there were {len(errors)}"


if __name__ == "__main__":
    main()
