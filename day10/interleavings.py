"""Every order in which the steps of a few threads can happen, and the shortest one that loses.
几个线程的步骤的所有先后次序，以及出错的最短次序。
讲义之外

Run:    python day10/interleavings.py                    these programs
        python day10/interleavings.py FILE               your own: functions a, b (and c), setup,
        check
        python day10/interleavings.py FILE --predict     say each value before it is shown
        python day10/interleavings.py FILE --you         you choose which thread goes next
        python day10/interleavings.py FILE --json        what was explored, as data

A step is what touches shared state: a read or a write of a global variable, of an attribute or of
an
item, or a call that may wait. A call into C is one step. Time, IO and random numbers must not
decide.
Under today's GIL not every schedule can happen; without a GIL, every one can.

Output:
    n += 1 in two threads: 6 schedules, 2 outcomes
      n = 2  2  ######
      n = 1  4  ############  wrong
    n += 1 in three threads: 90 schedules, 3 outcomes
      n = 3   6  ##
      n = 1  48  ############  wrong
      n = 2  36  #########     wrong
    if n < 1: n = n + 1 in two threads (check, then act): 20 schedules, 2 outcomes
      n = 1  14  ############
      n = 2   6  #####         wrong
    three times n += 1 in two threads: 3,432 schedules, 5 outcomes
      n = 6    100  #
      n = 2     24  #             wrong
      n = 3    986  ########      wrong
      n = 4  1,542  ############  wrong
      n = 5    780  ######        wrong
    with lock: n += 1 in two threads: 24 schedules, 1 outcome
      n = 2  24  ############
    lock a, then b; and b, then a: 96 schedules, 2 outcomes
      n = 2                         36  #######
      deadlock: A, B wait for ever  60  ############  wrong
    lock a, then b, in both threads: 50 schedules, 1 outcome
      n = 2  50  ############
    three philosophers: 37,170 schedules, 2 outcomes
      the end                           9,810  ####
      deadlock: A, B, C wait for ever  27,360  ############  wrong
    Condition: if, then wait: 679 schedules, 2 outcomes
      stock = 2                                       517  ############
      A(): AssertionError in line 197: woken too ...  162  ####          wrong
        A(): AssertionError in line 197: woken too early: stock is 1
    Condition: while, wait: 769 schedules, 1 outcome
      stock = 2  769  ############

    the fewest switches that lose an update: 1 switch
    shared | A                                  | B
    --------------------------------------------------------------------------------
           | 140 n += 1                         |
    n=0    |     reads n: 0                     |
           + ............................. switch to B .............................
           |                                    | 140 n += 1
    n=0    |                                    |     reads n: 0
    n=1    |                                    |     writes n: 1
           + ............................. switch to A .............................
           | 140 n += 1                         |
    n=1    |     writes n: 1                    |
    end: n = 1 (wrong)

    three times n += 1, and n is 2: 4 switches
    shared | A                                  | B
    --------------------------------------------------------------------------------
           | 151 for _ in range(TIMES):         |
    n=0    |     reads TIMES: 3                 |
           | 152 n += 1                         |
    n=0    |     reads n: 0                     |
           + ............................. switch to B .............................
           |                                    | 151 for _ in range(TIMES):
    n=0    |                                    |     reads TIMES: 3
           |                                    | 152 n += 1
    n=0    |                                    |     reads n: 0
    n=1    |                                    |     writes n: 1
    n=1    |                                    |     reads n: 1
    n=2    |                                    |     writes n: 2
           + ............................. switch to A .............................
           | 152 n += 1                         |
    n=1    |     writes n: 1                    |
    n=1    |     reads n: 1                     |
           + ............................. switch to B .............................
           |                                    | 152 n += 1
    n=1    |                                    |     reads n: 1
           + ............................. switch to A .............................
           | 152 n += 1                         |
    n=2    |     writes n: 2                    |
    n=2    |     reads n: 2                     |
    n=3    |     writes n: 3                    |
           + ............................. switch to B .............................
           |                                    | 152 n += 1
    n=2    |                                    |     writes n: 2
    end: n = 2 (wrong)

    a deadlock 死锁: 1 switch
    shared | A                                  | B
    --------------------------------------------------------------------------------
           | 163 with a:                        |
    n=0    |     looks up a                     |
    n=0    |     acquires a                     |
           | 164 with b:                        |
    n=0    |     looks up b                     |
           + ............................. switch to B .............................
           |                                    | 170 with b:
    n=0    |                                    |     looks up b
    n=0    |                                    |     acquires b
           |                                    | 171 with a:
    n=0    |                                    |     looks up a
    n=0    |                                    |     acquires a: must wait
           + ............................. switch to A .............................
           | 164 with b:                        |
    n=0    |     acquires b: must wait          |
    end: deadlock: A, B wait for ever
      A waits for b in line 164: B holds it since line 170
      B waits for a in line 171: A holds it since line 163
"""
import sys
import threading

