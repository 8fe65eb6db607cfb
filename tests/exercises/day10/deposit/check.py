"""How deposit is judged."""
from judge import races

HINTS = [
    ("The statement is one line, but two steps: a read and a write. What can happen between them?",
     "一行代码，却是两步：读和写。两步之间会发生什么？"),
    ("Hold one lock during both the read and the write, and use the same lock in all threads.",
     "读和写必须在同一把锁里面，而且所有线程用的是同一把锁。"),
    ("Create the lock once, outside deposit(), and hold it during the whole statement.",
     "在 deposit() 之外创建一次锁；执行整条语句时都持有它。"),
]
NOTICE = ("A lock belongs to the data that it protects: one lock for each balance, created once.",
           "锁属于它保护的数据：有几个余额就有几把锁，每把只创建一次。")
REASONS = {
    "broken": "race",
    "wrong_lock_per_call": "race",
    "wrong_lock_per_thread": "race",
    "wrong_locked_read": "race",
    "wrong_sleep": "race",
    "wrong_retry": "race",
    "wrong_one_after_the_other": "race",
}


def judge(subject):
    races.judge(subject, "balance == 100")
