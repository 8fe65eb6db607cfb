"""day10/interleavings.py and its package explorer: known counts, a second way of counting, and whatever students write."""
import functools
import json
import random
import re
import sys
import threading
from collections import Counter
from types import SimpleNamespace

import pytest
from course import output_of
from harness import ROOT, TIMEOUT, run

sys.path.append(str(ROOT / "day10"))
import explorer  # noqa: E402
from explorer import ends, picture  # noqa: E402
from explorer.current import Unusable  # noqa: E402
from explorer.search import Exploration, Outcome  # noqa: E402
from explorer.stepper import Stepper  # noqa: E402
sys.path.pop()                                     # otherwise `import race` in the tests of day12/race/ would find day10/race.py

SCRIPT = "day10/interleavings.py"
explore = functools.partial(explorer.explore, seconds=120)         # on a busy machine, five seconds may not be enough
FRAME = """
import threading, queue, time
lock = threading.Lock()
def setup():
    global n, m, flag, items, table, box, q, event, a_lock, b_lock, condition, barrier, semaphore, rlock
    n, m, flag, items, table, box = 0, 0, False, [], {"k": 0}, Box()
    q, event, condition, barrier = queue.Queue(), threading.Event(), threading.Condition(), threading.Barrier(2)
    a_lock, b_lock, semaphore, rlock = threading.Lock(), threading.Lock(), threading.Semaphore(1), threading.RLock()
class Box:
    def __init__(self):
        self.n = 0
    def add(self):
        self.n += 1
def check():
    return n == 2
"""


def changed(change):
    """Return code that runs the lesson after a change."""
    return f"""import runpy, sys
sys.path.insert(0, {str(ROOT / "day10")!r})
{change}
runpy.run_path({str(ROOT / SCRIPT)!r}, run_name="__main__")
"""


# The lesson with a lower limit for threads that only compute: they use the CPU until it is reached.
SOON = changed("import explorer.stepper; explorer.stepper.STUCK_AFTER = 0.5")
# The lesson with a limit of runs in place of --seconds, so a slow machine does not explore less.
COUNTED = changed("import itertools, types; from explorer import search; "
                  "search.time = types.SimpleNamespace(monotonic=itertools.count().__next__)")
BOUNDED = "old = setup\ndef setup():\n    global bounded\n    old()\n    bounded = threading.BoundedSemaphore(1)\n"
RACE = "def a():\n    global n\n    n += 1\ndef b():\n    global n\n    n += 1\n"


def program(text, frame=FRAME):
    """Run the text of a student's file; return its namespace."""
    namespace = {"__name__": "student"}
    exec(compile(frame + text, "student.py", "exec"), namespace)
    return namespace


def outcomes(text, check=None, **options):
    """Return {(kind, text): count} of the functions a and b, and c if there is one."""
    made = program(text)
    threads = [made[name] for name in "abc" if name in made]
    exploration = explore(threads, made["setup"], check and (lambda: check(made)), **options)
    assert exploration.is_complete
    return {(one.kind, one.text): one.count for one in exploration.outcomes}


def kinds(text, check=None):
    counted = Counter()
    for (kind, _), count in outcomes(text, check).items():
        counted[kind] += count
    return dict(counted)


def student(tmp_path, text, frame=FRAME):
    file = tmp_path / "student.py"
    file.write_text(frame + text, encoding="utf-8")
    return file


# The programs of the lesson

@pytest.mark.parametrize("title, schedules, counts", [
    ("n += 1 in two threads", "6", {"n = 1": "4", "n = 2": "2"}),
    ("n += 1 in three threads", "90", {"n = 1": "48", "n = 2": "36", "n = 3": "6"}),
    ("if n < 1: n = n + 1 in two threads (check, then act)", "20", {"n = 1": "14", "n = 2": "6"}),
    ("three times n += 1 in two threads", "3,432", {"n = 2": "24", "n = 3": "986", "n = 4": "1,542", "n = 5": "780", "n = 6": "100"}),
    ("with lock: n += 1 in two threads", "24", {"n = 2": "24"}),
    ("lock a, then b; and b, then a", "96", {"n = 2": "36", "deadlock: A, B wait for ever": "60"}),
    ("lock a, then b, in both threads", "50", {"n = 2": "50"}),
    ("three philosophers", "37,170", {"all threads ended": "9,810", "deadlock: A, B, C wait for ever": "27,360"}),
])
def test_interleavings_of_the_lesson(title, schedules, counts):
    printed = output_of(SCRIPT).splitlines()
    start = next(number for number, line in enumerate(printed) if line.startswith(f"{title}: "))
    assert printed[start].startswith(f"{title}: {schedules} schedules, {len(counts)} outcome")
    rows = [line.split("  ") for line in printed[start + 1:start + 1 + len(counts)]]
    assert {[part for part in row if part][0]: [part for part in row if part][1].strip() for row in rows} == counts


