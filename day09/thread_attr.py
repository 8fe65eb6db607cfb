"""What a Thread object tells and sets: name, is_alive, ident, native_id, daemon; and the old spelling of some of it.
线程编程 (Thread) · 线程对象属性

Run:    python day09/thread_attr.py

Output:
    before start  name worker   is_alive False  ident None  native_id None
    is running    name renamed  is_alive True   ident <n>  native_id <n>
    after join    name renamed  is_alive False  ident <n>  native_id <n>

    getName -> name, setName -> name, isDaemon -> daemon, setDaemon -> daemon: DeprecationWarning since 3.10
    daemon after start: RuntimeError
    a daemon thread that waits for ever is no reason for the interpreter not to end
"""
import warnings
from threading import Event, Thread


def work(running, may_end):
    running.set()
    may_end.wait(10)                               # seconds, not for ever: a Ctrl-C ends main alone, which waits for us


def main():
    running, may_end = Event(), Event()
    thread = Thread(target=work, name="worker", args=(running, may_end))
    show("before start", thread)
    assert (thread.is_alive(), thread.ident) == (False, None)
    thread.start()
    running.wait()
    thread.name = "renamed"                        # a label for people; ident is Python's number, native_id the kernel's
    show("is running", thread)
    assert thread.is_alive() and thread.ident and thread.native_id
    may_end.set()
    thread.join()
    show("after join", thread)
    assert not thread.is_alive()
    print()

    old_spelling(thread)
    try:
        thread.daemon = True
    except RuntimeError as error:
        print(f"daemon after start: {type(error).__name__}")
    else:
        raise AssertionError("daemon could be set after start")
    Thread(target=Event().wait, daemon=True).start()       # not daemon, it would keep the program from ending
    print("a daemon thread that waits for ever is no reason for the interpreter not to end")


def show(when, thread):
    print(f"{when:12}  name {thread.name:7}  is_alive {str(thread.is_alive()):5}  "
          f"ident {thread.ident}  native_id {thread.native_id}")


def old_spelling(thread):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread.setName(thread.getName())
        fresh = Thread(target=print)
        fresh.setDaemon(not fresh.isDaemon())
    assert fresh.daemon
    kinds = {warning.category.__name__ for warning in caught}
    print(f"getName -> name, setName -> name, isDaemon -> daemon, setDaemon -> daemon: {', '.join(kinds)} since 3.10")
    assert len(caught) == 4 and kinds == {"DeprecationWarning"}


if __name__ == "__main__":
    main()
