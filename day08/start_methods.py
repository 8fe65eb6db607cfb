"""The start methods fork, spawn and forkserver: what a child gets from its parent.
三种启动方式：子进程从父进程得到什么。
讲义: multiprocessing 模块创建进程 · 进程创建方法 · 注意

Run:    python day08/start_methods.py

Output:
    the default of this Python: <name>

    start method  my global is  main file was  created by      a lambda as target
    fork          changed       not imported   the parent      works
    spawn         original      imported       the parent      cannot be sent
    forkserver    original      imported       a fork server   cannot be sent
"""
import multiprocessing
import os
import pickle

word = "original"

# The last four columns of the table, for each start method.
EXPECTED = {
    # The child is a copy of the parent, with all of its memory. 父进程的副本，包括全部内存
    "fork": ("changed", "not imported", "the parent", "works"),
    # The child is a new interpreter. It imports this file, and receives the target as a pickle.
    # 新的解释器：导入本文件，接收序列化的 target
    "spawn": ("original", "imported", "the parent", "cannot be sent"),
    # On first use, Python starts a new interpreter, the fork server, which then forks each child,
    # and reaps it. This file is imported in each child or once in the fork server. As with spawn,
    # the child receives the target as a pickle.
    # 首次使用时启动一个新的解释器，即 fork server，由它 fork 并回收子进程；
    # 本文件在每个子进程里导入，或在 fork server 里导入一次；其余同 spawn
    "forkserver": ("original", "imported", "a fork server", "cannot be sent"),
}


def look(answers):
    """Run in the child: send the parent what it found (my global, main file, created by)."""
    # __name__ is "__main__" in the file that was run. If the file was imported for a child, it is
    # "__mp_main__". 直接运行的文件名为 __main__；为子进程导入的，名为 __mp_main__
    main_file = "not imported"
    if __name__ == "__mp_main__":
        main_file = "imported"

    # parent_process() is the process that called start(). os.getppid() is the PID of the process
    # that created this child. 前者调用了 start()，后者创建了本进程，两者可能不同
    created_by = "a fork server"
    if os.getppid() == multiprocessing.parent_process().pid:
        created_by = "the parent"

    answers.put((word, main_file, created_by))


def start_a_lambda(context):
    """Try to start a child with a lambda as its target; return "works" or "cannot be sent"."""
    # spawn and forkserver send the target as a pickle, and a lambda cannot be pickled.
    # 这两种方式要序列化 target，而 lambda 无法序列化
    child = context.Process(target=lambda: None)
    try:
        child.start()
    # Up to CPython 3.13, start may raise AttributeError instead. 3.13 及以前可能是 AttributeError
    except (pickle.PicklingError, AttributeError):
        return "cannot be sent"
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"
    return "works"


def main():
    global word
    # This changes the parent's memory, not the file that a child imports. 只改内存，不改文件
    word = "changed"
    print(f"the default of this Python: {multiprocessing.get_start_method()}")
    print()
    print("start method  my global is  main file was  created by      a lambda as target")
    for method, expected in EXPECTED.items():
        # Windows has only spawn. Windows 只有 spawn
        if method not in multiprocessing.get_all_start_methods():
            continue
        # A context offers Process, Queue and so on for one start method. Do not mix the objects of
        # two contexts.
        # context 提供某一种启动方式的 Process、Queue 等，不同 context 的对象不要混用
        context = multiprocessing.get_context(method)
        answers = context.Queue()
        child = context.Process(target=look, args=(answers,))
        child.start()
        my_global, main_file, created_by = answers.get(timeout=10)
        child.join()
        target = start_a_lambda(context)
        print(f"{method:12}  {my_global:12}  {main_file:13}  {created_by:14}  {target}")
        found = (my_global, main_file, created_by, target)
        assert found == expected, f"{method}: expected {expected}; it was {found}"


if __name__ == "__main__":
    main()
