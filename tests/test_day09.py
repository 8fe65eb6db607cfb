"""day09, IPC and threads: each demo shows its fact, seen here from the outside as well.

That each prints what its docstring shows, those with processes with every start method, is checked in test_course.py.
"""
import re
import sys

import pytest
from course import output_of
from harness import ROOT, TIMEOUT, run


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def test_pipe():
    output_of("day09/pipe.py")


def test_pipe_end():
    output_of("day09/pipe_end.py")


def test_queue_0():
    lines = output_of("day09/queue_0.py").splitlines()
    at_once, later = [float(re.search(r"after ([\d.]+) s", line)[1]) for line in lines[1:3]]
    assert at_once < TIMEOUT and later >= 0.2


def test_queue_join():
    output_of("day09/queue_join.py")


def test_value():
    output_of("day09/value.py")


def test_array():
    output_of("day09/array.py")


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
    output_of("day09/sem.py")


def test_signal_ipc():
    output_of("day09/signal_ipc.py")


def test_socketpair():
    output_of("day09/socketpair.py")


def test_thread1():
    lines = output_of("day09/thread1.py").splitlines()
    main, branch = numbers(lines[0]), numbers(lines[1])
    assert main[0] == branch[0]                    # PID
    assert main[1] == main[0] != branch[1]         # the main thread's id is the PID, the other's is not


def test_thread2():
    output_of("day09/thread2.py")


def test_thread_error():
    output_of("day09/thread_error.py")


def test_thread_attr():
    lines = output_of("day09/thread_attr.py").splitlines()
    running, joined = [numbers(line) for line in lines[2:4]]
    assert running == joined and len(running) == 2


def test_myThread():
    output_of("day09/myThread.py")


def test_thread_cost():
    lines = output_of("day09/thread_cost.py").splitlines()
    process, thread = [float(re.search(r"([\d.]+) ms", line)[1]) for line in lines[1:3]]
    assert process > thread > 0 and lines[1].count("#") > lines[2].count("#") > 0
    assert numbers(lines[3]) == [pytest.approx(process / thread, rel=0.1, abs=1)]
