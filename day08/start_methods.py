"""fork, spawn and forkserver: three ways to start a child, and what the child has of its parent in each.
multiprocessing 模块创建进程 · 进程创建方法 · 注意

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


def look(answers):
    """In the child: tell what is here."""
    forked_by = "the parent" if os.getppid() == multiprocessing.parent_process().pid else "a fork server"
    imported = "imported" if "__mp_main__" == __name__ else "not imported"
    answers.put((word, imported, forked_by))


def main():
    global word
    word = "changed"                               # after the import of this file, before the child
    print(f"the default of this Python: {multiprocessing.get_start_method()}")
    print()
    print("start method  my global is  main file was  forked by       a lambda as target", flush=True)
    expected = {
        # A copy of this very process, with all that it has in memory.
        "fork": ("changed", "not imported", "the parent", "works"),
        # A new interpreter, which imports this file and is sent the target as a pickle.
        "spawn": ("original", "imported", "the parent", "cannot be sent"),
        # A copy of a helper that was started fresh, at first use, and may have imported this file; then as spawn.
        "forkserver": ("original", "imported", "a fork server", "cannot be sent"),
    }
    for method, facts in expected.items():
        context = multiprocessing.get_context(method)
        answers = context.SimpleQueue()            # what a process needs must come from the same context
        child = context.Process(target=look, args=(answers,))
        child.start()
        found = (*answers.get(), start_a_lambda(context))
        child.join()
        print(f"{method:12}  {found[0]:12}  {found[1]:13}  {found[2]:14}  {found[3]}")
        assert found == facts


def start_a_lambda(context):
    child = context.Process(target=lambda: None)
    try:
        child.start()
    except (pickle.PicklingError, AttributeError):  # the latter until CPython 3.13
        return "cannot be sent"
    child.join()
    return "works"


if __name__ == "__main__":
    main()
