"""In a multiprocessing child, input() raises EOFError.
multiprocessing 的子进程里，input() 抛出 EOFError。
讲义: multiprocessing 模块创建进程 · 进程创建方法 · 注意：子进程中无法使用标准输入

Run:    python day08/child_stdin.py

Output:
    child : input() raises EOFError
    child : sys.stdin reads from the null device: True
    child : descriptor 0 is still the parent's input: os.read gets b'a line\\n'
"""
import os
import sys
from multiprocessing import Process


def ask():
    # Several processes that read one keyboard would take lines from each other. A child that needs
    # input should get it from its parent, through a pipe or a queue (day 9).
    # 几个进程同时读键盘，会互相抢输入；子进程需要的输入应由父进程通过管道或队列传来
    try:
        input()
    except EOFError as error:
        print(f"child : input() raises {type(error).__name__}")
    else:
        raise AssertionError("expected input() to raise EOFError; it returned a line")

    # os.fstat and os.stat describe files; samestat is True if both describe the same file.
    is_null = os.path.samestat(os.fstat(sys.stdin.fileno()), os.stat(os.devnull))
    print(f"child : sys.stdin reads from the null device: {is_null}")
    # multiprocessing replaced only the Python object sys.stdin. Descriptor 0, the standard input as
    # the kernel knows it, is unchanged.
    # 被替换的只是 Python 对象 sys.stdin；内核的标准输入，即描述符 0，没有变
    data = os.read(0, 100)
    print(f"child : descriptor 0 is still the parent's input: os.read gets {data}")
    assert is_null, "expected sys.stdin to read from the null device; it reads from another file"
    assert data == b"a line\n", f"expected the parent's line, b'a line\\n'; got {data}"


def replace_the_keyboard():
    """Replace the standard input of this process with a pipe that contains one line."""
    reader, writer = os.pipe()
    os.write(writer, b"a line\n")
    # Descriptor 0 is the standard input. Until now, it usually referred to the keyboard. From here
    # on, it refers to the reading end of the pipe, in this process and in those that it creates.
    # 描述符 0 是标准输入：原来通常指向键盘，现在指向管道的读端；本进程之后创建的进程也是如此
    os.dup2(reader, 0)


def main():
    if sys.stdin is None:
        print("this needs a standard input: run it without <&- · 需要标准输入，请去掉 <&-",
              file=sys.stderr)
        sys.exit(2)
    replace_the_keyboard()
    child = Process(target=ask)
    child.start()
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


if __name__ == "__main__":
    main()