from explorer import command, explore, picture
from explorer.replay import Replay

TIMES = 3
SECONDS = 5                                 # then it says how many of how many were explored


def setup():
    """Before each run. 每次运行之前"""
    global n, stock, a, b, c, lock, ready
    n = stock = 0
    a, b, c, lock = threading.Lock(), threading.Lock(), threading.Lock(), threading.Lock()
    ready = threading.Condition()


def add():
    global n
    n += 1


def check_then_act():
    global n
    if n < 1:
        n = n + 1


def add_often():
    global n
    for _ in range(TIMES):
        n += 1


def add_locked():
    global n
    with lock:
        n += 1


def a_then_b():
    global n
    with a:
        with b:
            n += 1


def b_then_a():
    global n
    with b:
        with a:
            n += 1


def philosopher_1():
    with a:
        with b:
            pass


def philosopher_2():
    with b:
        with c:
            pass


def philosopher_3():
    with c:
        with a:
            pass


def take_two_if():
    with ready:
        if stock < 2:
            ready.wait()
        assert stock == 2, f"woken too early: stock is {stock}"


def take_two_while():
    with ready:
        # To be woken does not mean that it is true: look again. 被唤醒不等于条件成立，要再看一次
        while stock < 2:
            ready.wait()
        assert stock == 2, f"woken too early: stock is {stock}"


def put_two():
    global stock
    for _ in 1, 2:
        with ready:
            stock += 1
            ready.notify()


def main():
    if len(sys.argv) > 1:
        sys.exit(command.main())
    lesson()


def lesson():
    """Print how many schedules each program has, and how they end; of some, the shortest one that
    loses."""
    two, three = "AB", "ABC"
    found = {}
    for title, names, functions, right in [
            ("n += 1 in two threads", two, [add] * 2, 2),
            ("n += 1 in three threads", three, [add] * 3, 3),
            ("if n < 1: n = n + 1 in two threads (check, then act)", two, [check_then_act] * 2, 1),
            ("three times n += 1 in two threads", two, [add_often] * 2, 6),
            ("with lock: n += 1 in two threads", two, [add_locked] * 2, 2),
            ("lock a, then b; and b, then a", two, [a_then_b, b_then_a], 2),
            ("lock a, then b, in both threads", two, [a_then_b] * 2, 2),
            ("three philosophers", three, [philosopher_1, philosopher_2, philosopher_3], 0),
            ("Condition: if, then wait", two, [take_two_if, put_two], 0),
            ("Condition: while, wait", two, [take_two_while, put_two], 0)]:
        threads, check = list(zip(names, functions)), lambda right=right: n == right
        found[title] = threads, check, explore(threads, setup, check, seconds=SECONDS)
        print(f"{title}: ", end="")
        print(*picture.histogram(found[title][2]), sep="\n")

    show("the fewest switches that lose an update", *found["n += 1 in two threads"])
    show("three times n += 1, and n is 2", *found["three times n += 1 in two threads"], "n = 2")
    show("a deadlock 死锁", *found["lock a, then b; and b, then a"])


def show(title, threads, check, exploration, text=None):
    """Print a schedule that loses: the one with the fewest switches, or the one that ends with
    this text."""
    losing = next((one for one in exploration.outcomes if one.text == text), exploration.losing)
    assert losing, f"expected a schedule that loses: {exploration.outcomes}"
    print(f"\n{title}: {losing.switches} switch{'es' * (losing.switches != 1)}")
    print(*picture.schedule(Replay(threads, setup, check, losing.schedule), __file__), sep="\n")


if __name__ == "__main__":
    main()
