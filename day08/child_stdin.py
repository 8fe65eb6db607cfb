"""A child of multiprocessing has no standard input.
multiprocessing 的子进程没有标准输入。
讲义: multiprocessing 模块创建进程 · 进程创建方法 · 注意：子进程中无法使用标准输入

Run:    python day08/child_stdin.py

Output:
    child : input() raises EOFError
    child : sys.stdin reads from the null device: True
    child : descriptor 0 is still the same file as the parent's: True
"""
import os
import sys
from multiprocessing import Process


def ask(parents_input):
    # Several processes at one keyboard would take each other's lines. A child that needs input
    # gets it from its parent, through a pipe or a queue (day 9).
    # 几个进程共用一个键盘会互相抢走输入的行
    try:
        input()
    except EOFError as error:
        print(f"child : input() raises {type(error).__name__}")
    else:
        raise AssertionError("expected EOFError: input() has returned a line")

    is_null = os.path.samestat(os.fstat(sys.stdin.fileno()), os.stat(os.devnull))
    print(f"child : sys.stdin reads from the null device: {is_null}")
    # Only Python's object was replaced. 被替换的只是 Python 对象
    is_same = os.path.samestat(os.fstat(0), parents_input)
    print(f"child : descriptor 0 is still the same file as the parent's: {is_same}")
    assert is_null, "expected sys.stdin to read from the null device"
    assert is_same, "expected descriptor 0 to be the parent's"


def main():
    if sys.stdin is None:
        print("this needs a standard input: run it without <&- · 需要标准输入，请去掉 <&-",
              file=sys.stderr)
        sys.exit(2)
    child = Process(target=ask, args=(os.fstat(0),))
    child.start()
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


if __name__ == "__main__":
    main()
