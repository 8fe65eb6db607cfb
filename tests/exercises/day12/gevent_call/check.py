"""How gevent_call is judged."""
from judge.programs import Program, shown
from judge.verdict import Refused

NEEDS = "gevent"
HINTS = [
    ("What does handle(name) do, and when? What is then passed to spawn?",
     "handle(name) 做什么，什么时候做？传给 spawn 的是什么？"),
    ("handle(name) calls the function immediately; spawn gets its result, None.",
     "handle(name) 立刻调用；spawn 得到的是返回值 None。"),
    ("gevent.spawn(handle, name)",
     "gevent.spawn(handle, name)"),
]
NOTICE = ("Pass the function and its arguments, not the result of a call. The same is true of Thread(target=...) and Process(target=...).",
           "传函数和参数，不要传调用结果；Thread(target=...) 和 Process(target=...) 也一样。")
REASONS = {"broken": "order", "wrong_late_name": "order", "wrong_one_after_the_other": "order"}


def judge(subject):
    subject.unchanged("handle")
    with Program(subject) as program:
        program.finish(may_fail=True)
    if program.out != "A begins, B begins, A ends, B ends\n":
        raise Refused("order", "A and B must both begin before either of them ends", "A 和 B 都开始之后，才能有一个结束", shown(program.out))
