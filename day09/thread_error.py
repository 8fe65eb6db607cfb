"""An uncaught exception in a thread ends only that thread.
线程里未捕获的异常只结束这个线程。
讲义: 线程编程 (Thread) · 线程基本概念 · 线程特征

Run:    python day09/thread_error.py

Output:
    main goes on: join has returned, is_alive() is False
    the error that ended thread 'worker': ValueError
"""
import threading
from threading import Thread


def work():
    # (A crash of the interpreter is different: a segmentation fault ends the process, with all its
    # threads. 解释器崩溃（如段错误）则不同：整个进程和所有线程都会结束)
    raise ValueError("a mistake in the thread")


def main():
    # When an exception ends a thread, Python calls threading.excepthook. The default hook prints a
    # traceback on stderr; our hook stores the error.
    # 线程因异常结束时，Python 调用 excepthook；默认把 traceback 打印到 stderr，这里改为存下来
    errors = []
    threading.excepthook = errors.append
    thread = Thread(target=work, name="worker")
    thread.start()
    thread.join()
    print(f"main goes on: join has returned, is_alive() is {thread.is_alive()}")
    for error in errors:
        print(f"the error that ended thread {error.thread.name!r}: {error.exc_type.__name__}")
    assert not thread.is_alive(), "expected the thread to have ended; is_alive() is True"
    assert len(errors) == 1, f"expected 1 error; there were {len(errors)}"


if __name__ == "__main__":
    main()
