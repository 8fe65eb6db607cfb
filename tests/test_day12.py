"""day12, poll, epoll and coroutines: each fact seen from the outside.

That each demo prints what its docstring shows is checked in test_course.py.
"""
import asyncio
import contextlib
import os
import re
import select
import socket
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from classroom_client import Page, text_of
from course import output_of
from harness import ROOT, run, serve, wait_until

# For a program that imports a script of this day, changes something, and runs it.
CHANGED = {"cwd": ROOT / "day12", "env": {"PYTHONDONTWRITEBYTECODE": "1"}}


def test_edge_level():
    title, *lines = output_of("day12/edge_level.py").splitlines()
    rows = [re.fullmatch(r"(.+?) {2,}(\d+)  (\S+) +(\S+)", line).groups() for line in lines]
    assert [int(unread) for what, unread, level, edge in rows] == [10, 5, 5, 6, 0, 2]
    assert [level == "EPOLLIN" for what, unread, level, edge in rows] == [unread != "0" for what, unread, level, edge in rows]
    assert [edge == "EPOLLIN" for what, unread, level, edge in rows] == ["arrive" in what for what, unread, level, edge in rows]


def test_edge_level_sees_the_difference():
    """With level trigger in both columns, the script says what it expected and what came."""
    run(sys.executable, "-c", "import edge_level; edge_level.select.EPOLLET = 0; edge_level.main()", status=1,
        stderr=r"(?s).*AssertionError: expected .*\(5, 'EPOLLIN', '-'\), got \(5, 'EPOLLIN', 'EPOLLIN'\)\n", **CHANGED)


def test_poll_server_and_epoll_server_register_differ():
    """To register a descriptor again replaces its events in poll, and is an error in epoll."""
    ours, theirs = socket.socketpair()
    with ours, theirs, select.epoll() as epoll:
        poll = select.poll()
        poll.register(ours, select.POLLIN)
        poll.register(ours, select.POLLOUT)
        assert poll.poll(0) == [(ours.fileno(), select.POLLOUT)]
        epoll.register(ours, select.EPOLLIN)
        with pytest.raises(FileExistsError):
            epoll.register(ours, select.EPOLLOUT)


def test_epoll_server_edge_asks_for_edge_trigger():
    for args, flag in (([], 0), (["--edge"], select.EPOLLET)):
        with serve("day12/epoll_server.py", *args) as server, socket.create_connection((server.host, server.port)) as client:
            client.settimeout(10)
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            assert sorted(one & select.EPOLLET for one in events_of(server)) == [0, flag]      # the listener's, the client's


def test_epoll_server_edge_keeps_its_trigger_when_it_watches_for_something_else():
    """A client that does not read is watched for EPOLLOUT, and for EPOLLIN again once it reads: with edge trigger both times."""
    with serve("day12/epoll_server.py", "--edge") as server, socket.create_connection((server.host, server.port), 10) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        sent = 0

        def is_watched_for(event):
            return event | select.EPOLLET in events_of(server)

        def send_and_see():
            nonlocal sent
            with contextlib.suppress(BlockingIOError):
                sent += client.send(bytes(1 << 16), socket.MSG_DONTWAIT)
            return is_watched_for(select.EPOLLOUT)

        wait_until(send_and_see, lambda: f"{sent} bytes are not read, and it watches for {events_of(server)}")
        while sent:
            sent -= len(client.recv(1 << 16))
        wait_until(lambda: is_watched_for(select.EPOLLIN), lambda: f"all is read, and it watches for {events_of(server)}")


def events_of(server):
    """The events for which its epoll object watches each descriptor, without those that are always reported."""
    [epoll] = [fd for fd, what in server.descriptors().items() if what == "anon_inode:[eventpoll]"]
    info = Path(f"/proc/{server.pid}/fdinfo/{epoll}").read_text()
    return [int(one, 16) & ~(select.EPOLLERR | select.EPOLLHUP) for one in re.findall(r"events: *([0-9a-f]+)", info)]


