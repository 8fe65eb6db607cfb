"""Run a script, but kill its main process as soon as it holds a lock of multiprocessing: killed_with_lock.py SCRIPT"""
import multiprocessing.synchronize
import os
import runpy
import signal
import sys

MAIN = os.getpid()


def enter(semlock):
    held = semlock._semlock.__enter__()
    if os.getpid() == MAIN and multiprocessing.active_children():
        os.kill(MAIN, signal.SIGKILL)
    return held


if __name__ == "__main__":
    script = sys.argv[1]
    multiprocessing.synchronize.SemLock.__enter__ = enter
    sys.argv = [script]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    runpy.run_path(script, run_name="__main__")