def test_interleavings_of_the_lesson_shows_the_two_with_four_switches():
    printed = output_of(SCRIPT)
    part = printed[printed.index("three times n += 1, but n is 2: 4 switches\n"):printed.index("a deadlock 死锁")]
    # The last switch does not count: A has nothing left to do.
    assert part.count(" switch to ") == 5 and "end: n = 2 (wrong)" in part


def test_a_deadlock_says_who_holds_what():
    *_, first, second = output_of(SCRIPT).rstrip().splitlines()
    assert re.fullmatch(r"  A waits for b in line (\d+), which B acquired in line (\d+)", first)
    assert re.fullmatch(r"  B waits for a in line (\d+), which A acquired in line (\d+)", second)


@pytest.mark.parametrize("text, line", [
    ("def a():\n    lock.acquire()\n    lock.acquire()\ndef b(): pass\n", "  a waits for lock in line 18, which a itself acquired in line 17"),
    ("def a():\n    with lock: n\ndef b():\n    with lock: n\n", "now acquires lock"),
    ("def a(): time.sleep(1)\ndef b(): n\n", "sleeps in time.sleep()"),
    ("def a():\n    lock.acquire(timeout=1)\n    n\ndef b(): a()\n", "stops waiting for lock"),
    ("def a(): q.get()\ndef b(): q.put(1)\n", "now gets from q"),
    ("def a(): event.wait()\ndef b(): event.set()\n", "is woken by event"),
])
def test_the_picture_says_plainly_what_a_step_does(tmp_path, text, line):
    """Which schedule contains the step depends on the program, so the test plays several schedules."""
    shown = ""
    for typed in ("a\n" * 9 + "b\n" * 9 + "a\n" * 9, "b\n" * 9 + "a\n" * 9, "a\nb\n" * 9, "b\na\n" * 9):
        shown += run(SCRIPT, student(tmp_path, text), "--you", stdin=typed).stdout
    assert line in shown


# A second way of counting: enumerate all schedules without the explorer

def random_program(rng, threads, most):
    """Return random statements for each thread, as tuples; a thread does at most `most` steps."""
    made = []
    for _ in range(threads):
        statements, steps = [], 0
        while steps < most:
            kind = rng.choice(["set", "add", "copy", "lock"] if steps + 4 <= most else ["set", "add", "copy"] if steps + 2 <= most
                              else ["set"])
            statements.append((kind, rng.choice("nm"), rng.choice("nm"), rng.choice(["a_lock", "b_lock"]), rng.randrange(3)))
            steps += {"set": 1, "add": 2, "copy": 2, "lock": 4}[kind]
        made.append(statements[:rng.randrange(1, len(statements) + 1)])
    return made


def as_source(programs):
    text = ""
    for name, statements in zip("abc", programs):
        text += f"def {name}():\n    global n, m\n"
        for kind, x, y, lock, value in statements:
            text += {"set": f"    {x} = {value}\n", "add": f"    {x} += 1\n", "copy": f"    {x} = {y} + 1\n",
                     "lock": f"    with {lock}:\n        {x} += 1\n"}[kind]
    return text


def as_steps(statements):
    steps = []
    for kind, x, y, lock, value in statements:
        if kind == "set":
            steps.append(("write", x, value))
        elif kind == "lock":
            steps += [("look", lock), ("acquire", lock), ("read", x), ("write", x, None), ("release", lock)]
        else:
            steps += [("read", x if kind == "add" else y), ("write", x, None)]
    return steps