def test_epoll_server_edge_gives_way_to_the_others():
    """Also where a client sends faster than it can be read: after some rounds epoll is asked again, and names them all."""
    run(sys.executable, "-c", """if True:
        import epoll_server
        from types import SimpleNamespace as Object
        rounds, asked = [], []
        class Server(epoll_server.EchoServer):
            def __init__(self):
                self.trigger, self.epoll = epoll_server.select.EPOLLET, Object(modify=lambda *args: asked.append(args))
            def echo(self, conn):
                rounds.append(conn)
                return len(rounds) < 1000
        server = Server()
        server.drain("conn")
        assert len(rounds) < 100, len(rounds)
        # Else nothing would tell of what is there already.
        assert asked == [("conn", epoll_server.select.EPOLLIN | epoll_server.select.EPOLLET)], asked
        rounds[:] = range(999)
        server.drain("conn")
        assert len(rounds) == 1000 and len(asked) == 1, "it asks again though all has been read"
        """, **CHANGED)


def test_epoll_server_edge_stays_edge_also_for_a_client_that_did_not_read():
    run(sys.executable, "-c", """if True:
        import epoll_server
        from types import SimpleNamespace as Object
        from select import EPOLLET, EPOLLIN, EPOLLOUT
        asked = []
        class Conn:
            def send(self, data):
                return min(3, len(data))
        class Server(epoll_server.EchoServer):
            def __init__(self):
                self.unsent, self.trigger = {"any other": b""}, EPOLLET
                self.epoll = Object(modify=lambda conn, events: asked.append(events))
        conn, server = Conn(), Server()
        assert not server.send(conn, b"hello") and server.unsent[conn] == b"lo"
        server.send_rest(conn)
        assert asked == [EPOLLOUT | EPOLLET, EPOLLIN | EPOLLET] and conn not in server.unsent, asked
        """, **CHANGED)


def test_poll_server_and_epoll_server_pause_for_a_tenth_of_a_second():
    """Where there are no descriptors left. poll takes milliseconds, epoll seconds."""
    run(sys.executable, "-c", """if True:
        import epoll_server, poll_server
        from types import SimpleNamespace as Object
        asked = []
        class Poll:
            def register(self, sock, events):
                pass
            modify = register
            def poll(self, timeout):
                asked.append(timeout)
                if len(asked) == 2:
                    raise KeyboardInterrupt
                return [(7, poll_server.select.POLLIN)]
        def accept():
            raise OSError("no descriptors left")
        listener = Object(fileno=lambda: 7, setblocking=lambda flag: None, accept=accept)
        poll_server.select.poll = poll_server.select.epoll = Poll
        for make, pause in ((lambda: poll_server.EchoServer(listener), 100), (lambda: epoll_server.EchoServer(listener, False), 0.1)):
            asked.clear()
            try:
                make().serve()
            except KeyboardInterrupt:
                assert asked == [None, pause], asked
        """, **CHANGED)


def test_epoll_server_descriptor_with_a_copy_stays_registered():
    """epoll watches what is behind the descriptor, until the last copy of it is closed."""
    ours, theirs = socket.socketpair()
    with theirs, select.epoll() as epoll:
        number = ours.fileno()
        epoll.register(ours, select.EPOLLIN)
        copy = os.dup(number)
        ours.close()
        theirs.sendall(b"x")
        assert epoll.poll(0) == [(number, select.EPOLLIN)]         # a number that belongs to nobody
        os.close(copy)
        assert epoll.poll(0) == []


def test_epoll_server_oneshot_reports_once_until_modify():
    """EPOLLONESHOT: one report, then silence, even of new bytes, until the program asks again."""
    ours, theirs = socket.socketpair()
    with ours, theirs, select.epoll() as epoll:
        epoll.register(ours, select.EPOLLIN | select.EPOLLONESHOT)
        theirs.send(b"a")
        assert epoll.poll(0) == [(ours.fileno(), select.EPOLLIN)] and epoll.poll(0) == []
        theirs.send(b"b")
        assert epoll.poll(0) == []
        epoll.modify(ours, select.EPOLLIN | select.EPOLLONESHOT)
        assert epoll.poll(0) == [(ours.fileno(), select.EPOLLIN)]


