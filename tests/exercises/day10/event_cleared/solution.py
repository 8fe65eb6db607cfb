"""hear() gets the message, whether announce() runs first or last.
无论 announce() 先执行还是后执行，hear() 都要得到消息。
"""
import threading


def announce(text):
    global message
    message = text
    # The event remains set, so later threads need not wait. 保持设置状态：后来的线程不必等待
    ready.set()


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
