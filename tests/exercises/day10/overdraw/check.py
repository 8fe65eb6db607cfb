"""How overdraw is judged."""
from judge import races

HINTS = [
    ("Each access is locked. What may no longer be true when the lock is acquired for the second time?",
     "每次访问都加了锁。第二次拿到锁时，什么可能已经不再成立？"),
    ("The check and the act belong together (check-then-act).",
     "检查和动作是一个整体（check, then act）。"),
    ("Put one `with lock:` around both the `if` and the subtraction.",
     "用一个 `with lock:` 把 `if` 和减法一起包住。"),
]
NOTICE = ("What was true while you held the lock may be false after you release it. Hold the lock from the check to the last act.",
           "持锁时成立的条件，放开锁之后未必成立。从检查到最后一个动作都要持有锁。")
REASONS = {
    "broken": "race",
    "wrong_no_lock": "race",
    "wrong_locked_act": "race",
    "wrong_gives_back": "race",
}


def judge(subject):
    races.judge(subject, "balance == 100 and paid == [] and seen == []")
