"""How await_race is judged."""
from judge import awaits

HINTS = [
    ("In a single thread, other code runs only at an await. What may change there?",
     "单线程里，别的代码只在 await 处运行。那时什么可能改变？"),
    ("The check comes before the await. After the await, the result of the check may no longer be true.",
     "检查在 await 之前，await 之后未必还成立。"),
    ("Hold an asyncio.Lock (async with) around the whole body, or check again after the await.",
     "用 asyncio.Lock（async with）包住整段，或者在 await 之后再检查一次。"),
]
NOTICE = ("There is only one thread, and still there is a race: at each await, all shared data may change.",
           "只有一个线程，仍然有竞争：每个 await 处，共享数据都可能改变。")
REASONS = {
    "broken": "race",
    "wrong_lock_per_call": "race",
    "wrong_threads_lock": "hangs",
    "wrong_remembers": "race",
    "wrong_locked_check": "race",
}


def judge(subject):
    subject.load("withdraw", "approve")
    awaits.judge(subject, ["withdraw", "withdraw"], "approve", 70, is_right)


def is_right(module, results):
    return module.balance == 30 and sorted(results) == [False, True]
