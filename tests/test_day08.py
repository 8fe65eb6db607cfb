"""Test the scripts of day 8 (multiprocessing) from outside: each one must show its fact.

test_course.py checks that each script prints what its docstring shows, with every start method.
"""
import multiprocessing
import os
import re
import sys

import pytest
from course import HELPERS, output_of
from harness import ROOT, run

# Options of run() for code that imports a script of this day, changes something in it, and runs it.
CHANGED = {"cwd": ROOT / "day08", "env": {"PYTHONDONTWRITEBYTECODE": "1"}}


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def test_process1():
    lines = output_of("day08/process1.py").splitlines()
    parent = numbers(lines[0])[0]
    child, its_parent = numbers(lines[1])
    assert its_parent == parent != child
    assert numbers(lines[2]) == [parent, child, 0]


def test_process1_names_the_process_that_made_it():
    """The script names the process that called start(), not the one that forked (os.getppid), which may be a fork server."""
    assert run(sys.executable, "-c", """if True:
        import process1
        from types import SimpleNamespace as Object
        process1.parent_process = lambda: Object(pid="the maker")
        process1.greet()
        """, **CHANGED).stdout.endswith(" the maker\n")


def test_process2():
    output_of("day08/process2.py")


def test_process3():
    first, *children, summary = output_of("day08/process3.py").splitlines()
    parent = numbers(summary)[0]
    assert numbers(first) == [parent, 5]
    pids = [numbers(line)[0] for line in children]
    assert len({parent, *pids}) == 6
    assert 1.5 <= float(re.search(r"together ([\d.]+) s", summary)[1]) < 5.0


def test_process_attr():
    lines = output_of("day08/process_attr.py").splitlines()
    running, returned, failed, terminated = [numbers(line)[0] for line in lines[2:]]
    assert running == returned and len({returned, failed, terminated}) == 3


def test_process_daemon():
    output_of("day08/process_daemon.py")


def test_myProcess():
    lines = output_of("day08/myProcess.py").splitlines()
    main = numbers(lines[0])[0]
    assert numbers(lines[1])[0] != main            # start() calls run() in another process
    assert numbers(lines[3])[0] == main            # a direct call of run() does not


def test_pool():
    output_of("day08/pool.py")


def test_pool_end():
    _, replaced, _ = output_of("day08/pool_end.py").splitlines()
    first, second = numbers(replaced)
    assert first != second


def test_pool_cost():
    lines = output_of("day08/pool_cost.py").splitlines()
    each, pool = [float(re.search(r"([\d.]+) ms", line)[1]) for line in lines[1:3]]
    assert float(re.search(r"takes ([\d.]+) times", lines[3])[1]) > 1
    assert each > pool and lines[1].count("#") > lines[2].count("#") > 0


def test_pool_and_its_workers_ignore_ctrl_c_from_the_beginning():
    """If Ctrl-C comes while a pool is being created, the program can hang."""
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
        # pool_end has one worker, so that two of its three tasks must wait.
        assert created == [(2, signal.SIG_IGN), (2, signal.SIG_IGN), (1, signal.SIG_IGN)], created
        """, **CHANGED)


def test_pool_cost_waits_for_every_task():
    """With and without a pool, the tasks are the same, and the time includes the end of every task."""
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
        assert pool_cost.with_a_pool() == (3, 7)   # seconds to create the pool, and to use it
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
    assert printed.endswith("takes 20 times as long as the pool\n(6.7 times if the time to create the pool is included)\n") and printed.count("#") == 24 + 1


def test_start_methods():
    first = output_of("day08/start_methods.py").splitlines()[0]
    assert first == f"the default of this Python: {multiprocessing.get_start_method()}"


def test_start_methods_checks_that_the_lambda_ran():
    run(sys.executable, "-c", """if True:
        import start_methods
        from types import SimpleNamespace as Object
        def process(exitcode):
            return lambda target: Object(start=lambda: None, join=lambda: None, exitcode=exitcode)
        assert start_methods.start_a_lambda(Object(Process=process(0))) == "works"
        try:
            start_methods.start_a_lambda(Object(Process=process(1)))
        except AssertionError:
            exit()
        raise AssertionError("the lambda did not run, but it is said to work")
        """, **CHANGED)


def test_child_stdin():
    output_of("day08/child_stdin.py")


def test_child_stdin_without_one_says_what_it_needs():
    program = run("sh", "-c", 'exec "$0" "$1" <&-', sys.executable, ROOT / "day08/child_stdin.py", status=2, stderr="this needs [^\n]+\n")
    assert not program.stdout


# What the questions and "Check yourself" on this day's page claim beyond the scripts

FORK = """if True:
    import multiprocessing, os, signal, sys, threading, time
    context = multiprocessing.get_context("fork")