def test_coroutine_0():
    printed = output_of("day12/coroutine_0.py")
    assert re.findall(r"^(\w+)\((\d*)\) +got (\d+), keeps \{'total': (\d+)", printed, re.MULTILINE) == [
        ("next", "", "0", "0"), ("send", "10", "10", "10"), ("send", "32", "42", "42")]
    turns = re.search(r"turns: (.*)", printed)[1].split()
    # The first of each task, then the second of each.
    assert turns == sorted(turns, key=lambda turn: (turn[1], turn[0]))


def test_coroutine_0_sees_a_task_that_does_not_give_way():
    program = "import coroutine_0; coroutine_0.run = lambda tasks: [list(task) for task in tasks]; coroutine_0.main()"
    printed = run(sys.executable, "-c", program, status=1, stderr="(?s).*AssertionError: expected turns a1 b1.*got a1 a2 a3.*", **CHANGED).stdout
    assert printed.endswith("turns: a1 a2 a3 b1 b2 c1\n")


def test_coroutine_race():
    printed = output_of("day12/coroutine_race.py")
    assert re.findall(r"^n is 0, and ten tasks run .*: now n is (\d+) \((\d+) updates lost\)$", printed, re.MULTILINE) == [("1", "9"), ("10", "0")]


def test_coroutine_race_says_so_when_no_update_is_lost():
    program = "import coroutine_race; coroutine_race.add = coroutine_race.add_at_once; coroutine_race.main()"
    printed = run(sys.executable, "-c", program, status=1, stderr="(?s).*AssertionError: expected 9 lost updates.*n is 10\n", **CHANGED).stdout
    assert "add(): now n is 10 (0 updates lost)" in printed


def test_greenlet_0():
    printed = output_of("day12/greenlet_0.py")
    assert re.findall(r"^(\w+) (?:begins|continues) with '(.*?)'", printed, re.MULTILINE) == [
        ("a", "from main"), ("b", "from a"), ("a", "from b"), ("b", "from a, inside a function"), ("main", "result of b"),
        ("a", "from main again"), ("main", "result of a")]


def test_greenlet_0_sees_a_result_that_goes_to_another_parent():
    program = """if True:
        import greenlet, greenlet_0
        original = greenlet_0.play_a
        def play_a(b, value):
            b.parent = greenlet.getcurrent()
            return original(b, value)
        greenlet_0.play_a = play_a
        greenlet_0.main()
        """
    printed = run(sys.executable, "-c", program, status=1, stderr="(?s).*AssertionError: expected the result of b.*", **CHANGED).stdout
    assert "a continues with 'result of b'" in printed


def test_gevent_test():
    printed = output_of("day12/gevent_test.py")
    assert re.findall(r"^after (\w+).* '(\w*)'$", printed, re.MULTILINE) == [("calling", ""), ("time", ""), ("joinall", "ababab")]
    assert re.findall(r"^with .*sleep: +(\w+)$", printed, re.MULTILINE) == ["aaabbb", "ababab"]


def test_gevent_test_needs_waits_of_gevent():
    run(sys.executable, "-c", "import gevent_test; gevent_test.gevent.sleep = gevent_test.time.sleep; gevent_test.main()",
        status=1, stderr="(?s).*AssertionError: expected ababab.*got aaabbb\n", **CHANGED)


def test_gevent_joinall():
    first, second = output_of("day12/gevent_joinall.py").split("\n\n")
    assert re.findall(r"returned (.*); slow.dead: False\nslow.kill\(\): slow.dead: True", first) == ["['quick']"]
    assert second.count("ValueError") == 3 and "bad.value: None" in second


def test_gevent_joinall_sees_an_error_that_is_not_raised():
    program = """if True:
        from gevent import joinall
        import gevent_joinall
        gevent_joinall.gevent.joinall = lambda *args, raise_error=None, **kwargs: joinall(*args, **kwargs)
        gevent_joinall.main()
        """
    run(sys.executable, "-c", program, status=1, stderr="(?s).*AssertionError: expected ValueError from joinall, got nothing\n", **CHANGED)


def test_gevent_monkey():
    title, *lines = output_of("day12/gevent_monkey.py").splitlines()
    rows = [re.findall(r"[ab]{6}\b", line) for line in lines]
    assert rows == [["aaabbb"] * 2, ["aaabbb"] * 2, ["ababab"] * 2, ["ababab"] * 2]


