"""How value_lock is judged."""
from judge import races
from judge.verdict import Refused

HINTS = [
    ("Read the schedule: both processes read the same number.",
     "看这个调度：两个进程读到同一个数。"),
    ("A Value has a lock, but += does not hold it from the read to the write.",
     "Value 自带一把锁，但 += 从读到写并没有一直拿着它。"),
    ("with counter.get_lock(): counter.value += 1",
     "with counter.get_lock(): counter.value += 1"),
]
NOTICE = ("Each access to .value is locked, but += is two accesses. Pass the lock to the child: with spawn and forkserver, each process creates its own global lock.",
           "每次访问 .value 都有锁保护，但 += 是两次访问。锁必须传给子进程：用 spawn 和 forkserver 时，每个进程都重新创建自己的全局锁。")
REASONS = {
    "broken": "race",
    "wrong_global_lock": "race",
    "wrong_new_lock": "race",
    "wrong_lock_of_threading": "race",
    "wrong_locked_read": "race",
}


def judge(subject):
    races.with_processes()
    try:
        races.judge(subject, "counter.value == 0")
    except Refused as refused:
        if "threading" in subject.text:
            refused.english = refused.english.split(". ")[0] + ". A lock of threading keeps out only threads of the same process."
            refused.chinese = refused.chinese.split("。")[0] + "。threading 的锁只能挡住同一进程的线程。"
        elif "Lock()" in subject.text:
            # The remark about locks that races.judge() adds is true only for threads.
            refused.english = (refused.english.split(". ")[0] + ". Unless the lock is passed to the child, each process has a lock of its "
                               "own (with fork, only if the lock is created after the start).")
            refused.chinese = refused.chinese.split("。")[0] + "。没有传给子进程的锁，每个进程各有一把（用 fork 时，只有启动之后创建的锁才这样）。"
        raise
