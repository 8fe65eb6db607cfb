"""How parents_list is judged."""
from judge.programs import run, shown
from judge.verdict import Refused

HINTS = [
    ("Which process's list does a child append to?",
     "子进程把结果添加到了哪个进程的列表里？"),
    ("Each process has its own memory. Results must be sent: by a Pool, or by a Queue (day 9).",
     "每个进程有自己的内存。结果必须发送回来：用 Pool，或者用 Queue（第 9 天）。"),
    ("Pass a multiprocessing.Queue as an argument; put in the child, get in the parent, then join.",
     "把 multiprocessing.Queue 作为参数传入；子进程 put，父进程 get，然后 join。"),
]
NOTICE = ("What a child does to its variables stays in the child. Only what is sent comes back.",
           "子进程对变量的修改留在子进程里；只有发送的东西才会回来。")
REASONS = {
    "broken": "empty",
    "wrong_global": "empty",
    "wrong_passed_along": "empty",
    "wrong_threads": "not apart",
}


def judge(subject):
    printed = run(subject)
    if "squares: [4, 9, 16]\n" not in printed:
        raise Refused("empty", "the children's results have not come to the parent", "子进程的结果没有到达父进程", shown(printed))
    if "not by the parent: True\n" not in printed:
        raise Refused("not apart", "the squares were computed in the parent's process, not in children", "平方是在父进程里算的，不是在子进程里", shown(printed))
