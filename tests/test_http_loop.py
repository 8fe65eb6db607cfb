"""Tests the event loop of the HTTP server alone: it runs an echo server, and throws a TimeoutError into late coroutines."""
import contextlib
import errno
import io
import os
import resource
import socket
import sys
import time
from types import SimpleNamespace

import pytest
from harness import ROOT

sys.path.append(str(ROOT / "day12"))
from httpd.loop import Loop  # noqa: E402
from httpd.server import HTTPServer  # noqa: E402

NEVER = float("inf")


def accept(loop, listener):
    """A coroutine that accepts clients and starts another coroutine for each of them."""
    while True:
        yield
        conn, address = listener.accept()
        conn.setblocking(False)
        loop.start(conn.fileno(), echo(loop, conn))


def echo(loop, conn):
    """A coroutine that sends back all bytes that it receives. Its code reads like a blocking program."""
    with conn:
        try:
            while True:
                yield
                data = conn.recv(1 << 16)
                if not data:
                    return
                while data:
                    with contextlib.suppress(BlockingIOError):
                        data = data[conn.send(data):]
                    if data:
                        yield from loop.wait_to_write(conn.fileno(), NEVER)
        finally:
            loop.epoll.unregister(conn.fileno())


def turn(loop):
    loop.resume(loop.wait())
    loop.expire()


@pytest.fixture
def loop():
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def pair():
    """Yields two connected sockets. The second one is non-blocking, for a coroutine."""
    client, conn = socket.socketpair()
    conn.setblocking(False)
    with client, conn:
        yield client, conn


