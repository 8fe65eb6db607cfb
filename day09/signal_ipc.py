"""A signal is a message without content: it says that something happened, not what, and not how often.
进程间通信 (IPC) · 常用进程间通信方法 · 信号

Run:    python day09/signal_ipc.py

Output:
    child : ready, SIGUSR1 and SIGUSR2 are held back
    parent: sent SIGUSR1 five times, and SIGUSR2 once
    child : let them in: the handler ran for SIGUSR1 1 time, for SIGUSR2 1 time
    child : all that it was told is the number of the signal
"""
import os
import signal
from multiprocessing import Event, Process

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died


def main():
    signal.alarm(3 * PATIENCE)                     # if a child dies, we may wait for it for ever
    ready, sent = Event(), Event()
    child = Process(target=receive, args=(ready, sent))
    child.start()
    ready.wait()
    for _ in range(5):
        os.kill(child.pid, signal.SIGUSR1)
    os.kill(child.pid, signal.SIGUSR2)
    print("parent: sent SIGUSR1 five times, and SIGUSR2 once", flush=True)
    sent.set()
    child.join()
    assert child.exitcode == 0


def receive(ready, sent):
    signal.alarm(PATIENCE)
    received = []
    for signum in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(signum, lambda signum, frame: received.append(signum))
    # Held back, the signals wait in the kernel, which keeps one bit for each number: pending or not.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
    print("child : ready, SIGUSR1 and SIGUSR2 are held back", flush=True)
    ready.set()
    sent.wait()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1, signal.SIGUSR2])
    first, second = received.count(signal.SIGUSR1), received.count(signal.SIGUSR2)
    print(f"child : let them in: the handler ran for SIGUSR1 {first} time, for SIGUSR2 {second} time")
    print("child : all that it was told is the number of the signal")
    assert (first, second) == (1, 1)


if __name__ == "__main__":
    main()
