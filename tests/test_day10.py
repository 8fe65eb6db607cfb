"""day10, synchronisation, the GIL, and servers with a process or a thread per client: each fact seen from the outside.

test_course.py checks that each demo prints what its docstring shows.
"""
import contextlib
import fcntl
import os
import random
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import harness
import pytest
from course import output_of
from harness import ROOT, TIMEOUT, Program, Wire, gone, run, serve, wait_until

# For a program that imports a script of this day, changes something, and runs it.
CHANGED = {"cwd": ROOT / "day10", "env": {"PYTHONDONTWRITEBYTECODE": "1"}}


def test_race():
    bare_loop = output_of("day10/race.py").splitlines()[-1]
    [(counted, wanted)] = re.findall(r"(\d+) of (\d+)", bare_loop)
    assert 0 < int(counted) <= int(wanted)         # how many updates are lost is a matter of luck


def test_race_says_what_it_sees():
    """Exercise 1: both threads read n after the barrier. Then no update is lost, and the script says that it expected a loss."""
    code = changed("race", {"    n += one(both_have_read)": "    value = one(both_have_read)\n    with lock:\n        n += value",
                            "import dis\n": "import dis, threading\nlock = threading.Lock()\n"})
    program = run(sys.executable, "-c", code, status=1, stderr=".*AssertionError: expected 1 lost update: .*n is 2\n", **CHANGED)
    assert "n is 2, 0 update(s) lost" in program.stdout


def test_race_and_the_other_demos_end_at_ctrl_c_at_once():
    """All threads of these demos are daemons, so the interpreter does not wait for them when it exits."""
    run(sys.executable, "-c", """if True:
        import threading, dead_lock, producer_consumer, race, thread_event, thread_lock, thread_rlock
        class Thread(threading.Thread):
            def start(self):
                assert self.daemon, self
                super().start()
        for script in (dead_lock, producer_consumer, race, thread_event, thread_lock, thread_rlock):
            script.Thread = Thread
            script.main()
        """, **CHANGED)


def test_thread_event():
    started = time.monotonic()
    run("day10/thread_event.py")
    assert time.monotonic() - started >= 0.2       # two waits of 0.1 s, both until the time was up


def test_thread_event_is_set_after_the_message_is_written():
    """Even with a set() that returns only when all readers have read, the readers find the message."""
    run(sys.executable, "-c", """if True:
        import threading, thread_event
        class Event(threading.Event):
            def set(self):
                super().set()
                for thread in threading.enumerate():
                    if thread.daemon:
                        thread.join()
        thread_event.Event = Event
        thread_event.main()
        """, **CHANGED)


def test_thread_lock():
    output_of("day10/thread_lock.py")


def test_thread_lock_needs_its_lock():
    """With a lock that keeps no thread out, both threads enter, an update is lost, and the script says so."""
    program = run(sys.executable, "-c", """if True:
        import contextlib, threading, thread_lock
        class Open(contextlib.nullcontext):
            def acquire(self):
                pass
            def release(self):
                pass
        Barrier = thread_lock.Barrier
        thread_lock.Lock, thread_lock.Barrier = Open, lambda parties, timeout: Barrier(parties, timeout=10)
        thread_lock.main()
        """, status=1, stderr=".*AssertionError: expected the lock to keep .*n is 1\n", **CHANGED)
    assert "n is 1, 1 update(s) lost" in program.stdout


def test_thread_rlock():
    output_of("day10/thread_rlock.py")


def test_producer_consumer():
    printed = output_of("day10/producer_consumer.py")
    assert printed.count("200 items received, 200 distinct ones") == 2
    assert printed.splitlines()[-2:] == ["  while        checks again, and gets item 2", "  if           IndexError: pop from an empty deque"]


@pytest.mark.parametrize("changes, call, result", [
    ({"while not self.items": "if not self.items"}, "Buffer(), []", "IndexError('pop from an empty deque')"),
    ({"if not self.items": "while not self.items"}, "CarelessBuffer(), [2]", "2"),
])
def test_producer_consumer_the_loop_makes_the_difference(changes, call, result):
    """Buffer and CarelessBuffer differ only in this loop: exchange `while` and `if`, and the results are exchanged."""
    definitions = changed("producer_consumer", changes).partition("\nif __name__")[0]
    assert run(sys.executable, "-c", f"{definitions}\nprint(repr(overtake({call})))", **CHANGED).stdout == f"{result}\n"


