"""How transfer is judged."""
import threading

from judge import races
from judge.verdict import Refused

HINTS = [
    ("Read the end of the schedule: which lock does each thread hold, and which one does it wait for?",
     "看调度的结尾：哪个线程持有哪把锁，又在等哪把锁？"),
    ("Each thread holds the lock that the other one needs. If both threads took the locks in the same order, one thread would only wait for the other.",
     "各自持有对方需要的锁。如果两个线程都按同样的顺序加锁，其中一个只是等另一个。"),
    ("Sort the two accounts, for example by name, and acquire their locks in that order, in transfer() and in total().",
     "把两个账户排序（例如按名字），按这个顺序加锁；transfer() 和 total() 都要这样。"),
]
NOTICE = ("A deadlock needs a circular wait; one order for all locks makes a circular wait impossible. Unlocking half-way also prevents the deadlock, but for a moment the money is in neither account.",
           "死锁需要环路等待；所有锁都按同一个顺序加，就不可能形成环。中途放开锁也能避免死锁，但会有一段时间钱不在任何账户里。")
REASONS = {
    "broken": "deadlock",
    "wrong_unlocks_half_way": "race",
    "wrong_one_lock": "one lock",
    "wrong_gives_up": "race",
    "wrong_only_transfer": "deadlock",
}


def judge(subject):
    races.judge(subject, "[ann.balance, bob.balance, seen] == [100, 100, []]")
    two_at_once(subject)


def two_at_once(subject):
    """Refuse a program in which two transfers between four accounts cannot run at the same time.

    In this test, each transfer waits half-way, holding its locks, until the other transfer is half-way too.
    """
    Account, transfer = subject.load("Account", "transfer")
    meeting = threading.Barrier(2)

    class Slow(Account):
        @property
        def balance(self):
            meeting.wait()
            return self.money

        @balance.setter
        def balance(self, money):
            self.money = money

    calls = [subject.start(transfer, Slow(name, 5), Account(other, 5), 1) for name, other in (("cat", "dan"), ("eve", "fay"))]
    try:
        for call in calls:
            call.result()
    except Refused as refused:
        if refused.tag != "hangs":
            raise
        raise Refused("one lock", "no deadlock, but two transfers between four different accounts cannot run at the same time",
                      "没有死锁，但四个不同账户之间的两笔转账不能同时进行") from None