def enumerate_all(threads):
    """Count the outcomes of all schedules of such statements one by one, without the explorer."""
    ends = Counter()

    def go(places, registers, values, waiting):
        places, values = list(places), dict(values)
        for index, steps in enumerate(threads):
            while places[index] < len(steps) and steps[places[index]][0] == "release":
                values[steps[places[index]][1]] = False
                places[index] += 1
        ready = [index for index, steps in enumerate(threads) if places[index] < len(steps)
                 and not (index in waiting and values[steps[places[index]][1]])]
        if not ready:
            over = all(place == len(steps) for place, steps in zip(places, threads))
            ends[(values["n"], values["m"]) if over else "deadlock"] += 1
        for index in ready:
            kind, name, *value = threads[index][places[index]]
            after, seen, now = dict(values), list(registers), list(places)
            if kind == "acquire" and values[name]:
                go(now, seen, after, waiting | {index})
                continue
            if kind == "acquire":
                after[name] = True
            elif kind == "read":
                seen[index] = values[name]
            elif kind == "write":
                after[name] = seen[index] + 1 if value[0] is None else value[0]
            now[index] += 1
            go(now, seen, after, waiting - {index})

    go([0] * len(threads), [0] * len(threads), {"n": 0, "m": 0, "a_lock": False, "b_lock": False}, frozenset())
    return ends


@pytest.mark.parametrize("threads, most, programs", [(2, 4, 150), (3, 2, 50), (2, 6, 12)])
def test_the_explorer_agrees_with_brute_force(threads, most, programs):
    rng, schedules = random.Random(threads * 100 + most), 0
    for number in range(programs):
        made = random_program(rng, threads, most)
        wanted = enumerate_all([as_steps(statements) for statements in made])
        namespace = program(as_source(made))
        functions = [namespace[name] for name in "abc"[:threads]]
        for is_merging in [True] + [False] * (number % 10 == 0):
            ends = Counter()
            exploration = explore(functions, namespace["setup"], is_merging=is_merging)
            for one in exploration.outcomes:
                values = dict(part.split(" = ") for part in one.text.split("; ")) if " = " in one.text else {}
                ends["deadlock" if one.kind == "deadlock" else (int(values.get("n", 0)), int(values.get("m", 0)))] += one.count
            assert ends == wanted, as_source(made)
        schedules += sum(wanted.values())
    assert schedules < 20_000


@pytest.mark.parametrize("text", [
    "def a():\n    items.append(1)\n    items.append(2)\ndef b():\n    if items: items.pop()\n",
    "def a():\n    table['k'] += 1\ndef b():\n    table['k'] += 1\n",
    "def a():\n    box.add()\ndef b():\n    box.add()\n",
    "def a():\n    q.put(1)\n    q.put(2)\ndef b():\n    items.append(q.get())\n    items.append(q.get())\n",
    "def a():\n    event.wait()\n    items.append(n)\ndef b():\n    global n\n    n = 1\n    event.set()\n    n = 2\n",
    "def a():\n    barrier.wait()\n    items.append(1)\ndef b():\n    items.append(2)\n    barrier.wait()\n",
    "def a():\n    with condition:\n        while not n: condition.wait()\ndef b():\n    global n\n    with condition:\n"
    "        n = 1\n        condition.notify()\n",
    "def a():\n    local = items\n    local += [1]\n    n\n    items.append(len(local))\ndef b():\n    items.append(3)\n",
    "def a():\n    if lock.acquire(False):\n        lock.release()\n    else:\n        items.append(n)\ndef b():\n"
    "    global n\n    with lock:\n        n = 1\n",
    # a() reads a list through a local variable while b() has changed the list for a moment.
    "def a():\n    global m\n    local = items\n    n\n    k = len(local)\n    n\n    m = k\ndef b():\n    items.append(3)\n"
    "    items.clear()\n",
    "def a():\n    items.append(box)\n    x = items.pop()\n    x.n += 1\ndef b():\n    y = box\n    y.n = 5\n    y.n\n",
    "def a():\n    pair[0].n += 1\n    pair[1].n = pair[0].n\ndef b():\n    pair[0].n += 1\npair = []\n"
    "old = setup\ndef setup():\n    old()\n    pair[:] = [Box(), Box()]\n",
    # 0.0 == -0.0, but a program can tell them apart.
    "def a():\n    global n, m\n    n = 0.0\n    m = n\ndef b():\n    global n\n    n = -0.0\n",
    # Both hold a list that a has made, and no name leads to it any more.
    "def a():\n    x = []\n    pair.append(x)\n    n\n    x.append(1)\n    n\n    table['k'] = x[0]\ndef b():\n    if pair:\n"
    "        y = pair.pop()\n        n\n        y.append(2)\n        n\npair = []\nold = setup\ndef setup():\n    old()\n    pair.clear()\n",
])
def test_merging_moments_changes_no_count(text):
    assert outcomes(text) == outcomes(text, is_merging=False, seconds=60)


