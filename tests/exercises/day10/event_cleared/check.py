"""How event_cleared is judged."""
from judge import races

HINTS = [
    ("An Event remembers that it was set, until it is cleared.",
     "Event 记得自己被设置过，直到被清除。"),
    ("In the schedule above, what does the thread that runs second find?",
     "在上面的调度里，后来的线程看到的是什么？"),
    ("Do not clear the event: the message remains, so the event can remain set.",
     "不要清除它：消息一直在，事件也可以保持设置状态。"),
]
NOTICE = ("If an event is cleared immediately, only threads that are already waiting see it. clear() belongs in the code that consumes what the event announced.",
           "立刻清除的事件，只有已经在等待的线程才看得到。clear() 应由用掉这件事的代码来调用。")
REASONS = {
    "broken": "deadlock",
    "wrong_timeout": "race",
    "wrong_sleep": "deadlock",
    "wrong_clears_first": "deadlock",
}


def judge(subject):
    races.judge(subject, "message is None and heard == []")
