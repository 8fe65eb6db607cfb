"""A thread's attributes name, is_alive(), ident and daemon, and old methods for name and daemon.
线程对象属性，以及旧写法。
讲义: 线程编程 (Thread) · 线程对象属性

Run:    python day09/thread_attr.py

Output:
    the thread ...  name     is_alive()  ident            native_id
    before start    worker   False       None             None
    is running      renamed  True        <n>              <n>
    after join      renamed  False       <n>              <n>

    setName, getName, setDaemon, isDaemon: DeprecationWarning since 3.10
    write name and daemon instead: name is 'worker', daemon is True
    setting daemon after start raises RuntimeError
    main ends; is a thread with daemon=True still waiting? True
"""
import contextlib
import faulthandler
import warnings
from threading import Event, Thread


def work(running, may_end):
    running.set()
    may_end.wait()


def main():
    # If this demo hangs, this call ends it after 10 s, and prints where each thread waits.
    # (If there is no stderr, dump_traceback_later raises an exception, which we ignore.)
    # 只是防止本演示卡住：10 秒后还没结束，就打印每个线程停在哪一行，然后结束
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)
    print("the thread ...  name     is_alive()  ident            native_id")
    # An Event is a flag: wait() returns after another thread has called set() (day 10).
    # Event 是一个标志：wait() 一直等到别的线程调用 set()（第 10 天）
    running, may_end = Event(), Event()
    thread = Thread(target=work, name="worker", args=(running, may_end))
    show("before start", thread, alive=False)
    thread.start()
    running.wait()
    # name is a label for people. ident is Python's number for the thread, native_id the kernel's.
    # name 只是给人看的；ident 是 Python 的编号，native_id 是内核的
    thread.name = "renamed"
    show("is running", thread, alive=True)
    may_end.set()
    thread.join()
    show("after join", thread, alive=False)
    print()

    old_spellings()
    try:
        thread.daemon = True
    except RuntimeError as error:
        print(f"setting daemon after start raises {type(error).__name__}")
    else:
        raise AssertionError("expected a RuntimeError; daemon could be set after start")
    # This thread waits for ever, but it is a daemon thread, so the interpreter exits anyway.
    # 这个线程永远等待；它是守护线程，所以解释器照样退出
    last = Thread(target=Event().wait, daemon=True)
    last.start()
    print(f"main ends; is a thread with daemon={last.daemon} still waiting? {last.is_alive()}")
    assert last.is_alive(), "expected the last thread to be waiting; it ended"


def show(when, thread, alive):
    """Print one line of the table, and check is_alive()."""
    found = thread.is_alive()
    ident, native_id = str(thread.ident), thread.native_id
    print(f"{when:14}  {thread.name:7}  {str(found):10}  {ident:15}  {native_id}")
    assert found == alive, f"{when}: expected is_alive() {alive}; it is {found}"


def old_spellings():
    # Collect the warnings in `caught`, instead of printing them. 收集警告，而不是打印
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = Thread()           # a second thread, never started 另一个线程，没有启动
        thread.setName("worker")
        thread.getName()
        thread.setDaemon(True)
        thread.isDaemon()
    kinds = {warning.category.__name__ for warning in caught}
    print(f"setName, getName, setDaemon, isDaemon: {', '.join(kinds)} since 3.10")
    print(f"write name and daemon instead: name is {thread.name!r}, daemon is {thread.daemon}")
    assert len(caught) == 4, f"expected 4 warnings; there were {len(caught)}"


if __name__ == "__main__":
    main()