# Every primitive, and every kind of shared place

@pytest.mark.parametrize("text, wanted", [
    ("def a():\n    with rlock:\n        with rlock:\n            box.add()\ndef b():\n    with rlock:\n        box.add()\n", {"right"}),
    ("def a():\n    with a_lock:\n        with a_lock: box.add()\ndef b():\n    box.add()\n", {"deadlock"}),
    ("def a():\n    with semaphore: box.add()\ndef b():\n    with semaphore: box.add()\n", {"right"}),
    ("def a():\n    box.add()\ndef b():\n    box.add()\n", {"right", "wrong"}),
    ("def a():\n    table['k'] += 1\n    box.n = table['k']\ndef b():\n    table['k'] += 1\n    box.n = table['k']\n",
     {"right", "wrong"}),
    ("def a():\n    event.wait()\n    box.n = 2\ndef b():\n    event.set()\n    event.clear()\n", {"right", "deadlock"}),
    ("def a():\n    event.clear()\n    event.wait()\n    box.n = 2\ndef b():\n    event.set()\n", {"right", "deadlock"}),
    ("def a():\n    with condition: condition.wait()\n    box.n = 2\ndef b():\n    with condition: condition.notify()\n",
     {"right", "deadlock"}),
    ("def a():\n    barrier.wait()\n    box.n = 2\ndef b():\n    barrier.wait()\n", {"right"}),
    ("def a():\n    barrier.wait()\ndef b():\n    pass\n", {"deadlock"}),
    ("def a():\n    barrier.wait()\n    barrier.wait()\n    box.n = 2\ndef b():\n    barrier.wait()\n    barrier.wait()\n", {"right"}),
    (BOUNDED + "def a():\n    with bounded: box.add()\ndef b():\n    with bounded: box.add()\n", {"right"}),
    (BOUNDED + "def a():\n    bounded.release()\ndef b():\n    bounded.acquire()\n    box.n = 2\n",
     {"error", "right"}),
    ("def a():\n    box.n = q.get()\ndef b():\n    q.put(2)\n", {"right"}),
    ("def a():\n    box.n = q.get()\ndef b():\n    pass\n", {"deadlock"}),
    ("def a():\n    box.n = q.get_nowait()\ndef b():\n    q.put(2)\n", {"right", "error"}),
    ("def a():\n    if lock.acquire(timeout=1):\n        lock.release()\n        box.n = 2\ndef b():\n    lock.acquire()\n    n\n    lock.release()\n",
     {"right", "wrong"}),
    ("def a():\n    time.sleep(100)\n    box.n = 2\ndef b():\n    box.n = 1\n", {"right", "wrong"}),
    ("def a():\n    lock.release()\ndef b():\n    pass\n", {"error"}),
    # a reads 0, b writes 1 and releases a's lock, and a cannot release it again.
    ("def a():\n    box.n = 2\n    try:\n        with lock: k = n\n    except RuntimeError:\n        if k == 0: box.n = 0\n"
     "def b():\n    global n\n    n = 1\n    try: lock.release()\n    except RuntimeError: pass\n", {"right", "wrong"}),
    ("import sys\ndef a():\n    box.n = 2\n    sys.exit(1)\ndef b():\n    pass\n", {"right"}),
    # Only between the write and the release does b see both. So where a lock is tried without waiting, each release is a step.
    ("def a():\n    with lock: table['k'] = 3\ndef b():\n    box.n = 4 if table['k'] == 3 and lock.locked() else 2\n", {"right", "wrong"}),
    ("def a():\n    with lock: table['k'] = 3\ndef b():\n    box.n = 4 if table['k'] == 3 and not lock.acquire(False) else 2\n",
     {"right", "wrong"}),
])
def test_kinds_of_ends(text, wanted):
    assert set(kinds(text, lambda made: made["box"].n == 2)) == wanted


