"""How condition_if is judged."""
from judge import races

HINTS = [
    ("Both threads are woken by one cup. What does the second one find?",
     "一杯就唤醒了两个线程。第二个线程看到什么？"),
    ("Between being woken and having the lock again, other threads may come first.",
     "从被唤醒到重新拿到锁之间，别的线程可能先到。"),
    ("while, not if: look again after each wait().",
     "用 while 而不是 if：每次 wait() 之后都要再看一次。"),
]
NOTICE = ("wait() in a loop, always: to be woken is a reason to look, not a promise.",
           "wait() 总是写在循环里：被唤醒只是再看一次的理由，不是保证。")
REASONS = {
    "broken": "error",
    "wrong_notify_one": "error",
    "wrong_swallow": "race",
    "wrong_timeout": "error",
    "wrong_wait_twice": "deadlock",
}


def judge(subject):
    races.judge(subject, "cups == [] and taken == []", fixed=("a", "b", "c", "check"))
