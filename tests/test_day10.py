"""day10, synchronisation, the GIL, and servers with a process or a thread per client: each fact seen from the outside.

That each demo prints what its docstring shows is checked in test_course.py.
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
import struct
import subprocess
import sys
import termios
import time

import harness
import pytest
from course import output_of
from harness import ROOT, TIMEOUT, Program, gone, run, serve, wait_until

# For a program that imports a script of this day, changes something, and runs it.
CHANGED = {"cwd": ROOT / "day10", "env": {"PYTHONDONTWRITEBYTECODE": "1"}}


def test_race():
    bare_loop = output_of("day10/race.py").splitlines()[-1]
    [(counted, wanted)] = re.findall(r"(\d+) of (\d+)", bare_loop)
    assert 0 < int(counted) <= int(wanted)         # how many are lost is a matter of luck


def test_thread_event():
    started = time.monotonic()
    run("day10/thread_event.py")
    assert time.monotonic() - started >= 0.2       # two waits that nobody ended


def test_thread_lock():
    output_of("day10/thread_lock.py")


def test_thread_lock_needs_its_lock():
    """With a lock that keeps nobody out, both are inside at once, an update is lost, and the script says so."""
    printed = run(sys.executable, "-c", """if True:
        import threading, thread_lock
        answers = iter([True, False, True])
        class Open:
            def acquire(self, blocking=True):
                return next(answers)
            def release(self):
                pass
        both_are_inside = threading.Barrier(2, timeout=10)
        def one(another_came):
            both_are_inside.wait()
            return 1
        thread_lock.Lock, thread_lock.one = Open, one
        thread_lock.main()
        """, status=1, stderr=".*AssertionError.*", **CHANGED).stdout
    assert "at most 2 was inside at once, n is 1" in printed


def test_dead_lock():
    lines = output_of("day10/dead_lock.py").splitlines()
    assert int(re.search(r"(\d+) ms", lines[2])[1]) >= 300         # neither got its lock before its time was up


def test_dead_lock_never_ends_without_the_timeout():
    """Then both threads stand for good in the line that asks for the second lock. faulthandler shows where they are."""
    source = (ROOT / "day10/dead_lock.py").read_text(encoding="utf-8").splitlines()
    [asks] = [number for number, line in enumerate(source, 1) if "second.acquire(" in line]
    code = ("import dead_lock, faulthandler, signal; faulthandler.register(signal.SIGUSR1); "
            "dead_lock.TIMEOUT = -1; dead_lock.PATIENCE = 1000; dead_lock.main()")
    with Program(sys.executable, "-c", code, **CHANGED) as program:
        program.expect("^hold and wait")
        deadline, stand = time.monotonic() + TIMEOUT, ""
        while stand.count(f"line {asks} in take_both") < 2:        # they may still be on their way
            assert time.monotonic() < deadline, stand
            before = len(program.stderr)
            program.signal(signal.SIGUSR1)
            program.expect(rf"\A[\s\S]{{{before}}}[\s\S]*in <module>\n", stream="stderr")
            stand = program.stderr[before:]


def test_gil():
    build, *lines = output_of("day10/gil.py").splitlines()
    assert build.endswith(f" {len(os.sched_getaffinity(0))}")
    rows = [re.fullmatch(r"[a-z ]+ (#+) +(\d+) ms +([\d.]+)", line).groups() for line in lines if " ms " in line]
    bars, clocks, cores = zip(*[(len(bar), int(clock), float(cores)) for bar, clock, cores in rows])
    for three in (slice(0, 3), slice(3, 6)):       # the tables; bars are as long as times
        assert bars[three] == pytest.approx([40 * clock / max(clocks[three]) for clock in clocks[three]], abs=1)
    sequence, threads, processes = clocks[:3]      # of the tasks that wait
    assert sequence >= 800 and 200 <= threads < sequence and 200 <= processes < sequence
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        assert cores[4] < 1.2                      # of the threads that compute


def test_iterative_server_makes_the_second_client_wait():
    with serve("day10/iterative_server.py") as server, connect(server) as first, connect(server) as second:
        assert ping(first, b"one") == b"one"
        second.sendall(b"two")                     # connected by the kernel, but nobody has accepted it
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


def test_fork_server_child_that_is_killed_is_nobody_elses_affair():
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
            server.wait_until_asleep()
            server.signal(signal.SIGTERM)
            server.finish()


def test_fork_server_has_a_child_that_it_did_not_fork():
    """As after exec in a shell that had one, or as PID 1 of a container."""
    command = f"true & exec {shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'day10/fork_server.py'))} 0"
    with Program("sh", "-c", command) as server:
        server.host, server.port = "127.0.0.1", int(server.expect(r":(\d+)\n")[1])
        for _ in range(2):
            with connect(server) as conn:
                assert ping(conn, b"x") == b"x"
            wait_until(lambda: not server.children(), lambda: "a child is left")
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
    """Neither a process nor a thread is to be had (EAGAIN): the client waits, and gets its echo as soon as there is one."""
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


# Root is above this limit, so the program becomes somebody else, once it has read all that it needs.
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
    """Byte for byte, and more than the buffers on the way can hold."""
    data = random.Random(0).randbytes(32 << 20)
    (tmp_path / "data").write_bytes(data)
    with serve("day10/thread_server.py") as server:
        command = [sys.executable, ROOT / "day10/echo_client.py", str(server.port)]
        with open(tmp_path / "data") as stdin:
            assert subprocess.run(command, stdin=stdin, capture_output=True, timeout=TIMEOUT, check=True).stdout == data


def test_echo_client_on_a_terminal():
    with serve("day10/thread_server.py") as server, Program("day10/echo_client.py", server.port, tty=True) as client:
        client.write("你好\n")
        client.expect("你好\n你好\n")              # the terminal's own echo, and the server's
        client.write("\x04")                       # Ctrl-D
        client.finish()
    with serve("day10/thread_server.py") as server, Program("day10/echo_client.py", server.port, tty=True) as client:
        client.write("x\n")
        client.expect("x\nx\n")
        client.interrupt()
        client.finish(status=130)


def test_echo_client_without_a_server():
    with serve("day10/thread_server.py") as server:
        pass
    run("day10/echo_client.py", server.port, status=1, stderr=rf"echo_client: 127\.0\.0\.1, port {server.port}: Connection refused: start a server first,"
        rf" python day10/fork_server\.py {server.port} · 请先启动服务器\n")
    run("day10/echo_client.py", "-H", "a..b", status=1, stderr=r"echo_client: a\.\.b, port 8888: [^\n]+\n")
    run("day10/echo_client.py", 70000, status=2, stderr=r"usage: .*a port is a number from 1 to 65535.*\n")


def test_echo_client_without_standard_input():
    with serve("day10/thread_server.py") as server:
        command = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'day10/echo_client.py'))} {server.port} <&-"
        run("sh", "-c", command, status=2, stderr="usage: .*standard input and output are needed\n")


def test_echo_client_cannot_read_its_input_or_write_its_output(tmp_path):
    with serve("day10/thread_server.py") as server:
        client = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'day10/echo_client.py'))} {server.port}"
        run("sh", "-c", f"{client} 0> {shlex.quote(str(tmp_path / 'file'))}", status=1,
            stderr="echo_client: standard input: .*Bad file descriptor\n")
        head = run("sh", "-c", f"{{ head -c 9000000 /dev/zero | {client}; echo $? >&3; }} 3>&1 | head -c 1", stderr="")
        assert len(head.stdout) == 1


def test_echo_client_with_a_full_output_that_does_not_block(tmp_path):
    """Some terminals and CI runners hand down a non-blocking standard output. While it is full (EAGAIN) the client waits."""
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
                wait_until(lambda: unread(reader) == size, lambda: f"{unread(reader)} of {size}, status {client.poll()}")
                harness.assert_idle(client)
                received += os.read(reader, size)
            received += output.read()
    assert received == data


def test_echo_client_with_an_input_that_does_not_block():
    """Its input is empty (EAGAIN), which is not its end."""
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
    """A client with these standard streams, which must end well."""
    command = [sys.executable, ROOT / "day10/echo_client.py", str(server.port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, **streams) as client:
        client.children = lambda: []
        yield client
        assert client.stderr.read() == b""
        assert client.wait(TIMEOUT) == 0


def unread(fd):
    """How many bytes there are to read (man 2 ioctl_tty: FIONREAD)."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]


def test_echo_client_counts_what_comes_back():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Program("day10/echo_client.py", listener.getsockname()[1], stdin="hello") as client:
            listener.settimeout(TIMEOUT)
            conn, _ = listener.accept()
            with conn:
                while conn.recv(100):
                    pass
                conn.sendall(b"hell")
            client.finish(status=1, stderr="echo_client: 5 bytes went out, 4 came back\n")


def test_echo_client_sees_that_the_server_ends():
    with serve("day10/thread_server.py") as server, Program("day10/echo_client.py", server.port) as client:
        client.write("x\n")
        client.expect("x\n")
        server.interrupt()
        server.wait()
        client.finish(status=1, stderr="echo_client: .*[Cc]onnection.*\n")


def sockets(pid):
    """The sockets of a process: the kernel's names for them."""
    return {name for name in harness.descriptors(pid).values() if name.startswith("socket:")}


def connect(server):
    return socket.create_connection((server.host, server.port), timeout=TIMEOUT)


def ping(conn, data):
    conn.sendall(data)
    return conn.recv(100)