def test_a_function_that_is_looked_up_is_no_step():
    helped = "def helped(): pass\n" + RACE.replace("    global n\n", "    global n\n    helped()\n")
    assert outcomes(helped) == outcomes(RACE) and sum(outcomes(RACE).values()) == 6


def test_setup_may_start_threads_of_its_own():
    text = "old = setup\ndef setup():\n    old()\n    thread = threading.Thread(target=box.add)\n    thread.start()\n    thread.join()\n"
    assert kinds(text + RACE, lambda made: made["box"].n == 1).keys() == {"right"}


def test_the_wrong_schedule_with_the_fewest_switches_is_shown():
    found = [Outcome("wrong", "short", 1, 3, (0,)), Outcome("right", "right", 1, 0, ()), Outcome("wrong", "few", 1, 1, (0, 1, 0)),
             Outcome("wrong", "few, but longer", 1, 1, (0, 1, 0, 0))]
    assert Exploration(["a", "b"], found, 4, 4, 0, True, 4).losing.text == "few"


def test_long_values_are_cut_off_where_they_are_shown():
    assert ends.text_of_value("x" * 58) == repr("x" * 58)
    assert ends.text_of_value("x" * 59) == "'" + "x" * 56 + "..."
    for text, shown in (("x" * 10, "x" * 10), ("x" * 11, "x" * 7 + "..."), ("汉字汉字", "汉字汉字  "), ("汉字汉字汉字", "汉字汉... ")):
        assert picture.fit(text, 10) == shown


def test_the_picture_fits_80_columns():
    text = "; ".join(f"{name} = {'x' * 50}" for name in "abc")
    found = [Outcome("unfair", text, 10**20, 0, ()), Outcome("wrong", text, 1, 0, ())]
    lines = picture.histogram(Exploration(["a", "b"], found, 10**20 + 1, 2, 0, True, 10**20 + 1))
    names = ", ".join(f"thread_{number}" for number in range(9))
    replay = SimpleNamespace(named=[("a", None)], steps=[], schedule=(), ending=("wrong", text), blocked=[f"{names} wait"])
    lines += picture.schedule(replay, "student.py")
    assert max(map(picture.columns, lines)) == 80


# What the answers to the interview questions say

def test_compare_and_swap_loses_no_update():
    """An optimistic update tries again if another thread has changed n. Without the comparison, updates are lost."""
    text = """
def a():
    global n
    while True:
        old = n
        with lock:
            if n == old:
                n = old + 1
                return
b = a
"""
    assert kinds(text, lambda made: made["n"] == 2).keys() == {"right"}
    assert "wrong" in kinds(text.replace("if n == old", "if old == old"), lambda made: made["n"] == 2)


def test_double_checked_locking_needs_both_checks():
    """m counts how often the object is made."""
    text = """
def a():
    global m, flag
    if not flag:
        with lock:
            if not flag:
                m += 1
                flag = True
b = a
"""
    assert kinds(text, lambda made: made["m"] == 1).keys() == {"right"}
    assert "wrong" in kinds(text.replace("            if not flag", "            if True"), lambda made: made["m"] == 1)


def test_readers_writer_lock_of_a_condition():
    """Either n readers are inside, or one writer (flag). A writer that does not check n meets a reader."""
    text = """
def a():
    global n
    with condition:
        while flag: condition.wait()
        n += 1
    assert not flag
    with condition:
        n -= 1
        condition.notify_all()
def b():
    global flag
    with condition:
        while flag or n: condition.wait()
        flag = True
    assert not n
    with condition:
        flag = False
        condition.notify_all()
"""
    assert kinds(text).keys() == {"right"}
    assert "error" in kinds(text.replace("flag or n:", "flag:"))


