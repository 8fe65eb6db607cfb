"""Two greenlets work at the same time: both begin before either ends.
两个协程同时工作：都开始之后，才有一个结束。

Still wrong: main() waits for each greenlet before it starts the next.
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
        greenlets.append(gevent.spawn(handle, name))
        gevent.joinall(greenlets)
    gevent.joinall(greenlets)
    print(", ".join(log))


if __name__ == "__main__":
    main()
