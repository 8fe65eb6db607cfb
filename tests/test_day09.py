"""Test the scripts of day 9 (IPC and threads) from outside: each one must show its fact.

test_course.py checks that each script prints what its docstring shows. It runs scripts with processes under every start method.
"""
import errno
import os
import re
import select
import signal
import sys

import pytest
from course import HELPERS, output_of
from harness import ROOT, TIMEOUT, run

# Options of run() for code that imports a script of this day, changes something in it, and runs it.
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
    """If the standard module array is not built into the interpreter, Python finds day09/array.py first."""
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
    """Without the lock, a process that comes between two steps of another one might not be counted."""
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
    """After each signal the child gets a CPU, but it must not handle any signal before all have been sent."""
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
    assert main[1] == main[0] != branch[1]         # the main thread's id is the PID, the other thread's id is not


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
        thread_cost.Process = thread_cost.Thread = Kind
        for cost in (thread_cost.seconds_for_a_process, thread_cost.seconds_for_a_thread):
            did.clear()
            now = iter([10, 13])
            thread_cost.time.perf_counter = lambda: did.append("look at the clock") or next(now)
            assert cost() == 3
            assert did == ["look at the clock", "create", "start", "join", "look at the clock"], did
        """, **CHANGED)


def test_thread_cost():
    lines = output_of("day09/thread_cost.py").splitlines()
    process, thread = [float(re.search(r"([\d.]+) ms", line)[1]) for line in lines[1:3]]
    assert process > thread > 0 and lines[1].count("#") > lines[2].count("#") > 0
    assert numbers(lines[3]) == [pytest.approx(process / thread, rel=0.1, abs=1)]


# What the questions and "Check yourself" on this day's page claim beyond the scripts

def python(code, **options):
    """Run the code in another Python, where `context` is multiprocessing's context for fork; return what it prints."""
    head = "if True:\n    import multiprocessing, os, signal, sys, threading\n    context = multiprocessing.get_context('fork')\n"
    return run(sys.executable, "-c", head + code, **options).stdout


def test_pipe_of_os_joins_messages_and_a_connection_keeps_them_apart():
    assert python("""
    reader, writer = os.pipe()
    os.write(writer, b"hello")
    os.write(writer, b"world")
    print(os.read(reader, 100))
    reader, writer = context.Pipe(duplex=False)
    writer.send_bytes(b"hello")
    writer.send_bytes(b"world")
    print(reader.recv_bytes(), reader.recv_bytes())""") == "b'helloworld'\nb'hello' b'world'\n"


WITHOUT_A_READER = """
    reader, writer = os.pipe()
    os.close(reader)
    os.write(writer, b"x")"""


def test_pipe_without_a_reader_raises_broken_pipe_error():
    python(WITHOUT_A_READER, status=1, stderr="(?s).*BrokenPipeError: .Errno 32. .*")


def test_pipe_without_a_reader_is_sigpipe_which_python_ignores():
    python("    signal.signal(signal.SIGPIPE, signal.SIG_DFL)" + WITHOUT_A_READER, status=-signal.SIGPIPE)


def test_pipe_does_not_mix_writes_of_pipe_buf_bytes():
    """Four processes write at the same time. PIPE_BUF is 4096 on Linux (man 7 pipe)."""
    assert python("""
    import select
    SIZE = select.PIPE_BUF
    reader, writer = os.pipe()
    def write(letter):
        os.close(reader)
        for _ in range(200):
            os.write(writer, letter * SIZE)
    for letter in b"a", b"b", b"c", b"d":
        context.Process(target=write, args=(letter,)).start()
    os.close(writer)
    blocks = 0
    with open(reader, "rb") as file:
        while block := file.read(SIZE):
            assert block == block[:1] * SIZE, "mixed"
            blocks += 1
    print(blocks)""") == "800\n"
    assert select.PIPE_BUF >= 512


def test_pipe_with_a_name_is_a_fifo(tmp_path):
    """Unrelated processes find a FIFO by its name. Its data is not on the disk: without a reader, no process can write."""
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    with pytest.raises(OSError) as caught:
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    assert caught.value.errno == errno.ENXIO
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        run("sh", "-c", 'echo hello > "$0"', fifo)
        assert os.read(reader, 100) == b"hello\n" and os.stat(fifo).st_size == 0
    finally:
        os.close(reader)


def test_queue_0_simple_and_joinable():
    assert python("""
    simple, joinable = context.SimpleQueue(), context.JoinableQueue()
    print([hasattr(q, "put_nowait") for q in (simple, joinable)], hasattr(joinable, "task_done"))
    before = threading.active_count()
    simple.put("x")
    print("threads of SimpleQueue:", threading.active_count() - before)
    joinable.put("x")
    print("threads of JoinableQueue:", threading.active_count() - before)
    joined = threading.Thread(target=joinable.join)
    joined.start()
    joinable.get(timeout=10)
    joined.join(0.1)
    print("after get, join still waits:", joined.is_alive())
    joinable.task_done()
    joined.join(10)
    print("after task_done:", joined.is_alive())""") == """[False, True] True
threads of SimpleQueue: 0
threads of JoinableQueue: 1
after get, join still waits: True
after task_done: False
"""