"""


def fork(code):
    """Run the code in another Python, where `context` is multiprocessing's context for fork; return what it prints."""
    return run(sys.executable, "-c", FORK + code, stderr="(?s).*").stdout


@pytest.mark.parametrize("method", sorted(multiprocessing.get_all_start_methods()))
def test_process1_without_a_main_guard(method, tmp_path):
    script = tmp_path / "process1.py"
    text, guards = re.subn('if __name__ == "__main__":\n    ', "", (ROOT / "day08/process1.py").read_text(encoding="utf-8"))
    script.write_text(text, encoding="utf-8")
    assert guards == 1
    if method == "fork":
        run("tests/start_with.py", method, script)
    else:
        ended = run("tests/start_with.py", method, script, status=1, stderr="(?s).*", orphans=HELPERS)
        in_the_helper = method == "forkserver" and "in import_main_path" in ended.stderr      # newer Pythons import the file there too
        assert in_the_helper or "RuntimeError" in ended.stderr and "expected exit code 0; it is 1" in ended.stderr


def test_process_attr_terminate_skips_finally():
    assert fork("""
    reader, writer = context.Pipe(duplex=False)
    def work():
        try:
            writer.send("inside try")
            signal.pause()
        finally:
            writer.send("finally")
    child = context.Process(target=work)
    child.start()
    writer.close()
    print(reader.recv())
    child.terminate()
    try:
        print(reader.recv())
    except EOFError:
        child.join()
        print("no finally,", child.exitcode)""") == "inside try\nno finally, -15\n"


def test_process_attr_exception_gives_exit_code_1_and_does_not_reach_the_parent():
    assert fork("""
    child = context.Process(target=int, args=("x",))
    child.start()
    child.join()
    print("still here,", child.exitcode)""") == "still here, 1\n"


def test_process_attr_kill_and_close():
    assert fork("""
    child = context.Process(target=signal.pause)
    child.start()
    try:
        child.close()
    except ValueError:
        print("close: still running")
    child.kill()
    child.join()
    print(child.exitcode)
    child.close()
    try:
        child.exitcode
    except ValueError:
        print("closed")""") == "close: still running\n-9\nclosed\n"


def test_pool_map_keeps_the_order_of_the_arguments():
    """The first task ends last: it waits until the second one has ended."""
    assert fork("""
    second_has_ended = context.Event()
    def work(n):
        if n == 2:
            second_has_ended.set()
        elif not second_has_ended.wait(10):
            raise TimeoutError
        return n
    with context.Pool(2) as pool:
        print(pool.map(work, [1, 2], chunksize=1))""") == "[1, 2]\n"


def test_pool_imap_unordered_yields_what_is_ready():
    assert fork("""
    may_end = context.Event()
    def work(n):
        if n == 1 and not may_end.wait(10):
            raise TimeoutError
        return n
    with context.Pool(2) as pool:
        results = pool.imap_unordered(work, [1, 2])
        print(next(results))
        may_end.set()
        print(next(results))""") == "2\n1\n"


def test_pool_chunksize_of_map_makes_at_most_four_chunks_for_each_worker():
    assert fork("""
    with context.Pool(2) as pool:
        print(*[pool.map_async(abs, range(count))._chunksize for count in (80, 81, 9)])""") == "10 11 2\n"       # 8, 8 and 5 chunks


def test_pool_error_comes_with_the_traceback_of_the_worker():
    assert fork("""
    def work():
        return 1 / 0
    with context.Pool(1) as pool:
        try:
            pool.apply(work)
        except ZeroDivisionError as error:
            print("in work" in str(error.__cause__))""") == "True\n"


def test_pool_error_that_cannot_be_unpickled_stops_the_pool():
    """Unpickling calls the class with the arguments that BaseException.__init__ got, here one too few. The thread that reads the results ends."""
    assert fork("""
    class Late(Exception):
        def __init__(self, seconds, unit):
            super().__init__(seconds)
    def work():
        raise Late(1, "s")
    pool = context.Pool(1)
    task = pool.apply_async(work)
    pool._result_handler.join(10)
    print(pool._result_handler.is_alive(), task.ready())
    another = pool.apply_async(abs, (-1,))
    another.wait(0.5)
    print(another.ready())
    pool._cache.clear()                            # otherwise, terminate raises AssertionError
    pool.terminate()""") == "False False\nFalse\n"


