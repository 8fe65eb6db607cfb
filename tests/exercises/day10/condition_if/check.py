"""How condition_if is judged."""
from judge import races

HINTS = [
    ("put() notifies after each cup. What does the woken thread know?",
     "put() 每放一杯就通知一次。被唤醒的线程知道什么？"),
    ("Any notify() ends the wait, and another thread can run before wait() returns.",
     "任何一次 notify() 都会让 wait() 返回；而且返回之前，别的线程可能先到。"),
    ("Use while, not if: check again after each wait().",
     "用 while 而不是 if：每次 wait() 之后都再检查一次。"),
]
NOTICE = ("Always call wait() in a loop. Being woken is a reason to check again, not a guarantee.",
           "wait() 总是写在循环里：被唤醒只是再看一次的理由，不是保证。")
REASONS = {
    "broken": "error",
    "wrong_timeout": "error",
    "wrong_swallow": "race",
    "wrong_looks_twice": "error",
    "wrong_spins": "endless",
}


def judge(subject):
    races.judge(subject, "cups == 0", fixed=("a", "b", "check", "carry"))
