"""A parent that exits normally terminates its daemons and joins its other children.
父进程正常退出时终止守护进程，等待其他子进程。
讲义: multiprocessing 模块创建进程 · 进程对象属性 · p.daemon

Run:    python day08/process_daemon.py

Output:
    parent: I start two children, then I return
    child with daemon=False: my work is done; is my parent alive? True
    end of file: all three have exited; children that finished their work: 1 of 2
    setting daemon after start raises AssertionError
"""
import time
from multiprocessing import Pipe, Process, current_process, parent_process


def main():
    # This process starts `parent`, which starts two children: `daemon` (5 s) and `other` (1 s).
    # 本进程启动 parent，parent 再启动两个子进程：daemon（5 秒）和 other（1 秒）
    # These three can report to this process through a Pipe (day 9). The reader reaches end of file
    # when the last process that can write has exited.
    # 这三个进程可以通过管道（第 9 天）报告；最后一个能写的进程退出后，读端读到文件结尾
    reader, writer = Pipe(duplex=False)
    # The "parent" in this demo is a child of this process, so that this process can watch what
    # happens when the parent exits.
    # 父进程不是本进程，而是它的子进程，这样才能看到父进程退出时发生什么
    parent = Process(target=be_the_parent, args=(writer,))
    parent.start()
    writer.close()

    # Now only the parent and its children can write, so end of file means that all have exited.
    # 现在只有父进程和它的子进程能写，读到文件结尾，说明它们都已退出
    done = 0
    line = receive(reader)
    while line is not None:
        print(line)
        if "work is done" in line:
            done += 1
        line = receive(reader)
    print(f"end of file: all three have exited; children that finished their work: {done} of 2")
    assert done == 1, f"expected 1 child to finish its work; {done} did"

    try:
        parent.daemon = True
    except AssertionError as error:
        print(f"setting daemon after start raises {type(error).__name__}")
    else:
        raise AssertionError("expected an AssertionError; daemon could be set after start")


def be_the_parent(writer):
    writer.send("parent: I start two children, then I return")
    # Set daemon before start. 要在 start 之前设置
    daemon = Process(target=work, args=(5, writer), daemon=True)
    other = Process(target=work, args=(1, writer), daemon=False)
    daemon.start()
    other.start()
    # This function returns, so the parent exits: it terminates `daemon` in the middle of its 5 s,
    # then waits for `other`. 函数返回，父进程退出：先终止 daemon（5 秒还没睡完），再等 other


def work(seconds, writer):
    time.sleep(seconds)
    daemon, alive = current_process().daemon, parent_process().is_alive()
    writer.send(f"child with daemon={daemon}: my work is done; is my parent alive? {alive}")


def receive(reader):
    """Return the next line, or None at end of file."""
    assert reader.poll(10), "expected a line or end of file within 10 s; nothing came"
    try:
        return reader.recv()
    except EOFError:
        return None


if __name__ == "__main__":
    main()
