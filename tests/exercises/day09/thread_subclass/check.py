"""How thread_subclass is judged."""
from judge.programs import run, shown
from judge.verdict import Refused

HINTS = [
    ("The message names a method that was not called.",
     "错误信息说出了哪个方法没有被调用。"),
    ("Worker.__init__ replaces Thread.__init__, which prepares the thread.",
     "Worker.__init__ 覆盖了 Thread 的 __init__，而线程的准备工作在那里做。"),
    ("Call super().__init__() first in __init__.",
     "在 __init__ 里先调用 super().__init__()。"),
]
NOTICE = ("Call super().__init__() before anything else. start() creates a thread and calls run() in it; calling run() yourself creates no thread.",
           "先调用 super().__init__()。start() 创建线程并在其中调用 run()；只调用 run() 不会创建线程。")
REASONS = {
    "broken": "exception",
    "wrong_run_itself": "not apart",
    "wrong_argument_of_super": "exception",
}


def judge(subject):
    printed = run(subject)
    if "results: [4, 9, 16]\n" not in printed:
        raise Refused("results", "the results must be [4, 9, 16]", "结果应该是 [4, 9, 16]", shown(printed))
    if "in other threads: True\n" not in printed:
        raise Refused("not apart", "a run() ran in the main thread: only start() calls it in a new thread", "有 run() 在主线程里运行：只有 start() 才在新线程里调用它", shown(printed))
