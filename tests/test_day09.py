"""day09, IPC and threads: each demo shows its fact, seen here from the outside as well.

That each prints what its docstring shows, those with processes with every start method, is checked in test_course.py.
"""
import re
import sys

import pytest
from course import HELPERS
from harness import ROOT, run

def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def test_pipe():
    run("day09/pipe.py", orphans=HELPERS)


def test_queue_0():
    run("day09/queue_0.py", orphans=HELPERS)


def test_value():
    run("day09/value.py", orphans=HELPERS)


def test_array():
    run("day09/array.py", orphans=HELPERS)


def test_array_gives_way_to_the_standard_module(tmp_path):
    """Where the standard array is not built into the interpreter, Python finds day09/array.py first."""
    (tmp_path / "array.py").write_bytes((ROOT / "day09/array.py").read_bytes())
    (tmp_path / "uses_it.py").write_text(
        "import array, sys\n"
        "assert array.array('i', [1, 2]).tolist() == [1, 2]\n"
        "assert sys.modules['array'] is array and array.__name__ == 'array'\n"
        "print('multiprocessing.sharedctypes' in sys.modules, getattr(array, '__file__', 'built in'))\n")
    printed = run(tmp_path / "uses_it.py").stdout
    assert str(tmp_path) not in printed
    if "array" not in sys.builtin_module_names:
        assert re.search(r"array\S*\.so$", printed)


def test_sem():
    run("day09/sem.py", orphans=HELPERS)


def test_signal_ipc():
    run("day09/signal_ipc.py", orphans=HELPERS)


def test_socketpair():
    run("day09/socketpair.py", orphans=HELPERS)


def test_thread1():
    lines = run("day09/thread1.py").stdout.splitlines()
    main, branch = numbers(lines[0]), numbers(lines[1])
    assert main[0] == branch[0]                    # PID
    assert main[1] == main[0] != branch[1]         # the main thread's id is the PID, the other's is not


def test_thread2():
    run("day09/thread2.py")


def test_thread_attr():
    lines = run("day09/thread_attr.py").stdout.splitlines()
    running, joined = [re.search(r"ident (\d+)  native_id (\d+)", line).groups() for line in lines[1:3]]
    assert running == joined


def test_myThread():
    run("day09/myThread.py")


def test_thread_cost():
    lines = run("day09/thread_cost.py", orphans=HELPERS).stdout.splitlines()
    process, thread = [float(re.search(r"([\d.]+) ms", line)[1]) for line in lines[1:3]]
    assert process > thread > 0 and lines[1].count("#") > lines[2].count("#") > 0
    assert numbers(lines[3]) == [pytest.approx(process / thread, rel=0.1, abs=1)]