PUT_INTO_A_FULL_BUFFER = """if True:
        import threading, time, producer_consumer
        buffer, inside, done = producer_consumer.Buffer(), threading.Event(), []
        for item in range(3):
            buffer.put(item)
        def put(item):
            with buffer.lock:
                inside.set()
                buffer.put(item)
                done.append(item)
"""


def test_producer_consumer_put_waits_while_the_buffer_is_full():
    run(sys.executable, "-c", PUT_INTO_A_FULL_BUFFER + """
        thread = producer_consumer.start(put, 3)
        inside.wait()
        with buffer.lock:                          # so put() waits now
            assert list(buffer.items) == [0, 1, 2] and not done
            assert buffer.get() == 0
        thread.join()
        assert list(buffer.items) == [1, 2, 3]
        """, **CHANGED)


def test_producer_consumer_put_looks_again_after_each_wait():
    """A producer waits; room becomes free, but another producer fills it first."""
    run(sys.executable, "-c", PUT_INTO_A_FULL_BUFFER + """
        thread = producer_consumer.start(put, 4)
        inside.wait()
        with buffer.lock:                          # so put() waits now
            assert buffer.get() == 0
            buffer.put(3)
        while not (done or buffer.not_full._waiters):      # until put() has checked, and waits again
            time.sleep(0)
        assert list(buffer.items) == [1, 2, 3] and not done
        assert buffer.get() == 1
        thread.join()
        assert list(buffer.items) == [2, 3, 4]
        """, **CHANGED)


def test_thread_pool():
    printed = output_of("day10/thread_pool.py")
    assert "done() is False, False\n" in printed and printed.endswith("  result() returned 1, 4\n")
    assert "raised TimeoutError in 2 of 2 tasks\n  cancel() returned True for 2 inner tasks" in printed


@pytest.mark.parametrize("changes, said", [
    # Exercise 10: a third thread is free for the inner tasks. On a busy machine, they may take longer than 0.5 s.
    ({"\nTHREADS = 2": "\nTHREADS = 3", "\nTIMEOUT = 0.5": "\nTIMEOUT = 10"}, r"a timeout in both tasks: \[1, 4\]"),
    ({"    gate = Event()\n": "    gate = Event()\n    gate.set()\n", "done = [": "[future.result() for future in futures]\n    done = ["},
     r"expected 1, 4, but only after gate\.set\(\): \[True, True\].*"),
    ({"        if n == 1:": "        if n == 2:", "        if n == 2:\n            second_has_ended.set": "        if n == 1:\n            second_has_ended.set"},
     r"expected task 2 to end first: \[1, 2\].*"),
    ({'submit(int, "x")': 'submit(int, "1")'}, "expected the same ValueError twice: None, None"),
])
def test_thread_pool_says_what_it_sees(changes, said):
    run(sys.executable, "-c", changed("thread_pool", changes), status=1, stderr=f"(?s).*AssertionError: .*{said}\n", **CHANGED)


def test_dead_lock():
    started = time.monotonic()
    run("day10/dead_lock.py")
    assert time.monotonic() - started >= 0.5       # neither got its lock before its time was up


