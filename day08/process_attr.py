"""How name, pid, is_alive() and exitcode change during a process's life.
进程对象属性：启动前、运行中、结束后。
讲义: multiprocessing 模块创建进程 · 进程对象属性

Run:    python day08/process_attr.py

Output:
    the child ...        name    pid    is_alive()  exitcode
    before start         worker  None   False       None
    is running           worker  <pid>  True        None
    has returned         worker  <pid>  False       0
    called sys.exit(1)   worker  <pid>  False       1
    was terminated       worker  <pid>  False       -15
"""
import sys
import time
from multiprocessing import Pipe, Process


def main():
    print("the child ...        name    pid    is_alive()  exitcode")
    # poll(10) waits until something is in the pipe, but at most 10 s (day 09).
    # poll(10) 等到管道里有数据，最多等 10 秒（第 9 天）
    reader, writer = Pipe(duplex=False)
    child = Process(target=reader.poll, name="worker", args=(10,))
    show("before start", child, alive=False, exitcode=None)
    assert child.pid is None, f"expected no PID before start; it is {child.pid}"

    child.start()
    show("is running", child, alive=True, exitcode=None)

    writer.send("you may end")
    child.join()
    show("has returned", child, alive=False, exitcode=0)

    # After an uncaught exception, the exit code is 1, too. 未捕获的异常，退出码也是 1
    child = Process(target=sys.exit, name="worker", args=(1,))
    child.start()
    child.join()
    show("called sys.exit(1)", child, alive=False, exitcode=1)

    child = Process(target=time.sleep, name="worker", args=(10,))
    child.start()
    # terminate() sends SIGTERM, signal 15. If a signal ends a process, the exit code is the number
    # of the signal with a minus sign. terminate() 发送 15 号信号 SIGTERM；负数是信号编号的相反数
    child.terminate()
    child.join()
    show("was terminated", child, alive=False, exitcode=-15)


def show(when, child, alive, exitcode):
    """Print one line of the table, and check its last two columns."""
    is_alive, code = child.is_alive(), child.exitcode
    print(f"{when:19}  {child.name:6}  {str(child.pid):5}  {str(is_alive):10}  {code}")
    assert is_alive == alive, f"{when}: expected is_alive() to be {alive}; it is {is_alive}"
    assert code == exitcode, f"{when}: expected exit code {exitcode}; it is {code}"


if __name__ == "__main__":
    main()
