"""How pool_errors is judged."""
from judge.programs import run, shown
from judge.verdict import Refused

HINTS = [
    ("Where does the exception of a task go when it is raised in a process of the pool?",
     "任务在进程池的进程里抛出的异常到哪里去了？"),
    ("apply_async() returns an AsyncResult; its get() returns the result, or raises the exception.",
     "apply_async() 返回 AsyncResult；它的 get() 返回结果，或抛出任务的异常。"),
    ("Keep all AsyncResults, then call get() on each one, in a separate try.",
     "保存所有 AsyncResult，再逐个调用 get()，每个都有自己的 try。"),
]
NOTICE = ("A result that is never asked for hides its error. Ask for each one.",
           "从不查看的结果会把错误藏起来。每个都要查看。")
REASONS = {
    "broken": "silent",
    "wrong_try_around_apply": "silent",
    "wrong_one_try_for_all": "silent",
}


LINES = ["4: 0.25", "0: failed", "2: 0.5"]


def judge(subject):
    subject.unchanged("invert", "show", "fail")
    printed = run(subject)
    for line in LINES:
        if printed.splitlines().count(line) != 1:
            raise Refused("silent", f"`{line}` is not shown, or not once", f"没有显示 `{line}`，或者不是一次", shown(printed))
