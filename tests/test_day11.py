"""Tests of day 11, IO models: blocking and non-blocking calls, and select.

test_course.py checks that each demo prints what its docstring shows.
"""
import contextlib
import fcntl
import os
import re
import resource
import select
import signal
import socket
import struct
import sys
import time

import harness
import pytest
from course import output_of
from harness import ROOT, TIMEOUT, Program, run, serve, wait_until


# The options of run() and Program() for a changed script of this day.
CHANGED = {"cwd": ROOT / "day11", "env": {"PYTHONDONTWRITEBYTECODE": "1"}}


def changed(script, changes):
    """Return the changed source of a script of this day. changes: old text -> new text, for its first occurrence."""
    source = (ROOT / f"day11/{script}.py").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in source, old
        source = source.replace(old, new, 1)
    return source


def test_block_io():
    started = time.monotonic()
    printed = run("day11/block_io.py").stdout
    assert time.monotonic() - started >= 0.6       # three waits of 0.2 s for a client, and one that times out after 0.1 s
    rows = re.findall(r"\) waited (\d+) ms .* used ([\d.]+) ms of CPU", printed)
    assert len(rows) == 2 and all(int(waited) >= 190 and float(cpu) < int(waited) / 4 for waited, cpu in rows)
    [(calls, waited)] = re.findall(r"loop: (\d+) calls in (\d+) ms", printed)
    assert int(calls) > 1 and int(waited) >= 190
    [waited] = re.findall(r"TimeoutError after (\d+) ms", printed)
    assert int(waited) >= 100


def test_block_io_measures_in_milliseconds():
    run(sys.executable, "-c", """if True:
        import block_io
        from types import SimpleNamespace as Object
        clock, cpu, did = iter([10, 12]), iter([5, 5.5]), []
        block_io.time.monotonic, block_io.time.process_time = lambda: next(clock), lambda: next(cpu)
        timer = Object(start=lambda: did.append("start"), join=lambda: did.append("join"))
        assert block_io.measure(timer, lambda *args: did.append("call") or args, 1, 2) == ((1, 2), 2000, 500)
        assert did == ["start", "call", "join"]
        """, **CHANGED)


def test_block_io_with_a_timeout_is_non_blocking_in_the_kernel():
    """A timeout makes a socket non-blocking in the kernel, so Python waits with poll before each call."""
    with socket.socket() as sock:
        flags = []
        for timeout in None, 0, 0.1, None:
            sock.settimeout(timeout)
            flags.append(os.get_blocking(sock.fileno()))
        assert flags == [True, False, False, True]


def test_block_io_that_waits_for_ever_says_in_which_line():
    """Exercise 1: no client connects. The test does not wait 10 s for the traceback, but asks for it with SIGUSR1."""
    source = changed("block_io", {"    timer.start()\n": ""})
    number = [number for number, line in enumerate(source.splitlines(), 1) if "result = call(" in line][0]
    code = ("import faulthandler, signal; faulthandler.register(signal.SIGUSR1); "
            "faulthandler.dump_traceback_later = lambda seconds, exit: print('armed', seconds, exit, flush=True); "
            f"exec(compile({source!r}, 'changed.py', 'exec'))")
    with Program(sys.executable, "-c", code, **CHANGED) as program:
        program.expect("^armed 10 True\n")
        deadline = time.monotonic() + TIMEOUT
        while f'"changed.py", line {number} in measure' not in program.stderr:
            assert time.monotonic() < deadline, program.stderr
            wait_until(lambda: harness.state_of(program.pid) == "S", lambda: "the program does not wait")
            before = len(program.stderr)
            program.signal(signal.SIGUSR1)
            program.expect(rf"\A[\s\S]{{{before}}}[\s\S]*in <module>\n", stream="stderr")


def test_block_io_on_a_file_never_waits_but_for_the_disk(tmp_path):
    """A regular file always counts as ready: select returns it immediately, and epoll refuses it."""
    with open(tmp_path / "file", "w+b") as file, select.epoll() as epoll:
        assert select.select([file], [file], [], 0) == ([file], [file], [])
        with pytest.raises(PermissionError):
            epoll.register(file, select.EPOLLIN)


def test_accepted_socket():
    printed = output_of("day11/accepted_socket.py")
    assert printed.endswith("\ninherited: TCP_NODELAY\nnot inherited: getblocking(), gettimeout()\n")


def test_accepted_socket_says_what_is_inherited():
    """Exercise 7: one more line gives the accepted socket the timeout of the listener."""
    code = changed("accepted_socket", {"            of_listener = ": """
            conn.settimeout(listener.gettimeout())
            of_listener = """})
    program = run(sys.executable, "-c", code, status=1, **CHANGED,
                  stderr="(?s).*AssertionError: expected only TCP_NODELAY to be inherited: .*")
    assert "inherited: getblocking(), gettimeout(), TCP_NODELAY\n" in program.stdout


def test_framing():
    printed = output_of("day11/framing.py")
    assert "received  b'helloworld'\n" in printed and "received  b'hello, w' b'orld'\n" in printed
    assert re.findall(r"^  recv\((\d+)\) +b'(\S+)' b'(\S+)'$", printed, re.MULTILINE) == [
        (size, *messages) for messages in (("hello", "world"), (r"a\nb", "world")) for size in ("1", "100")]


