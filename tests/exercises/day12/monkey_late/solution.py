"""After gevent's monkey patch, two greenlets sleep in time.sleep at the same time.
打上 gevent 的猴子补丁后，两个协程用 time 的 sleep 同时等待。
"""
# Patch first: names imported before the patch still refer to the old functions.
# 最先打补丁：之前导入的名字仍是旧函数
from gevent import monkey

monkey.patch_all()

from time import sleep

import gevent

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
