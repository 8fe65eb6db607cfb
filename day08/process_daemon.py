"""A parent's exit ends its daemons and waits for the others.
父进程退出：守护进程被终止，其他子进程做完。
讲义: multiprocessing 模块创建进程 · 进程对象属性 · p.daemon

Run:    python day08/process_daemon.py

Output:
    parent: I start two children, then I return
    child with daemon=False: my work is done, my parent is alive: True
    end of file: all three have exited, work was finished by 1 of 2 children
    setting daemon after start raises AssertionError
"""
import time
from multiprocessing import Pipe, Process, current_process, parent_process


def main():
    # A Pipe (day 9): the reader gets end of file when the last writer has exited.
    # 管道（第 9 天）：最后一个写端退出后，读端读到文件结尾
    reader, writer = Pipe(duplex=False)
    # The parent is a process of its own, so that we see what happens when it exits.
    parent = Process(target=be_the_parent, args=(writer,))
    parent.start()
    writer.close()

    # Now only the parent and its children can write, so end of file means that all have exited.
    # 读到文件结尾，说明父进程和它的子进程都已退出
    lines = []
    while (line := receive(reader)) is not None:
        print(line)
        lines.append(line)
    done = sum("work is done" in line for line in lines)
    print(f"end of file: all three have exited, work was finished by {done} of 2 children")
    assert done == 1, f"expected 1 child to finish its work; it was {done}"

    try:
        parent.daemon = True
    except AssertionError as error:
        print(f"setting daemon after start raises {type(error).__name__}")
    else:
        raise AssertionError("expected an AssertionError: daemon was set after start")


def be_the_parent(writer):
    writer.send("parent: I start two children, then I return")
    # daemon must be set before start. 守护进程要在 start 之前设置
    daemon = Process(target=work, args=(5, writer), daemon=True)
    other = Process(target=work, args=(1, writer), daemon=False)
    daemon.start()
    other.start()


def work(seconds, writer):
    time.sleep(seconds)
    daemon, alive = current_process().daemon, parent_process().is_alive()
    writer.send(f"child with daemon={daemon}: my work is done, my parent is alive: {alive}")


def receive(reader):
    """The next line; None at end of file."""
    assert reader.poll(10), "expected a line or end of file within 10 s"
    try:
        return reader.recv()
    except EOFError:
        return None


if __name__ == "__main__":
    main()
