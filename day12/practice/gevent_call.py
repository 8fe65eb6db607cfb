"""Two greenlets work at the same time: both begin before either ends.
两个协程同时工作：都开始之后，才有一个结束。

Run:    python day12/practice/gevent_call.py
You see: A ends before B begins, and no error.
看到：A 结束之后 B 才开始，也没有报错。
"""
import gevent

log = []


def handle(name):
    log.append(f"{name} begins")
    # Wait, as a server waits for a client. 等待，像等客户端一样
    gevent.sleep(0.01)
    log.append(f"{name} ends")


def main():
    greenlets = [gevent.spawn(handle(name)) for name in "AB"]
    gevent.joinall(greenlets)
    print(", ".join(log))


if __name__ == "__main__":
    main()
