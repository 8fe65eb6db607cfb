"""After gevent's monkey patch, two greenlets sleep in time.sleep at the same time.
打上 gevent 的猴子补丁后，两个协程用 time 的 sleep 同时等待。

Run:    python day12/practice/monkey_late.py
You see: A ends before B begins, because this sleep is not gevent's.
看到：A 结束之后 B 才开始：这个 sleep 不是 gevent 的。
"""
from time import sleep

import gevent
from gevent import monkey

monkey.patch_all()
log = []


def handle(name):
    log.append(f"{name} begins")
    sleep(0.01)
    log.append(f"{name} ends")


def main():
    gevent.joinall([gevent.spawn(handle, name) for name in "AB"])
    print(", ".join(log))


if __name__ == "__main__":
    main()
