"""day07, processes: each demo shows its fact, seen here from the outside as well."""
import os
import re
import signal

import harness
import pytest
from course import output_of
from harness import Program

# That each of them prints what its docstring shows is checked in test_course.py. Here it is what the numbers must be.


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def test_fork():
    lines = output_of("day07/fork.py").splitlines()
    [parent] = numbers(lines[0])
    child, zero = numbers(lines[1])
    assert zero == 0 and child != parent
    assert numbers(lines[2]) == [child]
    assert numbers(lines[3]) == [parent, child]
    assert numbers(lines[4]) == [parent]


def test_fork1():
    output_of("day07/fork1.py")


def test_get_pid():
    lines = output_of("day07/get_pid.py").splitlines()
    parent, ours = numbers(lines[0])
    assert ours == os.getpid()                     # it was this process that started it
    child, its_parent = numbers(lines[1])
    assert its_parent == parent
    assert numbers(lines[2]) == [child]


def test_exit():
    output_of("day07/exit.py")


def test_wait():
    lines = output_of("day07/wait.py").splitlines()
    first, second = numbers(lines[0]), numbers(lines[1])
    assert first[0] == first[2] and first[3] == 3 << 8
    assert second[0] == second[1] and second[2] == 9


def test_child():
    lines = output_of("day07/child.py").splitlines()
    parent, middle = numbers(lines[0])
    grandchild = numbers(lines[2])[0]
    assert len({parent, middle, grandchild}) == 3
    assert numbers(lines[2]) == [grandchild, middle, parent]
    assert [numbers(line)[0] for line in lines[3:7]] == [parent, grandchild] * 2


def test_zombie():
    output_of("day07/zombie.py")


def test_orphan():
    lines = output_of("day07/orphan.py").splitlines()
    child, parent = numbers(lines[0])
    assert numbers(lines[1]) == [parent]
    # The nearest subreaper above it is this process, which also reaps it: orphans=1.
    assert numbers(lines[2])[:2] == [child, os.getpid()]


def test_sigchld():
    output_of("day07/sigchld.py")


def test_process_states():
    output_of("day07/process_states.py")


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("line", ["running", "waiting.*socket", "waiting.*vfork", "stopped"])
def test_process_states_leaves_nothing_when_it_is_ended_half_way(signum, line):
    with Program("day07/process_states.py", tty=True) as program:      # on a terminal, so that each line comes at once
        program.expect(line)
        if signum == signal.SIGINT:
            program.interrupt()
        else:
            program.signal(signum)
        program.wait()
        assert all(harness.reap(pid, harness.ORPHAN_TIMEOUT) for pid in harness.adopted_by_us())


def test_pcb():
    lines = output_of("day07/pcb.py").splitlines()
    pid, ppid = numbers(lines[0])
    assert ppid == os.getpid() != pid
    assert numbers(lines[2]) == [1]                # thread
    assert 1000 < numbers(lines[3])[0] < 100_000   # kB
    assert numbers(lines[4]) == [3]                # open files: standard input, output and error
    lost, *milliseconds = re.findall(r"[\d.]+", lines[-1])
    assert int(lost) >= 5 and 0.01 < float(milliseconds[0]) < 1000
