"""A standard signal from kill tells that something happened, not what, or how often.
kill 发的标准信号只通知有事发生，不带内容，也不计数。
讲义: 进程间通信 (IPC) · 常用进程间通信方法 · 信号

Run:    python day09/signal_ipc.py

Output:
    child : I block SIGUSR1 and SIGUSR2
    parent: sent SIGUSR1 five times and SIGUSR2 once
    child : I unblock them; handler calls for SIGUSR1: 1, for SIGUSR2: 1
    child : all that the handler received: ['SIGUSR1', 'SIGUSR2']
"""
import os
import signal
import sys
from multiprocessing import Pipe, Process

received = []


def main():
    if not hasattr(signal, "pthread_sigmask"):
        print("this needs Unix signals: use Linux, macOS or WSL · "
              "需要 Unix 信号，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    ours, theirs = Pipe()
    child = Process(target=receive, args=(theirs,))
    child.start()
    assert ours.poll(10), "expected the child to be ready within 10 s; it was not"
    for _ in range(5):
        os.kill(child.pid, signal.SIGUSR1)
    os.kill(child.pid, signal.SIGUSR2)
    print("parent: sent SIGUSR1 five times and SIGUSR2 once", flush=True)
    ours.send("signals sent")
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


def on_signal(signum, frame):
    received.append(signum)


def receive(end):
    both = (signal.SIGUSR1, signal.SIGUSR2)
    for signum in both:
        signal.signal(signum, on_signal)
    # A blocked signal stays pending in the kernel, which keeps one bit for each
    # standard signal. (It queues real-time signals.)
    # 被阻塞的信号在内核里等待；内核为每个标准信号只记一个二进制位（实时信号才排队）
    signal.pthread_sigmask(signal.SIG_BLOCK, both)
    print("child : I block SIGUSR1 and SIGUSR2", flush=True)
    end.send("ready")
    assert end.poll(10), "expected the signals within 10 s; they did not come"
    signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
    first, second = (received.count(signum) for signum in both)
    print(f"child : I unblock them; handler calls for SIGUSR1: {first}, for SIGUSR2: {second}")
    names = sorted(signal.Signals(signum).name for signum in received)
    print(f"child : all that the handler received: {names}")
    assert (first, second) == (1, 1), f"expected 1 call for each; got {first} and {second}"


if __name__ == "__main__":
    main()