def test_a_barrier_that_is_reset_breaks_for_those_who_wait():
    text = """
def a():
    global n
    try:
        barrier.wait()
        n = 3
    except threading.BrokenBarrierError:
        n = 2
def b():
    while not barrier.n_waiting: pass
    barrier.reset()
"""
    assert {kind for kind in kinds(text, lambda made: made["n"] == 2 and not made["barrier"].broken)} - {"unfair", "endless"} == {"right"}


def test_variables_of_an_enclosing_function_are_shared_and_those_of_a_comprehension_are_not():
    inside = """
def make():
    count = 0
    def add():
        nonlocal count
        k = 1
        count = count + sum([k for _ in range(1)])
    return add
a = b = make()
"""
    made = program(inside)
    assert explore([made["a"], made["b"]], made["setup"]).schedules == 6


# What students write

@pytest.mark.parametrize("text, sentence", [
    ("def a(:", "is not Python: .*, line 16"),
    ("def aa(): pass\ndef b(): pass\n", r"has no function a\(\): it needs a, b, setup and check, .* it has .*aa\(\)"),
    ("def a(x): pass\ndef b(): pass\n", r"a\(\) takes arguments"),
    ("def a(): yield\ndef b(): pass\n", r"a\(\) is a generator"),
    ("1 / 0\n", "line 16: ZeroDivisionError: division by zero"),
    ("def a(): input()\ndef b(): pass\n", r"a\(\) cannot be explored: it calls input\(\)"),
    ("def a(): pass\ndef b(): threading.Thread(target=a).start()\n", r"b\(\) starts a thread of its own, in line 17"),
    ("import os\ndef a():\n    os.read(os.pipe()[0], 1)\ndef b(): pass\n", r"for 2 s, a\(\) did nothing .* in line 18"),
    ("def a(): q.shutdown()\ndef b(): pass\n", r"a\(\) cannot be explored: it calls Queue\.shutdown\(\), .* in line 16"),
    ("import sys\ndef a(): pass\ndef b(): pass\ndef setup(): sys.exit(0)\n", r"setup\(\) failed: SystemExit in line 19: 0"),
    ("import sys\ndef a(): pass\ndef b(): pass\ndef check(): sys.exit(0)\n", r"check\(\) failed: SystemExit in line 19: 0"),
    ("def a(): pass\ndef b(): pass\ndef setup(): 1 / 0\n", r"setup\(\) failed: ZeroDivisionError in line 18"),
    ("def a(): pass\ndef b(): pass\ndef check(): nosuch\n", r"check\(\) failed: NameError in line 18"),
    ("def a(): pass\ndef b(): pass\ndef setup(): lock.acquire(); lock.acquire()\n", "this wait would never end: Lock"),
    ("import itertools\nk = itertools.count()\ndef a():\n    if next(k) % 2: n\n    n\ndef b(): n\n", "ran differently the second time"),
    ("import os\nos.read(os.pipe()[0], 1)\n", "still running after 5 s, in line 17"),
])
def test_a_file_that_cannot_be_explored_gets_a_sentence(tmp_path, text, sentence):
    # The program may sleep for 5 s.
    program = run(SCRIPT, student(tmp_path, text), status=2, stderr=rf"interleavings: .*{sentence}.*\n", still=12)
    assert not program.stdout


@pytest.mark.parametrize("text, sentence", [
    ("def a():\n    while True: pass\ndef b(): pass\n", r"for 0.5 s, a\(\) did nothing that the explorer can see; it is in line 17"),
    ("def a():\n    while True:\n        try:\n            while True: n\n        except: pass\ndef b(): n\n", "catches every exception"),
])
def test_a_thread_that_only_computes_gets_a_sentence(tmp_path, text, sentence):
    program = run(sys.executable, "-c", SOON, student(tmp_path, text), status=2, stderr=rf"interleavings: .*{sentence}.*\n")
    assert not program.stdout


def test_a_thread_that_is_slow_to_end_is_waited_for(monkeypatch):
    """It ends only after the explorer has looked where it is."""
    looked, line_of, leave = threading.Event(), Stepper.line_of, Stepper.leave

    def look(self, worker):
        looked.set()
        return line_of(self, worker)

    def leave_late(self):
        assert not self.is_stopping or looked.wait(TIMEOUT)
        leave(self)
    monkeypatch.setattr("explorer.stepper.STUCK_AFTER", 0.1)
    monkeypatch.setattr(Stepper, "line_of", look)
    monkeypatch.setattr(Stepper, "leave", leave_late)
    assert outcomes(RACE) == {("right", "n = 2"): 2, ("right", "n = 1"): 4} and looked.is_set()