def test_an_echo_server_runs_on_the_loop_unchanged(loop):
    """The loop serves several clients at once. One of them fills all socket buffers before it reads."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)             # accepted sockets inherit this size
        loop.start(listener.fileno(), accept(loop, listener))
        clients = [stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(10)]
        while len(loop.tasks) < 11:
            turn(loop)
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            client.setblocking(False)
            assert heard(loop, client, 1) == b"%d" % number
        greedy, other = clients[:2]
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += greedy.send(bytes(1 << 16))
        while not loop.deadlines:                  # until the coroutine of greedy must wait for room
            turn(loop)
        other.send(b"x")
        assert heard(loop, other, 1) == b"x"
        assert heard(loop, greedy, sent) == bytes(sent)
        for client in clients:
            client.close()
        while len(loop.tasks) > 1:
            turn(loop)


def heard(loop, client, count):
    """Return count bytes that a client receives. Run turns of the loop until they have arrived."""
    data = b""
    while len(data) < count:
        try:
            data += client.recv(count - len(data))
        except BlockingIOError:
            turn(loop)
    return data


def test_a_bare_yield_waits_for_the_descriptor_and_costs_no_registration(loop, pair):
    client, conn = pair
    heard = []

    def listen():
        while True:
            yield
            heard.append(conn.recv(10))
    loop.start(conn.fileno(), listen())
    for word in b"a", b"b":
        client.send(word)
        turn(loop)
    assert heard == [b"a", b"b"]


def test_to_wait_for_room_is_not_to_wait_for_something_to_read(loop, pair):
    """A coroutine that waits for room is not woken by received bytes: a client that only sends would keep the loop busy."""
    client, conn = pair
    with contextlib.suppress(BlockingIOError):
        while conn.send(bytes(1 << 16)):
            pass
    happened = []

    def write():
        yield
        yield from loop.wait_to_write(conn.fileno(), NEVER)
        happened.append("room")
        yield
    loop.start(conn.fileno(), write())
    client.send(b"a")
    loop.resume(loop.wait())
    assert loop.epoll.poll(0) == []
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while client.recv(1 << 20):
            pass
    loop.resume(loop.wait())
    assert happened == ["room"]


def test_a_listener_without_descriptors_is_asked_again_and_has_no_deadline_afterwards():
    """If the listener kept its deadline, expire() would end its coroutine a second later: no more clients would be accepted."""
    did = []

    def accept():
        raise OSError(errno.EMFILE, "out of descriptors")
    epoll = SimpleNamespace(register=lambda *args: did.append("register"), unregister=lambda *args: did.append("unregister"))
    server = SimpleNamespace(listener=SimpleNamespace(fileno=lambda: 5, accept=accept), has_siblings=False, loop=Loop())
    server.loop.epoll.close()
    server.loop.epoll = epoll
    accepting = HTTPServer.accept_clients(server, 0)
    next(accepting)
    for _ in range(2):
        next(accepting)
        assert did == ["unregister"] and server.loop.deadlines == {5: 0}
        accepting.throw(TimeoutError())
        assert did == ["unregister", "register"] and server.loop.deadlines == {}
        did.clear()


@pytest.mark.parametrize("has_siblings", [False, True])
def test_a_listener_that_epoll_has_no_room_for_is_watched_again_as_soon_as_there_is_room(has_siblings):
    """If the coroutine of the listener ended with the error, the server would never accept a client again."""
    did, errors = [], [errno.EMFILE, errno.EAGAIN]

    def accept():
        raise OSError(errors[has_siblings], "nothing to accept")

    def register(*args):
        did.append("register")
        if len(did) < 4:
            raise OSError(errno.ENOSPC, "too many watches")
    loop = Loop()
    loop.epoll.close()
    loop.epoll = SimpleNamespace(register=register, unregister=lambda *args: did.append("unregister"))
    server = SimpleNamespace(listener=SimpleNamespace(fileno=lambda: 5, accept=accept), has_siblings=has_siblings, loop=loop)
    accepting = HTTPServer.accept_clients(server, 0)
    next(accepting)
    next(accepting)
    while did[-1:] != ["register"] or loop.deadlines:
        assert loop.deadlines == {5: 0} and len(did) < 4
        accepting.throw(TimeoutError())
    assert did == ["unregister", "register", "register", "register"]
    next(accepting)
    assert did[4:5] == ["unregister"]              # it has accepted again


def test_a_client_that_epoll_has_no_room_for_is_not_left_waiting():
    """The server closes the connection of a client that it cannot watch, and pauses."""
    client, conn = socket.socketpair()
    with client, conn:
        def register(*args):
            raise OSError(errno.ENOSPC, "too many watches")
        loop = Loop()
        loop.epoll.close()
        loop.epoll = SimpleNamespace(register=register, unregister=lambda *args: None)
        server = SimpleNamespace(listener=SimpleNamespace(fileno=lambda: 5, accept=lambda: (conn, ("127.0.0.1", 1))),
                                 has_siblings=False, loop=loop)
        accepting = HTTPServer.accept_clients(server, 0)
        next(accepting)
        next(accepting)
        assert loop.deadlines == {5: 0} and loop.tasks == {}
        client.settimeout(0)
        assert client.recv(1) == b""


def test_to_wait_until_the_peer_has_taken_some_bytes(loop, pair):
    """wait_to_write returns at once if there is room. After it, a bare yield waits for bytes to read again."""
    client, conn = pair
    happened = []

    def write_and_read():
        yield
        happened.append(conn.recv(10))
        yield from loop.wait_to_write(conn.fileno(), NEVER)
        happened.append("room")
        yield
        happened.append(conn.recv(10))
    loop.start(conn.fileno(), write_and_read())
    client.send(b"a")
    turn(loop)
    turn(loop)
    assert happened == [b"a", "room"] and loop.deadlines == {conn.fileno(): NEVER}
    assert loop.epoll.poll(0) == []
    client.send(b"b")
    loop.resume(loop.wait())
    assert happened == [b"a", "room", b"b"]


def test_a_late_coroutine_gets_a_timeout_error_at_its_yield(loop, pair):
    """A late coroutine may catch the TimeoutError and continue. A coroutine whose deadline has not passed gets none."""
    client, conn = pair
    other = os.dup(conn.fileno())
    happened = []

    def wait(name):
        while True:
            try:
                yield
            except TimeoutError:
                happened.append(name)
    loop.start(conn.fileno(), wait("late"))
    loop.start(other, wait("early"))
    loop.deadlines.update({conn.fileno(): loop.now - 1, other: NEVER})
    loop.expire()
    assert happened == ["late"]
    loop.expire()                                  # does nothing, because the last check was less than a second ago
    assert happened == ["late"]
    loop.next_check = 0
    loop.expire()
    assert happened == ["late", "late"]
    os.close(other)


def test_what_has_come_in_time_is_received_first(loop, pair):
    """Bytes that have arrived are received even if this turn of the loop begins after the coroutine's deadline."""
    client, conn = pair
    happened = []

    def wait():
        try:
            yield
            loop.deadlines[conn.fileno()] = NEVER
            happened.append(conn.recv(10))
            yield
        except TimeoutError:
            happened.append("too late")
    loop.start(conn.fileno(), wait())
    loop.deadlines[conn.fileno()] = 0
    client.send(b"x")
    turn(loop)
    assert happened == [b"x"]


