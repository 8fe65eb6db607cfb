"""day08, multiprocessing: each demo shows its fact, seen here from the outside as well.

That each prints what its docstring shows, with every start method, is checked in test_course.py.
"""
import multiprocessing
import re
import sys

from course import output_of
from harness import ROOT, run


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def test_process1():
    lines = output_of("day08/process1.py").splitlines()
    parent = numbers(lines[0])[0]
    child, its_parent = numbers(lines[1])
    assert its_parent == parent != child
    assert numbers(lines[2]) == [parent, child, 0]


def test_process2():
    output_of("day08/process2.py")


def test_process3():
    first, *children, summary = output_of("day08/process3.py").splitlines()
    parent = numbers(summary)[0]
    assert numbers(first) == [parent, 3]
    pids = [numbers(line)[0] for line in children]
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


def test_start_methods():
    first = output_of("day08/start_methods.py").splitlines()[0]
    assert first == f"the default of this Python: {multiprocessing.get_start_method()}"


def test_child_stdin():
    output_of("day08/child_stdin.py")


def test_child_stdin_without_one_says_what_it_needs():
    program = run("sh", "-c", 'exec "$0" "$1" <&-', sys.executable, ROOT / "day08/child_stdin.py", status=2, stderr="this needs [^\n]+\n")
    assert not program.stdout
