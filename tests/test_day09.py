"""day09, IPC and threads: each demo shows its fact, seen here from the outside as well.

That each prints what its docstring shows, those with processes with every start method, is checked in test_course.py.
"""
import re
import sys

import pytest
from course import output_of
from harness import ROOT, TIMEOUT, run

# For a program that imports a script of this day, changes something, and runs it.
CHANGED = {"cwd": ROOT / "day09", "env": {"PYTHONDONTWRITEBYTECODE": "1"}}


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
        "print('multiprocessing.sharedctypes' in sys.modules, getattr(array, '__file__', 'built in'))\n"
        f"assert sys.path[0] == {str(tmp_path)!r}, 'other modules of the folder are not found any more'\n")
    printed = run(tmp_path / "uses_it.py").stdout
    assert str(tmp_path) not in printed
    if "array" not in sys.builtin_module_names:
        assert re.search(r"array\S*\.so$", printed)


def test_sem():
    output_of("day09/sem.py")


def test_sem_counts_under_a_lock():
    """Else a process that comes in between two steps of another one might not be counted."""
    run(sys.executable, "-c", """if True:
        import contextlib, threading, sem
        from types import SimpleNamespace as Object
        class Inside:
            def __init__(self):
                self.is_locked, self.number = False, 0
            @contextlib.contextmanager
            def get_lock(self):
                self.is_locked = True
                yield
                self.is_locked = False
            @property
            def value(self):
                assert self.is_locked
                return self.number
            @value.setter
            def value(self, number):
                assert self.is_locked
                self.number = number
        slot, inside, most = threading.Semaphore(1), Inside(), Object(value=0)
        def wait():
            assert inside.number == 1 and not slot.acquire(blocking=False)
        sem.work(slot, Object(wait=wait), inside, most)
        assert (inside.number, most.value) == (0, 1) and slot.acquire(blocking=False)
        """, **CHANGED)


def test_signal_ipc():
    output_of("day09/signal_ipc.py")


def test_signal_ipc_holds_the_signals_back():
    """The child has its turn after each signal, and has taken none when the next one comes."""
    run(sys.executable, "-c", f"""if True:
        import multiprocessing, os, sys, signal_ipc
        sys.path.insert(0, {str(ROOT / "tests")!r})
        from harness import state_of
        kill, sent = os.kill, []
        def kill_and_wait(pid, signum):
            kill(pid, signum)
            sent.append(signum.name)
            while state_of(pid) != "S":
                os.sched_yield()
        os.kill = kill_and_wait
        multiprocessing.set_start_method("fork")
        signal_ipc.main()
        assert sent == ["SIGUSR1"] * 5 + ["SIGUSR2"], sent
        """, **CHANGED)


def test_socketpair():
    output_of("day09/socketpair.py")


def test_thread1():
    lines = output_of("day09/thread1.py").splitlines()
    main, branch = numbers(lines[0]), numbers(lines[1])
    assert main[0] == branch[0]                    # PID
    assert main[1] == main[0] != branch[1]         # the main thread's id is the PID, the other's is not


def test_thread2():
    output_of("day09/thread2.py")


def test_thread2_joins_every_thread_and_each_passes_the_barrier():
    run(sys.executable, "-c", """if True:
        import threading, thread2
        joined, passed = [], []
        class Barrier(threading.Barrier):
            def wait(self):
                super().wait()
                passed.append(threading.get_ident())
        class Thread(threading.Thread):
            def join(self):
                super().join()
                joined.append(self)
        thread2.Thread, thread2.Barrier = Thread, Barrier
        thread2.main()
        assert len(set(joined)) == len(passed) == 5, (joined, passed)
        """, **CHANGED)


def test_thread_error():
    output_of("day09/thread_error.py")


def test_thread_attr():
    lines = output_of("day09/thread_attr.py").splitlines()
    running, joined = [numbers(line) for line in lines[2:4]]
    assert running == joined
    ident, native_id = running
    assert ident != native_id                      # Python's number is not the kernel's


def test_myThread():
    output_of("day09/myThread.py")


def test_thread_cost_is_that_of_a_whole_life():
    run(sys.executable, "-c", """if True:
        import thread_cost
        did = []
        class Kind:
            def __init__(self, target):
                did.append("create")
            def start(self):
                did.append("start")
            def join(self):
                did.append("join")
        now = iter([10, 13])
        thread_cost.time.perf_counter = lambda: did.append("look at the clock") or next(now)
        assert thread_cost.cost(Kind) == 3
        assert did == ["look at the clock", "create", "start", "join", "look at the clock"], did
        """, **CHANGED)


def test_thread_cost():
    lines = output_of("day09/thread_cost.py").splitlines()
    process, thread = [float(re.search(r"([\d.]+) ms", line)[1]) for line in lines[1:3]]
    assert process > thread > 0 and lines[1].count("#") > lines[2].count("#") > 0
    assert numbers(lines[3]) == [pytest.approx(process / thread, rel=0.1, abs=1)]
