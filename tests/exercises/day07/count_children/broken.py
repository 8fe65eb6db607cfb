"""The handler counts all children that have ended, and never waits for one that is still running.
信号处理函数要数清所有已结束的子进程，但不等待仍在工作的子进程。

Run:    python day07/practice/count_children.py
You see: `1 of 5 children have ended`, because the handler ran only once for all five.
看到：`1 of 5 children have ended`：五个都结束了，但处理函数只执行了一次。
"""
import os
import signal

ended = 0


def on_child(signum, frame):
    global ended
    os.wait()
    ended += 1


def main():
    signal.signal(signal.SIGCHLD, on_child)
    # The parent is busy while its children end. 父进程正忙的时候，子进程结束了
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    reader, writer = os.pipe()
    children = [start(number, reader, writer) for number in range(6)]
    for pid in children[1:]:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    print(f"{ended} of 5 children have ended", flush=True)
    os.close(writer)


def start(number, reader, writer):
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        # Child 0 works until the parent closes the pipe. 0 号一直工作到父进程关闭管道
        os._exit(0 if number else len(os.read(reader, 1)))
    return pid


if __name__ == "__main__":
    main()