@pytest.mark.parametrize("script, changes, stand", [
    ("dead_lock", {"\nTIMEOUT = 0.5": "\nTIMEOUT = -1"}, {"second.acquire(": 2, "thread.join(": 1}),
    ("dead_lock", {'("B", b, a,': '("B", a, b,'}, {"with first:": 1, "both.wait()   ": 1, "thread.join(": 1}),
    ("thread_lock", {"    lock.release() ": "    pass "}, {"lock.acquire()   ": 1, "thread.join(": 1}),
    ("thread_event", {"    written.set()\n": ""}, {"written.wait()   ": 3, "thread.join(": 1}),
    ("thread_pool", {"\nTIMEOUT = 0.5": "\nTIMEOUT = None"}, {"answer = inner.result(": 2, "inner_pool=pool, timeout=TIMEOUT)": 1}),
    ("producer_consumer", {"            if not self": "            while not self"},
     {"result.append(buffer.get())": 1, "got = overtake(CarelessBuffer(": 1}),
    ("producer_consumer", {"shared.put(None)": "pass"}, {"item = shared.get()": 2, "consumer.join()": 1}),
])
def test_dead_lock_and_others_that_never_end_say_in_which_line_each_thread_waits(script, changes, stand):
    """The script prints this after 10 seconds. The test asks for it at once, and again until each thread has reached its line."""
    source = changed(script, changes)
    numbers = {text: [number for number, line in enumerate(source.splitlines(), 1) if text in line][0] for text in stand}
    code = ("import faulthandler, signal; faulthandler.register(signal.SIGUSR1); "
            "faulthandler.dump_traceback_later = lambda seconds, exit: print('armed', seconds, exit, flush=True); "
            f"exec(compile({source!r}, 'changed.py', 'exec'))")
    with Program(sys.executable, "-c", code, **CHANGED) as program:
        program.expect("^armed 10 True\n")
        deadline, shown = time.monotonic() + TIMEOUT, ""
        while any(shown.count(f'"changed.py", line {numbers[text]} in') != stand[text] for text in stand):
            assert time.monotonic() < deadline, shown
            wait_until(lambda: states_of_threads(program.pid) == ["S"] * sum(stand.values()),
                       lambda: f"a thread is missing, or runs on: {states_of_threads(program.pid)}")
            before = len(program.stderr)
            program.signal(signal.SIGUSR1)
            program.expect(rf"\A[\s\S]{{{before}}}[\s\S]*in <module>\n", stream="stderr")
            shown = program.stderr[before:]


def states_of_threads(pid):
    """Return the states of the threads of a process; leave out a thread that ends while we read."""
    states = []
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            states.append(stat.read_text().rpartition(")")[2].split()[0])
    return states


def changed(script, changes):
    """Return the source of a script of this day, with changes {old: new}, each made at the first place only."""
    source = (ROOT / f"day10/{script}.py").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in source, old
        source = source.replace(old, new, 1)
    return source


def test_gil():
    build, *lines = output_of("day10/gil.py").splitlines()
    assert build.endswith(f" {len(os.sched_getaffinity(0))} core(s)")
    rows = [re.fullmatch(r"(\w+) +(\w+) +(\d+) ms +(\d+) ms +([\d.]+)", line).groups() for line in lines if " ms " in line]
    assert [row[:2] for row in rows] == [(task, way) for task in ("wait", "compute")
                                         for way in ("in_sequence", "by_threads", "by_processes")]
    wall, cpu, at_work = zip(*[(int(wall), int(cpu), float(ratio)) for _, _, wall, cpu, ratio in rows])
    # The milliseconds are rounded, which matters on a fast machine with many cores.
    for used, clock, ratio in zip(cpu, wall, at_work):
        assert (used - 0.5) / (clock + 0.5) - 0.005 <= ratio <= (used + 0.5) / (clock - 0.5) + 0.005
    sequence, threads, processes = wall[:3]        # of the tasks that wait
    assert sequence >= 800 and 200 <= threads < sequence and 200 <= processes < sequence
    assert max(cpu[:3]) < min(cpu[3:])             # waiting uses no CPU
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        assert at_work[4] < 1.2                    # of the threads that compute
    begun = re.search(r"(\d+) of 4 had begun", lines[-2])
    assert 1 <= int(begun[1]) <= 4
    assert lines[-1].endswith(f" ({at_work[5]:.2f} of {len(os.sched_getaffinity(0))} core(s))")
    if at_work[5] < 1.2:                           # the last line claims no more than the figures show
        assert "faster: more than one core busy" not in lines[-1]


def test_gil_says_what_the_figures_show():
    import_gil = "import gil; print(gil.verdict({}))"
    for arguments, said in (("True, 1.9, 2", "faster: more than one core busy"), ("False, 1.9, 2", "not shown: the machine is busy"),
                            ("True, 0.6, 2", "not shown: the machine is busy"), ("True, 1.0, 1", "not faster: there is only one core")):
        assert run(sys.executable, "-c", import_gil.format(arguments), **CHANGED).stdout == said + "\n"


