"""day08, multiprocessing: each demo shows its fact, seen here from the outside as well.

That each prints what its docstring shows, with every start method, is checked in test_course.py.
"""
import multiprocessing
import re
import sys

from course import output_of
from harness import ROOT, run

# For a program that imports a script of this day, changes something, and runs it.
CHANGED = {"cwd": ROOT / "day08", "env": {"PYTHONDONTWRITEBYTECODE": "1"}}


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def test_process1():
    lines = output_of("day08/process1.py").splitlines()
    parent = numbers(lines[0])[0]
    child, its_parent = numbers(lines[1])
    assert its_parent == parent != child
    assert numbers(lines[2]) == [parent, child, 0]


def test_process1_and_process3_name_the_process_that_made_them():
    """Which is not the one that forks (os.getppid), where a fork server does that."""
    assert run(sys.executable, "-c", """if True:
        import process1, process3
        from types import SimpleNamespace as Object
        process1.parent_process = process3.parent_process = lambda: Object(pid="the maker")
        process1.greet()
        process3.work(0)
        """, **CHANGED).stdout.count(" the maker") == 2


def test_process2():
    output_of("day08/process2.py")


def test_process3():
    *children, summary = output_of("day08/process3.py").splitlines()
    parent = numbers(summary)[0]
    pids = [numbers(line)[0] for line in children]
    assert [numbers(line)[1] for line in children] == [parent] * 3
    assert len({parent, *pids}) == 4
    assert 1.5 <= float(re.search(r"together ([\d.]+) s", summary)[1]) < 3.0


def test_process_attr():
    lines = output_of("day08/process_attr.py").splitlines()
    running, returned, failed, terminated = [numbers(line)[0] for line in lines[2:]]
    assert running == returned and len({returned, failed, terminated}) == 3


def test_process_daemon():
    output_of("day08/process_daemon.py")


def test_myProcess():
    lines = output_of("day08/myProcess.py").splitlines()
    main = numbers(lines[0])[0]
    assert numbers(lines[1])[0] != main            # start() runs it in a process of its own
    assert numbers(lines[3])[0] == main            # run() does not


def test_pool():
    output_of("day08/pool.py")


def test_pool_end():
    _, replaced, _ = output_of("day08/pool_end.py").splitlines()
    first, second = numbers(replaced)
    assert first != second


def test_pool_cost():
    lines = output_of("day08/pool_cost.py").splitlines()
    each, pool = [float(re.search(r"([\d.]+) ms", line)[1]) for line in lines[1:3]]
    assert float(re.search(r"took ([\d.]+) times", lines[3])[1]) > 1
    assert each > pool and lines[1].count("#") > lines[2].count("#") > 0


def test_pool_and_its_workers_ignore_ctrl_c_from_the_beginning():
    """A pool that Ctrl-C meets while it is being created can hang."""
    run(sys.executable, "-c", """if True:
        import signal, pool, pool_cost, pool_end
        created = []
        def Pool(count):
            created.append((count, signal.getsignal(signal.SIGINT)))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise StopIteration
        pool_cost.with_a_process_for_each = lambda: 0
        for script in (pool, pool_cost, pool_end):
            script.Pool = Pool
            try:
                script.main()
            except StopIteration:
                pass
        # Of the three tasks of pool_end, two are to be waiting.
        assert created == [(2, signal.SIG_IGN), (2, signal.SIG_IGN), (1, signal.SIG_IGN)], created
        """, **CHANGED)


def test_pool_cost_waits_for_every_task():
    """Both ways do the same tasks, and their times contain the ends of all of them."""
    run(sys.executable, "-c", """if True:
        import contextlib, pool_cost
        from types import SimpleNamespace as Object
        did = []
        def process(target, args):
            return Object(start=lambda: did.append((target, args)), join=lambda: did.append("end"))
        def apply_async(target, args):
            return Object(get=lambda timeout: did.append((target, args)))
        pool_cost.Process = process
        pool_cost.Pool = lambda count: contextlib.nullcontext(Object(apply_async=apply_async))
        tasks = [(pool_cost.task, (n,)) for n in range(8)]
        pool_cost.with_a_process_for_each()
        assert did == [one for task in tasks for one in (task, "end")], did
        did.clear()
        now = iter([0, 3, 10])
        pool_cost.time.perf_counter = lambda: next(now)
        assert pool_cost.with_a_pool() == (3, 7)   # to make it, to use it
        assert did == [tasks[0], *tasks], did
        """, **CHANGED)


def test_pool_cost_takes_the_fastest_rounds():
    printed = run(sys.executable, "-c", """if True:
        import pool_cost
        each, pool = iter([0.5, 0.2, 0.3, 0.4, 0.9]), iter([(0.03, 0.02), (0.04, 0.01), (0.02, 0.05), (0.06, 0.02), (0.05, 0.08)])
        pool_cost.with_a_process_for_each, pool_cost.with_a_pool = lambda: next(each), lambda: next(pool)
        pool_cost.main()
        """, **CHANGED).stdout
    assert re.findall(r"[\d.]+ ms", printed) == ["200.0 ms", "10.0 ms", "20.0 ms"]
    assert printed.endswith("took 20 times as long (6.7 with making the pool)\n") and printed.count("#") == 24 + 1


def test_start_methods():
    first = output_of("day08/start_methods.py").splitlines()[0]
    assert first == f"the default of this Python: {multiprocessing.get_start_method()}"


def test_child_stdin():
    output_of("day08/child_stdin.py")


def test_child_stdin_without_one_says_what_it_needs():
    program = run("sh", "-c", 'exec "$0" "$1" <&-', sys.executable, ROOT / "day08/child_stdin.py", status=2, stderr="this needs [^\n]+\n")
    assert not program.stdout