@pytest.mark.parametrize("changes, said", [
    # The result of each recv is treated as one message.
    ({'        buffer += data\n': '        yield data\n        continue\n'}, "expected the messages .*b'h', b'e', .*"),
    # An incomplete message is dropped.
    ({"*complete, buffer = buffer.split": "*complete, _ = (buffer, buffer := b'')[0].split"}, "expected the messages .*"),
    # recv asks for more bytes than are missing from the message.
    ({"min(size, count - len(data))": "size"}, "expected .*|the connection ended .*|unpack requires a buffer of 2 bytes"),
    # Exercise 8: a message contains a newline.
    ({'messages = [b"hello"': 'messages = [b"hel\\nlo"'}, "expected .*b'hel', b'lo', b'world'.*"),
    ({'[b"hello", b"world"], [100]': '[b"hello", b"world"], [5]'}, "expected both messages in one piece: .*b'hello'.*"),
    ({"[8, 8]": "[100]"}, "expected one message in two pieces: .*b'hello, world'.*"),
])
def test_framing_says_what_it_sees(changes, said):
    code = changed("framing", changes)
    run(sys.executable, "-c", code, status=1, stderr=f"(?s).*(AssertionError|EOFError|struct.error): ({said})\n", **CHANGED)


@pytest.mark.parametrize("read, data, complete", [
    ("read_lines", b"one\ntwo", [b"one"]), ("read_lines", b"", []), ("read_lines", b"\n", [b""]),
    ("read_by_length", b"\0\3one\0\3tw", [b"one"]), ("read_by_length", b"\0\3one\0\3", [b"one"]),
    ("read_by_length", b"\0\3one\0", [b"one"]), ("read_by_length", b"\0\0", [b""]), ("read_by_length", b"", []),
])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_framing_at_the_end_of_the_connection(read, data, complete, size):
    """If the connection ends inside a message, the reader raises EOFError and does not yield that message."""
    code = (f"import framing\nclient, conn = framing.connect()\nwith conn:\n with client:\n  client.sendall({data!r})\n"
            f" for message in framing.{read}(conn, {size}):\n  print(message)")
    half = data not in (b"", b"\n", b"\0\0")
    program = run(sys.executable, "-c", code, status=int(half), stderr="(?s).*EOFError: .*inside a message.*\n" if half else "", **CHANGED)
    assert program.stdout.splitlines() == list(map(str, complete))


def test_bitwise():
    printed = output_of("day11/bitwise.py")
    rows = re.findall(r"^(.*?) +([01]{6}) +(\d+)\b(?: +(.*))?$", printed, re.MULTILINE)
    assert all(int(bits, 2) == int(number) for what, bits, number, remark in rows)
    numbers = {what: int(number) for what, bits, number, remark in rows}
    operations = [what for what in numbers if what.startswith("14 ")]
    assert {what: numbers[what] for what in operations} == {what: eval(what) for what in operations}
    assert sorted(numbers[what] for what in operations) == [2, 3, 29, 31, 56]
    flags = [what for what in numbers if what.startswith("POLL")]
    assert {what: numbers[what] for what in flags} == {what: getattr(select, what) for what in flags} and len(flags) == 6
    named = [(int(number), remark) for what, bits, number, remark in rows if remark.startswith("POLL")]
    assert named == [(9, "POLLIN, POLLERR"), (13, "POLLIN, POLLOUT, POLLERR"), (9, "POLLIN, POLLERR"), (17, "POLLIN, POLLHUP")]
    assert [numbers[what] for what in numbers if what.startswith("event")] == [17, 1, 0]


def test_bitwise_says_which_flags_are_set():
    """Exercise 4: subtracting a flag twice changes other flags."""
    code = changed("bitwise", {'"interest &= ~POLLOUT",': 2 * '"interest -= POLLOUT", '})
    program = run(sys.executable, "-c", code, status=1, **CHANGED,
                  stderr="(?s).*AssertionError: expected POLLIN, POLLERR: POLLIN, POLLOUT\n")
    assert [line.split() for line in program.stdout.splitlines()[-2:]] == [
        "interest -= POLLOUT 001001 9 POLLIN, POLLERR".split(), "interest -= POLLOUT 000101 5 POLLIN, POLLOUT".split()]


@pytest.mark.parametrize("lack, message", [
    ("import sys; sys.version_info = (3, 9, 18)", "Python 3.10"), ("import select; del select.poll", "select.poll")])
def test_bitwise_says_at_once_what_it_needs(lack, message):
    code = f"import sys; sys.path[:0] = ['.']; import bitwise; {lack}; bitwise.main()"
    program = run(sys.executable, "-c", code, status=2, stderr=rf"this needs {message}[^\n]*\n", **CHANGED)
    assert not program.stdout


