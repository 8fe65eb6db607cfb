"""How new_lock is judged."""
from judge import races

HINTS = [
    ("There is a lock. How many locks are there when two threads deposit?",
     "锁是有的。两个线程同时存款时，有几把锁？"),
    ("A lock keeps out only threads that use the same lock.",
     "只有使用同一把锁的线程才会被挡住。"),
    ("Create the lock where the account is created: in __init__.",
     "在创建账户的地方创建锁：__init__ 里。"),
]
NOTICE = ("The lock lives as long as the data, so create both together, before any thread can use them.",
           "锁和数据的寿命一样长，所以两者一起创建，在任何线程能用到它们之前。")
REASONS = {
    "broken": "race",
    "wrong_attribute": "race",
    "wrong_property": "race",
    "wrong_on_demand": "race",
}


def judge(subject):
    races.judge(subject, "account.balance == 100")
