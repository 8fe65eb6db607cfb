"""How parents_list is judged."""
from judge.programs import run, shown
from judge.verdict import Refused

HINTS = [
    ("Which process's list does a child append to?",
     "子进程把结果添加到了哪个进程的列表里？"),
    ("Each process has its own memory. The results must be sent back, for example with a Pool or a Queue (day 9).",
     "每个进程有自己的内存。结果必须发送回来，例如用 Pool 或 Queue（第 9 天）。"),
    ("Pass a multiprocessing.Queue as an argument. The child calls put(); the parent calls get(), then join().",
     "把 multiprocessing.Queue 作为参数传入；子进程 put，父进程 get，然后 join。"),
]
NOTICE = ("When a child changes a variable, only the child sees it, unless it is shared (day 9). What the parent needs, the child must send.",
           "子进程对变量的修改只有子进程自己看得到（共享的除外，第 9 天）；父进程需要的，要由子进程发送。")
REASONS = {
    "broken": "empty",
    "wrong_global": "empty",
    "wrong_passed_along": "empty",
    "wrong_threads": "not apart",
}


def judge(subject):
    printed = run(subject)
    if "squares: [4, 9, 16]\n" not in printed:
        raise Refused("empty", "the children's results did not reach the parent", "子进程的结果没有到达父进程", shown(printed))
    if "not by the parent: True\n" not in printed:
        raise Refused("not apart", "the squares were computed in the parent, not in child processes", "平方是在父进程里算的，不是在子进程里", shown(printed))
