"""In a child of multiprocessing, input() meets end of file at once.
在 multiprocessing 的子进程里，input() 立刻遇到文件结尾。
讲义: multiprocessing 模块创建进程 · 进程创建方法 · 注意：子进程中无法使用标准输入

Run:    python day08/child_stdin.py

Output:
    child : input() raises EOFError
    child : sys.stdin reads from the null device: True
    child : descriptor 0 is still the parent's: os.read gets b'a line\\n'
"""
import os
import sys
from multiprocessing import Process


def ask():
    # Several processes at one keyboard would take each other's lines. A child that needs input
    # gets it from its parent, through a pipe or a queue (day 9).
    # 几个进程同时读键盘，会互相抢输入
    try:
        input()
    except EOFError as error:
        print(f"child : input() raises {type(error).__name__}")
    else:
        raise AssertionError("expected EOFError: input() has returned a line")

    # fstat says which file a descriptor is.
    is_null = os.path.samestat(os.fstat(sys.stdin.fileno()), os.stat(os.devnull))
    print(f"child : sys.stdin reads from the null device: {is_null}")
    # Only Python's object was replaced. 被替换的只是 Python 对象
    data = os.read(0, 100)
    print(f"child : descriptor 0 is still the parent's: os.read gets {data}")
    assert is_null, "expected sys.stdin to read from the null device"
    assert data == b"a line\n", f"expected the line that the parent has written; got {data}"


def main():
    if sys.stdin is None:
        print("this needs a standard input: run it without <&- · 需要标准输入，请去掉 <&-",
              file=sys.stderr)
        sys.exit(2)
    # In place of the keyboard: a pipe with a line in it becomes descriptor 0, the standard input.
    # 用一个已有一行文字的管道代替键盘，作为标准输入
    reader, writer = os.pipe()
    os.write(writer, b"a line\n")
    os.dup2(reader, 0)
    child = Process(target=ask)
    child.start()
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


if __name__ == "__main__":
    main()