def test_pool_initializer_runs_once_in_each_worker():
    assert fork("""
    calls = 0
    def initialize():
        global calls
        calls += 1
    def work(n):
        return calls
    with context.Pool(2, initialize) as pool:
        print(set(pool.map(work, range(20))))""") == "{1}\n"


def test_pool_refuses_a_queue_as_argument_of_a_task():
    """Queues and locks can be arguments of a Process or of a pool's initializer, but not of a task."""
    assert fork("""
    with context.Pool(1) as pool:
        try:
            pool.apply(print, (context.Queue(),))
        except RuntimeError as error:
            print(error)""") == "Queue objects should only be shared between processes through inheritance\n"


def test_pool_worker_killed_while_idle_keeps_the_lock_of_the_queue():
    """A worker that waits for a task holds the lock of the queue. If it is killed, its successor waits for that lock, and so does terminate."""
    assert fork("""
    with context.Pool(1) as pool:
        lock = pool._inqueue._rlock
        while lock.acquire(block=False):           # until the worker holds the lock
            lock.release()
            time.sleep(0.001)
        [worker] = multiprocessing.active_children()
        worker.kill()
        worker.join()
        task = pool.apply_async(abs, (-1,))
        task.wait(0.5)
        print(task.ready())
        lock.release()
        print(task.get(timeout=10))
        while lock.acquire(block=False):
            lock.release()
            time.sleep(0.001)
        [worker] = multiprocessing.active_children()
        worker.kill()
        worker.join()
        terminator = threading.Thread(target=pool.terminate)
        terminator.start()
        terminator.join(0.5)
        print(terminator.is_alive())
        lock.release()""") == "False\n1\nTrue\n"


def test_pool_error_callback_gets_the_error_without_get():
    assert fork("""
    import queue
    errors = queue.Queue()
    with context.Pool(1) as pool:
        pool.apply_async(divmod, (1, 0), error_callback=errors.put)
        print(type(errors.get(timeout=10)).__name__)""") == "ZeroDivisionError\n"


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="this needs /proc")
def test_start_methods_reap():
    """A child that has ended is a zombie until the parent reaps it, except with forkserver: there, the fork server has reaped it."""
    for method in multiprocessing.get_all_start_methods():
        printed = run(sys.executable, "-c", f"""if True:
            import multiprocessing, os, time
            from multiprocessing import connection
            child = multiprocessing.get_context("{method}").Process(target=abs, args=(1,))
            child.start()
            connection.wait([child.sentinel], 10)
            try:
                os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
                with open(f"/proc/{{child.pid}}/stat") as stat:
                    print(stat.read().split()[2])
                child.is_alive()
            except ChildProcessError:
                print("not my child")
            print(os.path.exists(f"/proc/{{child.pid}}"))
            child.join()""", orphans=HELPERS).stdout
        assert printed == {"forkserver": "not my child\nFalse\n"}.get(method, "Z\nFalse\n"), method


def test_pool_with_more_workers_than_cpus_computes_no_faster():
    """On one CPU, four workers together get no more than one CPU's time."""
    cpu, wall = map(float, fork("""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    def compute(n):
        started = time.process_time()
        sum(range(2_000_000))
        return time.process_time() - started
    with context.Pool(4) as pool:
        started = time.monotonic()
        print(sum(pool.map(compute, range(8), chunksize=1)), time.monotonic() - started)""").split())
    assert cpu <= 1.05 * wall


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="this kernel has no smaps_rollup")
def test_start_methods_fork_shares_a_page_until_one_side_writes():
    """Reading a Python object changes its reference count, which is a write. The bytes of a bytearray have no such count."""
    read_bytes, write_bytes, read_objects = map(int, fork("""
    MEGABYTE = 1 << 20
    data, objects = bytearray(20 * MEGABYTE), [object() for _ in range(1_000_000)]
    def copied():
        with open("/proc/self/smaps_rollup") as file:
            [row] = [line for line in file if line.startswith("Private_Dirty:")]
        return int(row.split()[1]) * 1024 // MEGABYTE
    def read_bytes():
        sum(data)
    def write_bytes():
        for i in range(0, len(data), 4096):
            data[i] = 1
    def read_objects():
        for one in objects:
            pass
    def child(work):
        before = copied()
        work()
        print(copied() - before)
    for work in read_bytes, write_bytes, read_objects:
        process = context.Process(target=child, args=(work,))
        process.start()
        process.join()""").split())
    assert read_bytes < 2 and write_bytes > 15 and read_objects > 10