def test_gil_all_four_begin_together():
    """Each task begins only when all four threads have started."""
    run(sys.executable, "-c", """if True:
        import gil, threading
        there = []
        class Barrier(threading.Barrier):
            def wait(self):
                there.append(None)
                super().wait()
        threading.Barrier = Barrier
        def task():
            assert len(there) == gil.COUNT
        assert len(gil.by_threads(task)) == gil.COUNT
        """, **CHANGED)


def test_iterative_server_makes_the_second_client_wait():
    with serve("day10/iterative_server.py") as server, connect(server) as first, connect(server) as second:
        assert ping(first, b"one") == b"one"
        second.sendall(b"two")                     # connected by the kernel, but not yet accepted
        assert ping(first, b"one more") == b"one more"
        assert not select.select([second], [], [], 0.2)[0]
        first.close()
        assert second.recv(100) == b"two"


def test_fork_server_each_process_closes_the_socket_that_is_not_its_own():
    with serve("day10/fork_server.py") as server:
        listening = sockets(server.pid)
        with connect(server) as first, connect(server) as second:
            assert ping(first, b"x") == b"x" and ping(second, b"x") == b"x"
            wait_until(lambda: sockets(server.pid) == listening, lambda: "the parent keeps a client's socket")
            children = server.children()
            theirs = [sockets(pid) for pid in children]
            assert [len(one) for one in theirs] == [1, 1] and not set.union(*theirs) & listening and theirs[0] != theirs[1]
        for pid in children:
            assert gone(pid)
        wait_until(lambda: not server.children(), lambda: "a child is left")            # not even a zombie


def test_fork_server_copy_of_a_connection_keeps_it_open():
    """The child has closed its copy and exited. The client sees EOF only when the parent has closed the other copy."""
    run(sys.executable, "-c", """if True:
        import os, select, socket
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname(), timeout=10)
            conn, addr = listener.accept()
        pid = os.fork()
        if pid == 0:
            conn.close()
            os._exit(0)
        os.waitpid(pid, 0)
        assert not select.select([client], [], [], 0.1)[0]
        conn.close()
        with client:
            assert client.recv(100) == b""
        """)


def test_fork_server_goes_on_when_a_child_is_killed():
    with serve("day10/fork_server.py") as server, connect(server) as first:
        assert ping(first, b"x") == b"x"
        [child] = server.children()
        with connect(server) as second:
            assert ping(second, b"x") == b"x"
            os.kill(child, signal.SIGTERM)
            assert first.recv(1) == b""
            assert ping(second, b"y") == b"y"


def test_fork_server_sigterm_ends_the_children_too():
    with Program("day10/fork_server.py", 0) as server:
        server.host, server.port = "127.0.0.1", int(server.expect(r":(\d+)\n")[1])
        with connect(server) as conn:
            assert ping(conn, b"x") == b"x"
            [child] = server.children()            # also a client that sends nothing more
            os.kill(child, signal.SIGSTOP)
            wait_until(lambda: harness.state_of(child) == "T", lambda: f"state {harness.state_of(child)}")
            server.wait_until_asleep()
            server.signal(signal.SIGTERM)
            server.finish()


def test_fork_server_has_a_child_that_it_did_not_fork():
    """The server may have a child that it did not start: after exec in a shell, or as PID 1 of a container."""
    command = f"true & exec {shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'day10/fork_server.py'))} 0"
    with Program("sh", "-c", command) as server:
        server.host, server.port = "127.0.0.1", int(server.expect(r":(\d+)\n")[1])
        # The server reaps it together with a child of its own, so it must have ended before the server has one.
        wait_until(lambda: set(map(harness.state_of, server.children())) <= {"Z", None}, lambda: "`true` does not end")
        for _ in range(2):
            with connect(server) as conn:
                assert ping(conn, b"x") == b"x"
            wait_until(lambda: not server.children(), lambda: "a child is left")
        server.interrupt()
        server.finish()


