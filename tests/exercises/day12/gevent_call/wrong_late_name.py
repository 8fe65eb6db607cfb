"""Two greenlets work at the same time: both begin before either ends.
两个协程同时工作：都开始之后，才有一个结束。

Still wrong: each greenlet looks up `name` when it runs, so both get B.
"""
import gevent

log = []


def handle(name):
    log.append(f"{name} begins")
    # Wait, as a server waits for a client. 等待，像等客户端一样
    gevent.sleep(0.01)
    log.append(f"{name} ends")


def main():
    greenlets = []
    for name in "AB":
        greenlets.append(gevent.spawn(lambda: handle(name)))
    gevent.joinall(greenlets)
    print(", ".join(log))


if __name__ == "__main__":
    main()
