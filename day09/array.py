"""An Array in shared memory: by index, in a loop, as bytes.
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
    value ends at the first zero byte, raw does not: b'Je', b'Je\\x00lo'
    Array('i', ...).value raises AttributeError
"""
import os
import sys

if __name__ == "array":
    # You may skip this block: it exists only because of this file's name. 可跳过：只因文件名而存在
    # The notes gave this file the name of a standard module. multiprocessing imports that one, but
    # Python looks into the script's folder first and finds this file. So import the standard one
    # instead, without this folder. The lesson: never name a file after a standard module.
    # 不要用标准库模块的名字给文件命名
    path = sys.path
    sys.path = [folder for folder in path if os.path.abspath(folder) != os.path.dirname(__file__)]
    del sys.modules["array"]
    import array
    sys.path = path
else:
    from multiprocessing import Array, Process


def main():
    # Given a number, that many zeros. 整数表示个数
    numbers = Array("i", 3)
    print(f"Array('i', 3) starts as {numbers[:]}")
    for i in range(3):
        numbers[i] = 10 * (i + 1)
    run(change_a_number, numbers)
    print(f"parent: sees {[n for n in numbers]}")
    assert numbers[:] == [10, 99, 30], f"expected [10, 99, 30]; it is {numbers[:]}"

    # Given data, the Array takes its length and contents from it. 其他类型是初始内容
    text = Array("c", b"hello")
    print(f"Array('c', b'hello') has a value: {text.value}")
    run(change_a_letter, text)
    print(f"parent: sees {text.value}")
    assert text.value == b"Jello", f"expected b'Jello'; it is {text.value}"

    text[2] = 0
    print(f"value ends at the first zero byte, raw does not: {text.value}, {text.raw}")
    assert text.value == b"Je", f"expected b'Je'; it is {text.value}"
    assert text.raw == b"Je\0lo", f"expected all five bytes; they are {text.raw}"
    try:
        numbers.value
    except AttributeError as error:
        print(f"Array('i', ...).value raises {type(error).__name__}")
    else:
        raise AssertionError("expected an AttributeError: it has a value")


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