def test_fork_server_started_by_a_program_that_ignores_its_signals():
    """A process inherits ignored signals. If the server left them ignored, waitpid would find no children, and SIGTERM would end no child."""
    command = ("import os, signal, sys; [signal.signal(one, signal.SIG_IGN) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]; "
               "os.execv(sys.executable, sys.argv)")
    with Program(sys.executable, "-c", command, ROOT / "day10/fork_server.py", 0) as server:
        server.host, server.port = "127.0.0.1", int(server.expect(r":(\d+)\n")[1])
        for _ in range(2):
            with connect(server) as conn:
                assert ping(conn, b"x") == b"x"
            wait_until(lambda: not server.children(), lambda: "a child is left")
        with connect(server) as conn:
            assert ping(conn, b"x") == b"x"
            [child] = server.children()
            os.kill(child, signal.SIGTERM)
            assert conn.recv(1) == b""
        server.interrupt()
        server.finish()


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_fork_server_ctrl_c_and_another_signal(second):
    with Program("day10/fork_server.py", 0) as server, contextlib.ExitStack() as stack:
        server.host, server.port = "127.0.0.1", int(server.expect(r":(\d+)\n")[1])
        for _ in range(50):
            assert ping(stack.enter_context(connect(server)), b"x") == b"x"
        server.interrupt()
        os.killpg(server.pid, second)
        server.finish()


@pytest.mark.parametrize("script", ["day10/fork_server.py", "day10/thread_server.py"])
def test_fork_server_and_thread_server_at_the_limit_of_processes(script, tmp_path):
    """If no process or thread can be created (EAGAIN), the client waits, and gets its echo as soon as one can."""
    (tmp_path / "limited.py").write_text(LIMITED)
    with Program(tmp_path / "limited.py", ROOT / script, 0) as server:
        server.host, server.port = "127.0.0.1", int(server.expect(r":(\d+)\nlimited\n")[1])
        with connect(server) as conn:
            conn.sendall(b"hello")
            assert not select.select([conn], [], [], 0.3)[0]
            os.kill(server.pid, signal.SIGUSR1)
            assert conn.recv(100) == b"hello"
        server.interrupt()
        server.finish()


# The limit does not apply to root, so the program becomes another user after it has read all that it needs.
LIMITED = """
import importlib.util, os, resource, signal, sys

def listen(description):
    listener = listen_as_before(description)
    if os.getuid() == 0:
        os.setuid(65534)
    limits = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, limits[1]))
    signal.signal(signal.SIGUSR1, lambda signum, frame: resource.setrlimit(resource.RLIMIT_NPROC, limits))
    print("limited", flush=True)
    return listener

spec = importlib.util.spec_from_file_location("server", sys.argv.pop(1))
server = importlib.util.module_from_spec(spec)
spec.loader.exec_module(server)
listen_as_before, server.listen = server.listen, listen
server.main()
"""


def test_thread_server_one_thread_for_each_client():
    with serve("day10/thread_server.py") as server:
        for _ in range(3):
            with connect(server) as first, connect(server) as second:
                assert ping(first, b"x") == b"x" and ping(second, b"x") == b"x"
                assert server.threads() == 3
            wait_until(lambda: server.threads() == 1, lambda: "a thread is left")


def test_echo_client_in_a_pipe(tmp_path):
    """The client prints every byte that it sent, also when there are more than the buffers on the way can hold."""
    data = random.Random(0).randbytes(32 << 20)
    (tmp_path / "data").write_bytes(data)
    with serve("day10/thread_server.py") as server:
        run("sh", "-c", 'exec "$0" "$@" < data > copy', sys.executable, ROOT / "day10/echo_client.py", server.port, cwd=tmp_path)
    assert (tmp_path / "copy").read_bytes() == data


def test_echo_client_on_a_terminal():
    with serve("day10/thread_server.py") as server, Program("day10/echo_client.py", server.port, tty=True) as client:
        client.write("你好\n")
        client.expect("你好\n你好\n")              # echoed once by the terminal, once by the server
        client.write("\x04")                       # Ctrl-D
        client.finish()
    with serve("day10/thread_server.py") as server, Program("day10/echo_client.py", server.port, tty=True) as client:
        client.write("x\n")
        client.expect("x\nx\n")
        client.interrupt()
        client.finish(status=130)


