"""An Array is a row of C variables in shared memory: a size or initial data, by index, in a loop, as bytes.
进程间通信 (IPC) · 共享内存 · Array

Run:    python day09/array.py

Output:
    Array('i', 3) starts as [0, 0, 0]
    child : sees [10, 20, 30], writes 99 at index 1
    parent: sees [10, 99, 30]
    Array('c', b'hello') has a value: b'hello'
    child : sees b'hello', writes b'J' at index 0
    parent: sees b'Jello'
    value ends at the first zero byte, raw does not: b'Je' and b'Je\\x00lo'
    Array('i', ...) has none: AttributeError
"""
import importlib.machinery
import importlib.util
import os
import sys

if __name__ == "array":
    # This file bears the name of a standard module, and multiprocessing imports that. Python looks into the script's
    # folder first, so unless the standard one is built into the interpreter, it finds us here. Then we fetch the other
    # one and let it take our place. The lesson: name no file after a standard module. (The course's notes did.)
    elsewhere = [folder for folder in sys.path if os.path.realpath(folder) != os.path.dirname(os.path.realpath(__file__))]
    standard = importlib.machinery.PathFinder.find_spec("array", elsewhere)
    sys.modules["array"] = importlib.util.module_from_spec(standard)
    standard.loader.exec_module(sys.modules["array"])


def main():
    from multiprocessing import Array              # not at the top, which is also run in the case above

    numbers = Array("i", 3)                        # a size: zeros
    print(f"Array('i', 3) starts as {list(numbers)}")
    numbers[:] = [10, 20, 30]
    run(change_a_number, numbers)
    print(f"parent: sees {[n for n in numbers]}")  # a loop over it gives the elements
    assert numbers[:] == [10, 99, 30]

    text = Array("c", b"hello")                    # data: its size is that of the data
    print(f"Array('c', b'hello') has a value: {text.value}")
    run(change_a_letter, text)
    print(f"parent: sees {text.value}")
    assert text.value == b"Jello"

    text[2] = 0
    print(f"value ends at the first zero byte, raw does not: {text.value} and {text.raw}")
    assert (text.value, text.raw) == (b"Je", b"Je\0lo")
    try:
        numbers.value
    except AttributeError as error:
        print(f"Array('i', ...) has none: {type(error).__name__}")
    else:
        raise AssertionError("it has a value")


def run(target, shared):
    from multiprocessing import Process

    sys.stdout.flush()
    child = Process(target=target, args=(shared,))
    child.start()
    child.join()
    assert child.exitcode == 0


def change_a_number(numbers):
    print(f"child : sees {numbers[:]}, writes 99 at index 1")
    numbers[1] = 99


def change_a_letter(text):
    print(f"child : sees {text.value}, writes b'J' at index 0")
    text[0] = b"J"


if __name__ == "__main__":
    main()