def test_gevent_monkey_needs_the_patch():
    printed = run(sys.executable, "-c", "import gevent_monkey; gevent_monkey.monkey.patch_all = list; gevent_monkey.main()",
                  status=1, stderr="(?s).*AssertionError: expected .*ababab.* got .*aaabbb.*", **CHANGED).stdout
    assert "ababab" not in printed


def test_gevent_monkey_makes_greenlets_of_threads_and_takes_epoll_away():
    program = """if True:
        from gevent import monkey
        monkey.patch_all()
        import os, select, threading
        may_end = threading.Event()
        threads = [threading.Thread(target=may_end.wait) for _ in range(5)]
        for thread in threads:
            thread.start()
        print(threading.active_count(), len(os.listdir("/proc/self/task")), hasattr(select, "epoll"))
        may_end.set()
        for thread in threads:
            thread.join()
        """
    assert run(sys.executable, "-c", program).stdout == "6 1 False\n"


def letters(function):
    """The order in which two tasks of asyncio write three letters each; function: what each awaits after a letter."""
    written = []

    async def write(letter):
        for _ in range(3):
            written.append(letter)
            await function()

    async def both():
        await asyncio.gather(write("a"), write("b"))

    asyncio.run(both())
    return "".join(written)


async def compute():
    return sum(range(100))


async def sleep_with_time():
    time.sleep(0)


def test_asyncio_server_await_switches_only_where_it_must_wait():
    """await of a coroutine that does not wait runs it like a function: no other task has a turn."""
    assert letters(compute) == "aaabbb" and letters(lambda: asyncio.sleep(0)) == "ababab"


def test_asyncio_server_time_sleep_in_a_coroutine_stops_the_others_too():
    assert letters(sleep_with_time) == "aaabbb"


def test_coroutine_server_waits_in_epoll():
    waits_in_epoll("day12/coroutine_server.py")


def test_gevent_server_waits_in_epoll():
    """Coroutines are how it is written; what waits is one thread, as in epoll_server.py."""
    waits_in_epoll("day12/gevent_server.py")


def test_gevent_server_gives_way_to_the_others():
    """Also where a client sends faster than it can be read, so that recv never waits."""
    run(sys.executable, "-c", """if True:
        import contextlib, gevent, gevent_server
        class Conn(contextlib.nullcontext):
            received = 0
            def __enter__(self):
                return self
            def recv(self, size):
                self.received += 1
                return bytes(size) if self.received < 1000 else b""
            def sendall(self, data):
                pass
        conn, seen = Conn(), []
        both = [gevent.spawn(gevent_server.echo, conn, None), gevent.spawn(lambda: seen.append(conn.received))]
        gevent.joinall(both, raise_error=True)
        assert seen[0] < 100 and conn.received == 1000, seen
        """, **CHANGED)


def test_asyncio_server_waits_in_epoll():
    waits_in_epoll("day12/asyncio_server.py")


def waits_in_epoll(script):
    with serve(script) as server, socket.create_connection((server.host, server.port), timeout=10) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        assert "anon_inode:[eventpoll]" in server.descriptors().values()
        assert server.threads() == 1


def test_classroom_runs_a_script_over_http():
    """All else is in test_classroom.py, and what a browser makes of it in test_classroom_page.py."""
    with serve("day12/classroom.py") as server:
        page = Page(server)
        answer = page.run("day07/fork.py")
        assert text_of(answer).startswith("before the fork: one process")
        assert [lane["name"]["en"] for lane in answer["lanes"]] == ["parent", "child 1"] and answer["status"] == 0


def test_http_server_waits_in_epoll_and_serves_the_course():
    """All else is in test_http_*.py."""
    with serve("day12/http_server.py", stderr=r'127\.0\.0\.1 - - \[.*\] "GET / HTTP/1\.1" 200 \d+\n') as server:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=10) as answer:
            assert answer.status == 200 and b"day12/http_server.py" in answer.read()
        assert "anon_inode:[eventpoll]" in server.descriptors().values()
        assert server.threads() == 1