def test_echo_client_without_a_server():
    # The port is bound, so that no other program can listen at it meanwhile.
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        run("day10/echo_client.py", port, status=1, stderr=rf"echo_client: 127\.0\.0\.1, port {port}: Connection refused;"
            rf" start a server first: python day10/fork_server\.py {port} · 请先启动服务器\n")
    run("day10/echo_client.py", "-H", "a..b", status=1, stderr=r"echo_client: a\.\.b, port 8888: [^\n]+\n")
    run("day10/echo_client.py", 70000, status=2, stderr=r"usage: .*the port must be from 1 to 65535.*\n")


def test_echo_client_without_standard_input():
    with serve("day10/thread_server.py") as server:
        command = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'day10/echo_client.py'))} {server.port} <&-"
        run("sh", "-c", command, status=2, stderr="usage: .*standard input and output must be open [^\n]*\n")


def test_echo_client_cannot_read_its_input_or_write_its_output(tmp_path):
    with serve("day10/thread_server.py") as server:
        client = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'day10/echo_client.py'))} {server.port}"
        run("sh", "-c", f"{client} 0> {shlex.quote(str(tmp_path / 'file'))}", status=1,
            stderr="echo_client: standard input: .*Bad file descriptor\n")
        head = run("sh", "-c", f"{{ head -c 9000000 /dev/zero | {client}; echo $? >&3; }} 3>&1 | head -c 1", stderr="")
        assert len(head.stdout) == 1


def test_echo_client_with_a_full_output_that_does_not_block(tmp_path):
    """Some terminals and CI runners pass on a non-blocking standard output. While it is full (EAGAIN), the client waits."""
    data = random.Random(0).randbytes(1 << 20)
    (tmp_path / "data").write_bytes(data)
    reader, writer = os.pipe()
    size = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    with serve("day10/thread_server.py") as server, open(reader, "rb") as output, open(tmp_path / "data", "rb") as stdin:
        with echo_client(server, stdin=stdin, stdout=writer) as client:
            os.close(writer)
            received = bytearray()
            for _ in range(3):
                wait_until(lambda: harness.unread(reader) == size, lambda: f"{harness.unread(reader)} of {size}, status {client.poll()}")
                harness.assert_idle(client)
                received += os.read(reader, size)
            received += output.read()
    assert received == data


def test_echo_client_with_an_input_that_does_not_block():
    """Standard input that is empty (EAGAIN) has not ended: the client goes on."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with serve("day10/thread_server.py") as server, open(writer, "wb", buffering=0) as typed:
        with echo_client(server, stdin=reader, stdout=subprocess.PIPE) as client:
            os.close(reader)
            for text in (b"one", b"two"):
                typed.write(text)
                assert client.stdout.read(3) == text
                harness.assert_idle(client)
            typed.close()
            assert client.stdout.read() == b""


@contextlib.contextmanager
def echo_client(server, **streams):
    """Yield a client that uses these standard streams; at the end it must have exited without an error."""
    command = [sys.executable, ROOT / "day10/echo_client.py", str(server.port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, **streams) as client:
        client.children = lambda: []
        try:
            yield client
        except BaseException:
            client.kill()                          # otherwise Popen would wait for the end of the client
            raise
        assert client.stderr.read() == b""
        assert client.wait(TIMEOUT) == 0


def test_echo_client_counts_what_comes_back():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Program("day10/echo_client.py", listener.getsockname()[1], stdin="hello") as client:
            listener.settimeout(TIMEOUT)
            conn, _ = listener.accept()
            with conn:
                while conn.recv(100):
                    pass
                conn.sendall(b"hell")
            client.finish(status=1, stderr="echo_client: sent 5 bytes, received 4 · 收发的字节数不同\n")


def test_echo_client_sees_that_the_server_ends():
    with serve("day10/thread_server.py") as server, Program("day10/echo_client.py", server.port) as client:
        client.write("x\n")
        client.expect("x\n")
        server.interrupt()
        server.wait()
        client.finish(status=1, stderr="echo_client: .*[Cc]onnection.*\n")


def sockets(pid):
    """Return the kernel's names of the sockets that a process has open."""
    return {name for name in harness.descriptors(pid).values() if name.startswith("socket:")}


def connect(server):
    conn = Wire(socket.AF_INET, socket.SOCK_STREAM, name="client")
    conn.connect((server.host, server.port))
    return conn


def ping(conn, data):
    conn.sendall(data)
    return conn.recv(100)