def test_array_without_a_type_is_shared_memory_with_a_name():
    """Any process can attach to a SharedMemory by its name. One process must unlink it."""
    assert python("""
    from multiprocessing.shared_memory import SharedMemory
    memory = SharedMemory(create=True, size=3)
    def change(name):
        same = SharedMemory(name)
        same.buf[1] = 99
        same.close()
    child = context.Process(target=change, args=(memory.name,))
    child.start()
    child.join()
    print(list(memory.buf[:3]), child.exitcode)
    memory.close()
    memory.unlink()""", orphans=HELPERS) == "[0, 99, 0] 0\n"


@pytest.mark.parametrize("option, expected", [("", "removed"), (", track=False", "still there")])
def test_array_without_a_type_is_removed_by_the_exit_of_an_unrelated_process_that_tracks_it(option, expected):
    """The resource tracker of that process removes the block. It holds stderr, so run() returns after the tracker has ended."""
    if option and sys.version_info < (3, 13):
        pytest.skip("track is new in Python 3.13")
    assert python(f"""
    import subprocess
    from multiprocessing import resource_tracker
    from multiprocessing.shared_memory import SharedMemory
    memory = SharedMemory(create=True, size=3)
    attach = "import sys; from multiprocessing.shared_memory import SharedMemory; SharedMemory(sys.argv[1]{option}).close()"
    subprocess.run([sys.executable, "-c", attach, memory.name], check=True, capture_output=True)
    memory.close()
    try:
        memory.unlink()
        print("still there")
    except FileNotFoundError:
        print("removed")
        resource_tracker.unregister(memory._name, "shared_memory")""", orphans=HELPERS) == f"{expected}\n"


def test_sem_has_no_owner_and_neither_has_a_lock_but_an_rlock_has():
    assert python("""
    for lock in context.Semaphore(1), context.Lock(), context.RLock():
        child = context.Process(target=lock.acquire)
        child.start()
        child.join()
        try:
            lock.release()
            print("released")
        except AssertionError:
            print("not owned")""") == "released\nreleased\nnot owned\n"


@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="this system has no sigtimedwait")
def test_signal_ipc_real_time_signals_are_queued_and_others_are_not():
    assert python("""
    for number in signal.SIGUSR1, signal.SIGRTMIN:
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        for _ in range(5):
            os.kill(os.getpid(), number)
        count = 0
        while signal.sigtimedwait([number], 0):
            count += 1
        print(count)""") == "1\n5\n"


def test_signal_ipc_handler_runs_in_the_main_thread_and_is_set_there():
    assert python("""
    called = []
    def handler(signum, frame):
        called.append(threading.current_thread().name)
    signal.signal(signal.SIGUSR1, handler)
    thread = threading.Thread(target=signal.raise_signal, args=(signal.SIGUSR1,))
    thread.start()
    thread.join()
    print(called)
    def set_handler():
        try:
            signal.signal(signal.SIGUSR1, handler)
        except ValueError as error:
            print(error)
    thread = threading.Thread(target=set_handler)
    thread.start()
    thread.join()""").startswith("['MainThread']\nsignal only works in main thread")


def test_signal_ipc_handler_runs_inside_a_read_which_then_goes_on():
    """The read returns only what the handler writes, so the handler must run before the read has returned.

    If a signal comes just before the read, the handler runs only after the read has been interrupted: by the next signal.
    """
    assert python("""
    reader, writer = os.pipe()
    def handler(signum, frame):
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.write(writer, b"from the handler")
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    print(os.read(reader, 100))""") == "b'from the handler'\n"


def test_socketpair_can_send_a_descriptor():
    """The child gets a file that it did not inherit, because the parent opened the file after the fork."""
    assert python("""
    import socket
    ours, theirs = socket.socketpair()
    def read_it():
        _, [fd], _, _ = socket.recv_fds(theirs, 1, 1)
        print(os.read(fd, 100), flush=True)
    child = context.Process(target=read_it)
    child.start()
    reader, writer = os.pipe()
    os.write(writer, b"through a pipe")
    socket.send_fds(ours, [b"x"], [reader])
    child.join()
    ours.close()
    theirs.close()""") == "b'through a pipe'\n"


def test_thread1_local_data_is_for_one_thread():
    assert python("""
    local = threading.local()
    local.x = "main's"
    thread = threading.Thread(target=lambda: print(hasattr(local, "x")))
    thread.start()
    thread.join()
    print(local.x)""") == "False\nmain's\n"


def test_thread_attr_daemon_thread_is_cut_off_without_its_finally():
    assert python("""
    inside, never = threading.Event(), threading.Event()
    def work():
        try:
            inside.set()
            never.wait()
        finally:
            print("finally", flush=True)
    threading.Thread(target=work, daemon=True).start()
    inside.wait(10)
    print("main ends")""") == "main ends\n"


def test_thread_error_comes_out_of_the_result_of_a_future():
    assert python("""
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(int, "x")
        try:
            future.result(10)
        except ValueError as error:
            print(type(error).__name__)""") == "ValueError\n"