def test_bitwise_flags_that_poll_reports_unasked():
    """POLLHUP, POLLERR and POLLNVAL need not be registered, and cannot be turned off."""
    def report(sock):
        poll = select.poll()
        poll.register(sock, 0)
        return dict(poll.poll(10_000)).get(sock.fileno())

    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        assert report(ours) == select.POLLHUP
    with connected() as (client, conn):
        reset(client)
        assert report(conn) == select.POLLERR | select.POLLHUP
        number = conn.fileno()
    poll = select.poll()
    poll.register(number, 0)                       # this descriptor is closed
    assert poll.poll(10_000) == [(number, select.POLLNVAL)]


def test_select_server_limit_is_that_of_select():
    """select cannot watch descriptor 1024, even if few are open. poll and epoll have no such limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= 1024:
        pytest.skip(f"this user may have only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1025), hard))
    try:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(b"x")
            with at_number(ours, 1023) as number:
                assert select.select([number], [], [], 0) == ([number], [], [])
            with at_number(ours, 1024) as number:
                with pytest.raises(ValueError):
                    select.select([number], [], [], 0)
                poll = select.poll()
                poll.register(number, select.POLLIN)
                with select.epoll() as epoll:
                    epoll.register(number, select.EPOLLIN)
                    assert poll.poll(0) == epoll.poll(0) == [(number, select.POLLIN)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_select_server_keeps_to_numbers_that_select_can_watch():
    """More clients connect than select can watch: the last ones wait until others leave."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1300:
        pytest.skip(f"this user may have only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1300), hard))
    try:
        with serve("day11/select_server.py") as server, contextlib.ExitStack() as stack:
            address = server.host, server.port
            conns = [stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(1024)]
            for conn in conns:
                conn.sendall(b"x")
            served = [conn for conn in conns[:1000] if conn.recv(1) == b"x"]
            assert len(served) == 1000 and max(server.descriptors()) < 1024
            poll = select.poll()
            poll.register(conns[-1], select.POLLIN)
            assert not poll.poll(300)              # milliseconds
            for conn in served[:30]:
                conn.close()
            assert conns[-1].recv(1) == b"x"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_select_server_wlist_means_room_in_the_send_buffer():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        assert select.select([], [ours], [], 0) == ([], [ours], [])
        with pytest.raises(BlockingIOError):
            while True:
                ours.send(bytes(1 << 16))
        assert select.select([], [ours], [], 0) == ([], [], [])
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                theirs.recv(1 << 16)
        assert select.select([], [ours], [], 10) == ([], [ours], [])


def test_select_server_ready_is_what_was_true_when_select_returned():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname(), timeout=10):
        listener.setblocking(False)
        reports = [select.select([listener], [], [], 10)[0] for _ in range(2)]        # two processes would get the same reports
        assert reports == [[listener], [listener]]
        listener.accept()[0].close()
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_select_server_serves_a_socket_in_two_lists_once():
    """After urgent data and a reset, select returns the socket in two lists; the server must drop the client only once."""
    with serve("day11/select_server.py") as server, socket.create_connection((server.host, server.port), timeout=10) as other:
        client = socket.create_connection((server.host, server.port), timeout=10)
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        server.signal(signal.SIGSTOP)
        wait_until(lambda: harness.state_of(server.pid) == "T", lambda: "the server does not stop")
        client.send(b"!", socket.MSG_OOB)
        reset(client)
        server.signal(signal.SIGCONT)
        other.sendall(b"y")
        assert other.recv(1) == b"y"


def test_select_server_waits_once_for_one_socket_at_less_cost_than_epoll():
    """Compare the shortest of many waits, because the machine may also be busy with other programs."""
    with connected() as (client, conn), select.epoll() as epoll:
        client.sendall(b"x")
        select.select([conn], [], [], 10)

        def by_select():
            assert select.select([conn], [], [], 0)[0]

        def by_epoll():
            epoll.register(conn, select.EPOLLIN)
            assert epoll.poll(0)
            epoll.unregister(conn)

        costs = {by_select: [], by_epoll: []}
        for _ in range(2000):
            for wait, found in costs.items():
                started = time.perf_counter()
                wait()
                found.append(time.perf_counter() - started)
        assert min(costs[by_select]) < min(costs[by_epoll])


def test_select_server_xlist_means_urgent_data_and_errors_are_in_the_other_lists():
    with connected() as (client, conn):
        client.send(b"!", socket.MSG_OOB)
        assert select.select([], [], [conn], 10) == ([], [], [conn])
        poll = select.poll()
        poll.register(conn, select.POLLPRI)
        assert poll.poll(0) == [(conn.fileno(), select.POLLPRI)]
    with connected() as (client, conn):
        reset(client)
        assert select.select([conn], [], [], 10) == ([conn], [], [])
        assert select.select([conn], [conn], [conn], 0) == ([conn], [conn], [])


@contextlib.contextmanager
def connected():
    """Yield the two ends of a new TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=10)
        conn, addr = listener.accept()
    with client, conn:
        yield client, conn


def reset(sock):
    """Close a socket with a reset (RST) instead of an ordinary end of the connection (FIN)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def at_number(sock, number):
    """Copy a socket's descriptor to this number; yield the number, and close the copy at the end."""
    copy = fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, number)
    try:
        assert copy == number
        yield copy
    finally:
        os.close(copy)
