"""hear() gets the message, whether announce() runs first or last.
无论 announce() 先执行还是后执行，hear() 都要得到消息。

Run:    python day10/practice/event_cleared.py
        python day10/interleavings.py day10/practice/event_cleared.py
You see: after three seconds, `heard: []`, because the event was cleared before hear() waited.
看到：三秒之后是 `heard: []`：hear() 等待之前，事件已被清除。
"""
import threading


def announce(text):
    global message
    message = text
    ready.set()
    ready.clear()


def hear():
    ready.wait()
    heard.append(message)


def setup():
    global message, heard, ready
    message, heard, ready = None, [], threading.Event()


def a():
    hear()


def b():
    announce("tea is ready")


def check():
    return heard == ["tea is ready"]


if __name__ == "__main__":
    setup()
    threads = [threading.Thread(target=target, daemon=True) for target in (b, a)]
    for thread in threads:
        thread.start()
        thread.join(3)
    print("heard:", heard)
