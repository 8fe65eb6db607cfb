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
NOTICE = ("If you never ask for a task's result, you never see its error, unless you pass an error_callback. Call get() for each task.",
           "从不查看任务的结果，就看不到它的错误，除非传入 error_callback。每个任务都要调用 get()。")
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
            raise Refused("silent", f"`{line}` must be shown exactly once", f"`{line}` 应当恰好显示一次", shown(printed))
