"""After gevent's monkey patch, two greenlets sleep in time.sleep at the same time.
打上 gevent 的猴子补丁后，两个协程用 time 的 sleep 同时等待。

Still wrong: sleep was imported before the patch.
"""
from time import sleep

import gevent
from gevent import monkey

log = []


def handle(name):
    log.append(f"{name} begins")
    sleep(0.01)
    log.append(f"{name} ends")


def main():
    monkey.patch_all()
    gevent.joinall([gevent.spawn(handle, name) for name in "AB"])
    print(", ".join(log))


if __name__ == "__main__":
    main()