def test_a_file_that_does_not_exist(tmp_path):
    run(SCRIPT, tmp_path / "no.py", status=2, stderr="interleavings: .*no.py: No such file or directory\n")


def test_an_exception_of_a_thread_is_an_end(tmp_path):
    text = "def a():\n    global n\n    1 // n\n    n = 2\ndef b():\n    global n\n    n = 1\n"
    printed = run(SCRIPT, student(tmp_path, text), status=1).stdout
    assert "a(): ZeroDivisionError in line 18" in printed and "end: a(): ZeroDivisionError" in printed


def test_the_losing_schedule_of_a_program_that_asks_for_a_lock_without_waiting(tmp_path):
    """A program that tries a lock makes each release a step, so the replayed schedule contains it."""
    text = "".join(f"def {name}():\n    global n\n    if lock.acquire(timeout=1):\n        n += 1\n        lock.release()\n" for name in "ab")
    printed = run(SCRIPT, student(tmp_path, text), status=1).stdout
    assert "releases lock" in printed or "must wait" in printed
    assert "end: n = 1 (wrong)" in printed


def test_the_losing_schedule_of_a_program_that_may_ask_whether_a_lock_is_held(tmp_path):
    """Releases are steps of this program, although no thread asks for the lock in the schedule that goes wrong, or only at its end."""
    text = "def a():\n    global n\n    with lock:\n        n = 1\ndef b():\n    if n: box.n = 1 if lock.locked() else 2\n"
    for wrong in "0", "2":
        printed = run(SCRIPT, student(tmp_path, text + f"def check():\n    return box.n != {wrong}\n"), status=1).stdout
        assert "a schedule that goes wrong" in printed and f"Box(n={wrong})" in printed.rpartition("end:")[2]


def test_an_endless_loop_that_can_be_seen_is_bounded(tmp_path):
    text = "def a():\n    while n < 5: pass\ndef b():\n    global n\n    n = 2\n"
    printed = run(sys.executable, "-c", COUNTED, student(tmp_path, text), "--seconds", "100", status=1).stdout
    assert "not ended after 200 steps" in printed and "a loops while another thread could go on" in printed
    assert " more rows ..." in printed


def test_a_long_run_is_cut_off_but_not_called_a_loop(tmp_path):
    """Each loop ends, so it would be false to say that a thread loops."""
    text = "def a():\n    for _ in range(40):\n        with lock:\n            add()\ndef add():\n    global n\n    n += 1\ndef b():\n    a()\n"
    printed = run(sys.executable, "-c", COUNTED, student(tmp_path, text), "--seconds", "100", status=1).stdout
    assert re.search(r"^  not ended after 200 steps +[\d,]+ +#+ +unfair$", printed, re.M) and "loops while" not in printed


def test_in_check_a_wait_with_a_timeout_is_over_immediately():
    """No other thread runs there. Only a wait without a timeout would never end."""
    never = ("not event.wait(1)", "not lock.acquire(timeout=1)", "not semaphore.acquire(timeout=1)", "fails(queue.Empty, lambda: q.get(timeout=1))",
             "fails(threading.BrokenBarrierError, lambda: barrier.wait(1))", "not condition.acquire() or not condition.wait(1)")
    text = """
def fails(kind, call):
    try:
        call()
    except kind:
        return True
    return False
def a():
    lock.acquire(), semaphore.acquire()
def b():
    pass
def check():
    return """
    for expression in never:
        made = program(text + expression)
        exploration = explore([made["a"], made["b"]], made["setup"], made["check"])
        assert [one.kind for one in exploration.outcomes] == ["right"], expression
    made = program(text + "event.wait()")
    with pytest.raises(Unusable, match="no other thread runs during setup"):
        explore([made["a"], made["b"]], made["setup"], made["check"])


