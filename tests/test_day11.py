"""day11, IO models: blocking, not blocking, and select; each fact seen from the outside.

That each demo prints what its docstring shows is checked in test_course.py.
"""
import contextlib
import fcntl
import os
import re
import resource
import select
import socket
import struct
import time

import pytest
from course import output_of
from harness import run, serve


def test_block_io():
    started = time.monotonic()
    lines = run("day11/block_io.py").stdout.splitlines()
    assert time.monotonic() - started >= 0.5       # two waits of 0.2 s without a client, and one of 0.1 s in vain
    assert [re.findall(r"([\d.]+) s of CPU", line) for line in lines[:2]] == [["0.00"], ["0.00"]]
    [milliseconds] = re.findall(r"(\d+) ms", "\n".join(lines))
    assert int(milliseconds) >= 100


def test_block_io_on_a_file_never_waits_but_for_the_disk(tmp_path):
    """A file counts as ready always, so select says nothing new about it, and epoll refuses it."""
    with open(tmp_path / "file", "w+b") as file, select.epoll() as epoll:
        assert select.select([file], [file], [], 0) == ([file], [file], [])
        with pytest.raises(PermissionError):
            epoll.register(file, select.EPOLLIN)


def test_bitwise():
    printed = output_of("day11/bitwise.py")
    rows = re.findall(r"^(.*?) +([01]{6}) +(\d+)\b", printed, re.MULTILINE)
    assert all(int(bits, 2) == int(number) for what, bits, number in rows)
    numbers = {what: int(number) for what, bits, number in rows}
    operations = [what for what in numbers if what.startswith("14 ")]
    assert {what: numbers[what] for what in operations} == {what: eval(what) for what in operations}
    assert sorted(numbers[what] for what in operations) == [2, 3, 29, 31, 56]
    flags = [what for what in numbers if what.startswith("POLL")]
    assert {what: numbers[what] for what in flags} == {what: getattr(select, what) for what in flags} and len(flags) == 6
    assert [numbers[what] for what in numbers if what.startswith("interest")] == [9, 13, 9]
    assert [numbers[what] for what in numbers if what.startswith("event")] == [17, 1, 0]


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
    poll.register(number, 0)                       # closed by now
    assert poll.poll(10_000) == [(number, select.POLLNVAL)]


def test_select_server_limit_is_that_of_select():
    """It is the number of a descriptor that counts, not how many there are. poll and epoll know no such limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= 1024:
        pytest.skip(f"this user may have {hard} descriptors")
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
    """More clients come than there are such numbers: those wait until others leave."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1300:
        pytest.skip(f"this user may have {hard} descriptors")
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
    """The two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=10)
        conn, addr = listener.accept()
    with client, conn:
        yield client, conn


def reset(sock):
    """Close it so that the other side is reset (RST), not told that this was all (FIN)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def at_number(sock, number):
    """A copy of a socket's descriptor that has this number."""
    copy = fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, number)
    try:
        assert copy == number
        yield copy
    finally:
        os.close(copy)
