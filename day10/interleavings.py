"""Every order of the steps of a few threads, and one that goes wrong with the fewest switches.
几个线程的步骤的所有先后次序，以及切换最少的出错次序。
讲义之外

Run:    python day10/interleavings.py                    the programs below
        python day10/interleavings.py FILE               your own program (see day10/README.md)
        python day10/interleavings.py FILE --predict     predict each value before it is shown
        python day10/interleavings.py FILE --you         you choose which thread goes next
        python day10/interleavings.py FILE --json        print the result as data

A step touches shared state: it reads or writes a global variable, an attribute or an item, or
uses a lock, an event or the like. A call to C code is one step. The result must not depend on time,
input, output, or random numbers. Under today's GIL some of the schedules cannot happen; without
a GIL, each of them can.

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
      all threads ended                 9,810  ####
      deadlock: A, B, C wait for ever  27,360  ############  wrong
    Condition: if, then wait: 679 schedules, 2 outcomes
      stock = 2                                       517  ############
      A(): AssertionError in line 198: woken too ...  162  ####          wrong
        A(): AssertionError in line 198: woken too early: stock is 1
    Condition: while, wait: 769 schedules, 1 outcome
      stock = 2  769  ############

    a lost update 丢失更新: 1 switch
    shared | A                                  | B
    --------------------------------------------------------------------------------
           | 139 n += 1                         |
    n=0    |     reads n: 0                     |
           + ............................. switch to B .............................
           |                                    | 139 n += 1
    n=0    |                                    |     reads n: 0
    n=1    |                                    |     writes n: 1
           + ............................. switch to A .............................
           | 139 n += 1                         |
    n=1    |     writes n: 1                    |
    end: n = 1 (wrong)

    three times n += 1, but n is 2: 4 switches
    shared | A                                  | B
    --------------------------------------------------------------------------------
           | 150 for _ in range(TIMES):         |
    n=0    |     reads TIMES: 3                 |
           | 151 n += 1                         |
    n=0    |     reads n: 0                     |
           + ............................. switch to B .............................
           |                                    | 150 for _ in range(TIMES):
    n=0    |                                    |     reads TIMES: 3
           |                                    | 151 n += 1
    n=0    |                                    |     reads n: 0
    n=1    |                                    |     writes n: 1
    n=1    |                                    |     reads n: 1
    n=2    |                                    |     writes n: 2
           + ............................. switch to A .............................
           | 151 n += 1                         |
    n=1    |     writes n: 1                    |
    n=1    |     reads n: 1                     |
           + ............................. switch to B .............................
           |                                    | 151 n += 1
    n=1    |                                    |     reads n: 1
           + ............................. switch to A .............................
           | 151 n += 1                         |
    n=2    |     writes n: 2                    |
    n=2    |     reads n: 2                     |
    n=3    |     writes n: 3                    |
           + ............................. switch to B .............................
           |                                    | 151 n += 1
    n=2    |                                    |     writes n: 2
    end: n = 2 (wrong)

    a deadlock 死锁: 1 switch
    shared | A                                  | B
    --------------------------------------------------------------------------------
           | 162 with a:                        |
    n=0    |     looks up a                     |
    n=0    |     acquires a                     |
           | 163 with b:                        |
    n=0    |     looks up b                     |
           + ............................. switch to B .............................
           |                                    | 169 with b:
    n=0    |                                    |     looks up b
    n=0    |                                    |     acquires b
           |                                    | 170 with a:
    n=0    |                                    |     looks up a
    n=0    |                                    |     acquires a: must wait
           + ............................. switch to A .............................
           | 163 with b:                        |
    n=0    |     acquires b: must wait          |
    end: deadlock: A, B wait for ever
      A waits for b in line 163, which B acquired in line 169
      B waits for a in line 170, which A acquired in line 162
"""
import sys
import threading

from explorer import command, explore, picture
from explorer.replay import Replay

TIMES = 3
# Time limit for each program, in seconds. Schedules not explored by then are not counted.
SECONDS = 5


def setup():
    """Set the shared variables. Called before each run. 每次运行之前给共享变量赋初值"""
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


# The dining philosophers 哲学家就餐: each needs two forks, and takes the left fork first.
# 每位哲学家需要两把叉子，先拿左边的，再拿右边的
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
        # A woken thread must check again: being woken does not mean that the condition holds.
        # 被唤醒不等于条件成立，要再检查一次
        while stock < 2:
            ready.wait()
        assert stock == 2, f"woken too early: stock is {stock}"


def put_two():
    global stock
    for _ in 1, 2:
        with ready:
            stock += 1
            ready.notify()


def n_is(right):
    """Return a check: a function that returns True if n is right at the end of a run."""
    return lambda: n == right


# For each program: its title, the functions of its threads, and the check.
PROGRAMS = [
    ("n += 1 in two threads", [add, add], n_is(2)),
    ("n += 1 in three threads", [add, add, add], n_is(3)),
    ("if n < 1: n = n + 1 in two threads (check, then act)", [check_then_act] * 2, n_is(1)),
    ("three times n += 1 in two threads", [add_often, add_often], n_is(6)),
    ("with lock: n += 1 in two threads", [add_locked, add_locked], n_is(2)),
    ("lock a, then b; and b, then a", [a_then_b, b_then_a], n_is(2)),
    ("lock a, then b, in both threads", [a_then_b, a_then_b], n_is(2)),
    ("three philosophers", [philosopher_1, philosopher_2, philosopher_3], None),
    ("Condition: if, then wait", [take_two_if, put_two], None),
    ("Condition: while, wait", [take_two_while, put_two], None),
]


def main():
    if len(sys.argv) > 1:
        sys.exit(command.main())
    show_programs()


def show_programs():
    """Print how many schedules each program has and how they end; then show three that go wrong."""
    explorations = {}
    for title, functions, check in PROGRAMS:
        threads = list(zip("ABC", functions))
        explorations[title] = explore(threads, setup, check, seconds=SECONDS)
        print(f"{title}: ", end="")
        print(*picture.histogram(explorations[title]), sep="\n")

    lost = explorations["n += 1 in two threads"]
    show("a lost update 丢失更新", [add, add], n_is(2), lost.losing)
    often = explorations["three times n += 1 in two threads"]
    is_two = [outcome for outcome in often.outcomes if outcome.text == "n = 2"]
    show("three times n += 1, but n is 2", [add_often, add_often], n_is(6), *is_two)
    crosswise = explorations["lock a, then b; and b, then a"]
    show("a deadlock 死锁", [a_then_b, b_then_a], n_is(2), crosswise.losing)


def show(title, functions, check, outcome=None):
    """Of the schedules with this outcome, print the one with the fewest switches."""
    assert outcome, f"expected to find a schedule for: {title}"
    switches = "1 switch" if outcome.switches == 1 else f"{outcome.switches} switches"
    print(f"\n{title}: {switches}")
    replay = Replay(list(zip("ABC", functions)), setup, check, outcome.schedule)
    print(*picture.schedule(replay, __file__), sep="\n")


if __name__ == "__main__":
    main()
