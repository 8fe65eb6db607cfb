"""fork, spawn, forkserver: what a child gets from its parent.
三种启动方式：子进程从父进程得到什么。
讲义: multiprocessing 模块创建进程 · 进程创建方法 · 注意

Run:    python day08/start_methods.py

Output:
    the default of this Python: <name>

    start method  my global is  main file was  forked by       a lambda as target
    fork          changed       not imported   the parent      works
    spawn         original      imported       the parent      cannot be sent
    forkserver    original      imported       a fork server   cannot be sent
"""
import multiprocessing
import os
import pickle

word = "original"

# What each method shows: the global, the main file, which process made the child, the lambda.
EXPECTED = {
    # A copy of the parent, with all that it has in memory. 父进程的副本
    "fork": ("changed", "not imported", "the parent", "works"),
    # A new interpreter, which imports this file and receives the target as a pickle.
    # 新的解释器：导入本文件，接收序列化的 target
    "spawn": ("original", "imported", "the parent", "cannot be sent"),
    # A copy of a helper process, which was started fresh at first use; then as with spawn.
    # 一个辅助进程的副本，其余同 spawn
    "forkserver": ("original", "imported", "a fork server", "cannot be sent"),
}


def look(answers):
    """In the child: report what is here."""
    # spawn and forkserver import this file under the name __mp_main__. 以这个名字导入本文件
    imported = "imported" if __name__ == "__mp_main__" else "not imported"
    my_parent = multiprocessing.parent_process().pid
    forked_by = "the parent" if os.getppid() == my_parent else "a fork server"
    answers.put((word, imported, forked_by))


def start_a_lambda(context):
    # spawn and forkserver send the target as a pickle, and a lambda cannot be pickled.
    # 这两种方式要序列化 target，而 lambda 无法序列化
    child = context.Process(target=lambda: None)
    try:
        child.start()
    # AttributeError until CPython 3.13.
    except (pickle.PicklingError, AttributeError):
        return "cannot be sent"
    child.join()
    return "works"


def main():
    global word
    # After the import of this file, and before the child is started.
    word = "changed"
    print(f"the default of this Python: {multiprocessing.get_start_method()}")
    print()
    print("start method  my global is  main file was  forked by       a lambda as target")
    for method, expected in EXPECTED.items():
        # Windows has spawn only.
        if method not in multiprocessing.get_all_start_methods():
            continue
        # A context has Process, Queue and so on for one start method: do not mix two of them.
        context = multiprocessing.get_context(method)
        answers = context.Queue()
        child = context.Process(target=look, args=(answers,))
        child.start()
        found = (*answers.get(timeout=10), start_a_lambda(context))
        child.join()
        print(f"{method:12}  {found[0]:12}  {found[1]:13}  {found[2]:14}  {found[3]}")
        assert found == expected, f"{method}: expected {expected}; it was {found}"


if __name__ == "__main__":
    main()