def test_when_the_time_is_up_it_says_of_how_many(tmp_path):
    text = "def a():\n    for x in range(9): items.append(x)\ndef b():\n    for x in range(9): items.append(x)\n"
    printed = run(SCRIPT, student(tmp_path, text), "--seconds", "0.2", status=1).stdout
    assert " schedules, " in printed.splitlines()[0] and " of " in printed.splitlines()[0]
    assert "time limit reached: the schedules not explored may end in other ways" in printed


def test_what_a_student_prints_is_not_mixed_in(tmp_path):
    printed = run(SCRIPT, student(tmp_path, RACE.replace("n += 1", "n += 1; print('noise')")), status=1).stdout
    assert "noise\n" not in printed and printed.startswith("6 schedules")


def test_json_is_the_same_every_time(tmp_path):
    file = student(tmp_path, RACE)
    first, second = (run(SCRIPT, file, "--json", status=1).stdout for _ in range(2))
    assert first == second
    data = json.loads(first)
    assert data["schedules"] == data["total"] == 6 and data["is_complete"]
    assert [(one["kind"], one["text"], one["count"]) for one in data["outcomes"]] == [("right", "n = 2", 2), ("wrong", "n = 1", 4)]
    assert [step["does"] for step in data["losing"]["steps"]] == ["reads n: 0", "reads n: 0", "writes n: 1", "writes n: 1"]
    assert data["losing"]["steps"][0]["source"] == "n += 1"


def test_a_right_program_ends_with_0(tmp_path):
    text = RACE.replace("    n += 1", "    with lock: n += 1")
    assert run(SCRIPT, student(tmp_path, text)).stdout.startswith("24 schedules, 1 outcome\n")


@pytest.mark.parametrize("typed, right, asked", [("0\n0\n1\n1\n", 4, 4), ("0\n1\n1\n2\n", 2, 4), ("0\n", 1, 1), ("", 0, 0)])
def test_predict(tmp_path, typed, right, asked):
    printed = run(SCRIPT, student(tmp_path, RACE), "--predict", stdin=typed, status=1).stdout
    assert f"{right} of {asked} predictions were right" in printed
    assert printed.count("reads n: ?") + printed.count("writes n: ?") == min(4, typed.count("\n") + 1)


def test_you_are_the_scheduler(tmp_path):
    typed = "a\nb\nx\nu\nr\na\nb\nb\nb\na\nq\n"
    printed = run(SCRIPT, student(tmp_path, RACE), "--you", stdin=typed).stdout
    assert "a thread's name, u, r or q" in printed and "b cannot go on" in printed
    assert "end: n = 1" in printed
    assert run(SCRIPT, student(tmp_path, RACE), "--you", stdin="").stdout.count("next") == 1


def test_you_may_undo_a_step(tmp_path):
    shown = run(SCRIPT, student(tmp_path, RACE), "--you", stdin="a\nu\nb\nb\na\na\nq\n").stdout
    assert "end: n = 2" in shown and "(wrong)" not in shown


def test_you_cannot_choose_while_setup_waits_for_ever(tmp_path):
    text = "import os\ndef a(): pass\ndef b(): pass\ndef setup(): os.read(os.pipe()[0], 1)\n"
    run(SCRIPT, student(tmp_path, text), "--you", stdin="", status=2, stderr="interleavings: .*still running after 5 s, in line 19 .*\n", still=12)


def test_a_search_that_is_not_complete_proves_nothing(tmp_path):
    text = "".join(f"def {name}():\n    global n\n    for _ in range(15):\n        with lock: n += 1\n" for name in "ab")
    file = student(tmp_path, text + "def check():\n    return n == 30\n")
    assert "time limit reached" in run(SCRIPT, file, "--seconds", "0.01", status=1).stdout


def test_everything_is_put_back():
    before = threading.Lock, threading.Thread.start, sys.stdout, threading.active_count()
    made = program(RACE)
    lock = made["lock"]
    for _ in range(3):
        explore([made["a"], made["b"]], made["setup"])
    assert (threading.Lock, threading.Thread.start, sys.stdout) == before[:3]
    assert made["lock"] is lock and threading.active_count() == before[3]
    if sys.version_info >= (3, 12):
        assert all(sys.monitoring.get_tool(tool) is None for tool in (3, 4))