def receive(conn, size, happened):
    """A coroutine that notes what it receives, at most size bytes in each turn, and each TimeoutError."""
    while True:
        try:
            yield
            happened.append(conn.recv(size))
        except TimeoutError:
            happened.append("too late")


def test_a_request_sent_in_time_is_not_late_because_the_server_was(loop, pair):
    """A deadline is compared with the time at which the loop asked epoll, not with the time at which epoll answered.

    In this test, the process seems to be stopped between these times.
    """
    client, conn = pair
    happened = []
    loop.start(conn.fileno(), receive(conn, 10, happened))
    loop.deadlines[conn.fileno()] = time.monotonic() + 1
    loop.wait()
    client.send(b"x")
    loop.now += 1000
    loop.expire()
    assert happened == []
    loop.resume(loop.wait())
    assert happened == [b"x"]


@pytest.mark.parametrize("asked, now", [(5, 5), (0, 6)])
def test_the_time_in_which_we_did_not_wait_is_given_back_to_all(loop, pair, monkeypatch, asked, now):
    """A slow route (asked late), or a process that was stopped (epoll's answer came late), costs no client any of its time.

    The coroutine receives one byte in each turn, so in one turn it cannot receive all that has arrived.
    """
    client, conn = pair
    happened = []
    loop.start(conn.fileno(), receive(conn, 1, happened))
    client.send(b"xy")
    # The turn began at 0, and the client has two seconds from then on.
    loop.now, loop.deadlines[conn.fileno()] = 0, 2
    for times in [asked, now], [now, now + 0.5]:
        monkeypatch.setattr("httpd.loop.time", SimpleNamespace(monotonic=iter(times).__next__))
        loop.next_check = 0
        turn(loop)
    assert happened == [b"x", b"y"]
    # Other turns pass until the client's two seconds are over.
    monkeypatch.setattr("httpd.loop.time", SimpleNamespace(monotonic=iter([now + 2.5] * 2).__next__))
    loop.now, loop.next_check = now + 2.5, 0
    client.send(b"z")
    turn(loop)
    assert happened == [b"x", b"y", b"z", "too late"]


def test_all_that_are_ready_are_told_of_at_once(loop):
    """wait returns all ready descriptors, even more than epoll.poll returns by default. Otherwise the rest would look late."""
    many = 1100
    raised = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised[1], raised[1]))
    reader, writer = socket.socketpair()
    copies = []

    def wait():
        while True:
            yield
    try:
        for _ in range(many):
            copies.append(os.dup(reader.fileno()))
            loop.start(copies[-1], wait())
        writer.send(b"x")
        assert len(loop.wait()) == many
    finally:
        for fd in copies:
            loop.epoll.unregister(fd)
            os.close(fd)
        reader.close()
        writer.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, raised)


@pytest.mark.parametrize("stderr", [None, "closed", "broken"])
def test_a_bug_does_not_end_the_loop_whatever_stderr_is(loop, pair, monkeypatch, stderr):
    client, conn = pair
    if stderr:
        stream = io.StringIO()
        stream.close()
        stderr = stream if stderr == "closed" else object()
    monkeypatch.setattr(sys, "stderr", stderr)

    def fail():
        try:
            yield
            raise ZeroDivisionError
        finally:
            loop.epoll.unregister(conn.fileno())
    loop.start(conn.fileno(), fail())
    client.send(b"x")
    turn(loop)
    assert loop.tasks == {}


@pytest.mark.parametrize("error, printed", [(ConnectionResetError, ""), (TimeoutError, ""), (ZeroDivisionError, "ZeroDivision")])
def test_a_coroutine_that_fails_is_forgotten_and_only_bugs_are_reported(loop, pair, error, printed, capsys):
    client, conn = pair

    def fail():
        try:
            yield
            raise error
        finally:
            loop.epoll.unregister(conn.fileno())
    loop.start(conn.fileno(), fail())
    loop.deadlines[conn.fileno()] = NEVER
    client.send(b"x")
    turn(loop)
    assert loop.tasks == loop.deadlines == {}
    stderr = capsys.readouterr().err
    assert printed in stderr and bool(printed) == bool(stderr)


def test_to_close_the_loop_ends_its_coroutines(pair):
    client, conn = pair
    happened = []

    def wait():
        try:
            yield
        finally:
            happened.append("ended")
    loop = Loop()
    loop.start(conn.fileno(), wait())
    loop.close()
    assert happened == ["ended"] and loop.epoll.closed
