"""name, pid, is_alive and exitcode: before, during and after.
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
from multiprocessing import Event, Process


def main():
    print("the child ...        name    pid    is_alive()  exitcode")
    # An Event: one process waits until another one calls set (day 10). 一个进程等待，另一个调用 set
    may_end = Event()
    child = Process(target=may_end.wait, name="worker", args=(10,))
    show("before start", child, alive=False, exitcode=None)
    assert child.pid is None, f"expected no PID before start; it is {child.pid}"

    child.start()
    show("is running", child, alive=True, exitcode=None)

    may_end.set()
    child.join()
    show("has returned", child, alive=False, exitcode=0)

    # An uncaught exception gives 1 as well, with a traceback. 未捕获的异常也得到 1
    child = Process(target=sys.exit, name="worker", args=(1,))
    child.start()
    child.join()
    show("called sys.exit(1)", child, alive=False, exitcode=1)

    child = Process(target=time.sleep, name="worker", args=(10,))
    child.start()
    # terminate sends SIGTERM. A negative exit code is minus the signal. 负数是信号编号的相反数
    child.terminate()
    child.join()
    show("was terminated", child, alive=False, exitcode=-15)


def show(when, child, alive, exitcode):
    found = child.is_alive(), child.exitcode
    print(f"{when:19}  {child.name:6}  {str(child.pid):5}  {str(found[0]):10}  {found[1]}")
    expected = alive, exitcode
    assert found == expected, f"{when}: expected is_alive, exitcode {expected}; they are {found}"


if __name__ == "__main__":
    main()
