"""The handler counts all children that have ended, and never waits for one that is still running.
信号处理函数要数清所有已结束的子进程，但不等待仍在工作的子进程。
"""
import os
import signal

ended = 0


def on_child(signum, frame):
    global ended
    # SIGCHLD does not queue: one signal may stand for several children.
    # SIGCHLD 不排队：一个信号可能代表几个子进程
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            ended += 1
    except ChildProcessError:
        pass


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
