"""An Array in shared memory, used by index, in a loop and as bytes.
共享内存 Array：下标、遍历、字节串。
讲义: 进程间通信 (IPC) · 共享内存 · Array

Run:    python day09/array.py

Output:
    Array('i', 3) starts as [0, 0, 0]
    child : sees [10, 20, 30], writes 99 at index 1
    parent: sees [10, 99, 30]
    Array('c', b'hello') has a value: b'hello'
    child : sees b'hello', writes b'J' at index 0
    parent: sees b'Jello'
    value ends at the first zero byte: b'Je'; raw does not: b'Je\\x00lo'
    Array('i', ...).value raises AttributeError
"""
import os
import sys

if __name__ == "array":
    # Skip this block at first reading: the important import is in the else. 初读可跳过，看 else
    # The notes named this file array.py. There is a standard module of that name, and
    # multiprocessing imports it. But Python searches the script's folder first, so the import in
    # multiprocessing can find this file. Then this block loads the standard module instead.
    # The lesson: never name a file after a standard module. 不要用标准库模块的名字给文件命名
    here = os.path.dirname(os.path.abspath(__file__))
    all_folders = sys.path
    # Search everywhere except in this folder. 查找时跳过本文件所在的文件夹
    sys.path = [folder for folder in all_folders if os.path.abspath(folder) != here]
    # sys.modules already lists this file as "array". Remove the entry; otherwise, the import would
    # return this file again, without a search.
    # 先让 Python 忘掉本文件，否则 import 不会重新查找
    del sys.modules["array"]
    import array
    sys.path = all_folders
else:
    from multiprocessing import Array, Process


def main():
    # If the second argument is an int, it is the length; all elements are 0. 整数表示个数，初值为 0
    numbers = Array("i", 3)
    print(f"Array('i', 3) starts as {numbers[:]}")
    for i in range(3):
        numbers[i] = 10 * (i + 1)
    run(change_a_number, numbers)
    print(f"parent: sees {[n for n in numbers]}")
    assert numbers[:] == [10, 99, 30], f"expected [10, 99, 30]; it is {numbers[:]}"

    # Otherwise, the second argument is a sequence of initial values, one for each element.
    # 第二个参数不是整数时，是表示初始内容的序列
    text = Array("c", b"hello")
    print(f"Array('c', b'hello') has a value: {text.value}")
    run(change_a_letter, text)
    print(f"parent: sees {text.value}")
    assert text.value == b"Jello", f"expected b'Jello'; it is {text.value}"

    text[2] = 0
    print(f"value ends at the first zero byte: {text.value}; raw does not: {text.raw}")
    assert text.value == b"Je", f"expected b'Je'; it is {text.value}"
    assert text.raw == b"Je\0lo", f"expected b'Je\\x00lo'; it is {text.raw}"
    try:
        numbers.value
    except AttributeError as error:
        print(f"Array('i', ...).value raises {type(error).__name__}")
    else:
        raise AssertionError("expected an AttributeError; the Array has a value")


def run(target, shared):
    child = Process(target=target, args=(shared,))
    child.start()
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"


def change_a_number(numbers):
    print(f"child : sees {numbers[:]}, writes 99 at index 1")
    numbers[1] = 99


def change_a_letter(text):
    print(f"child : sees {text.value}, writes b'J' at index 0")
    text[0] = b"J"


if __name__ == "__main__":
    main()
