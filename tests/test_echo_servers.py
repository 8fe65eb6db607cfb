"""One suite for every echo server of the course: what each server owes its clients, including hostile clients.

Each server is started once and meets all of these clients in turn. After each test its descriptors, threads and children
must be what they were before. Tests that need a server of their own come at the end.
"""
import ast
import contextlib
import os
import random
import re
import resource
import select
import signal
import socket
import sys

import pytest
from harness import ROOT, TIMEOUT, Program, Wire, assert_idle, await_ready, flooding, has_ipv6, ready, receive, reset, run, serve, wait_until

SERVERS = {
    "fork": ["day10/fork_server.py"],
    "thread": ["day10/thread_server.py"],
    "select": ["day11/select_server.py"],
    "poll": ["day12/poll_server.py"],
    "epoll": ["day12/epoll_server.py"],
    "epoll-edge": ["day12/epoll_server.py", "--edge"],
    "coroutine": ["day12/coroutine_server.py"],
    "gevent": ["day12/gevent_server.py"],
    "asyncio": ["day12/asyncio_server.py"],
    "iterative": ["day10/iterative_server.py"],    # the last, and not among those that serve several clients at once
}
several_clients = pytest.mark.parametrize("shared", list(SERVERS)[:-1], indirect=True, scope="module")
ALL_BYTES = bytes(range(256))
MIB = 1 << 20


@pytest.fixture(scope="module", params=SERVERS)
def shared(request):
    """Yield a server that many tests share, and its state without a client."""
    script, *args = SERVERS[request.param]
    with serve(script, *args) as server:
        with connect(server) as conn:              # what the server makes for its first client and keeps is no leak
            assert exchange(conn, b"first") == b"first"
        wait_until(lambda: server.threads() == 1 and not server.children(), lambda: "the child or thread that served the client does not end")
        server.name = request.param
        yield server, state(server)
    # Ctrl-C: its exit status is 0, there is nothing on stderr, and nothing is left


@pytest.fixture
def server(shared):
    """Yield the shared server; after the test it must be in the same state as before."""
    server, before = shared
    yield server
    with connect(server) as conn:                  # it still serves
        assert exchange(conn, ALL_BYTES) == ALL_BYTES
    wait_until(lambda: state(server) == before, lambda: f"it was {before}, it is {state(server)}")


def state(server):
    """Return what a server holds now: descriptors, threads, children."""
    return server.descriptors(), server.threads(), server.children()


def connect(server, **options):
    """Return a connection to a server. options: socket options, such as SO_RCVBUF=4096."""
    conn = Wire(socket.AF_INET6 if ":" in server.host else socket.AF_INET, socket.SOCK_STREAM)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in options.items():
        conn.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    conn.connect((server.host, server.port))
    return conn


def ping(conn, data):
    conn.sendall(data)
    return receive(conn, len(data))


def exchange(conn, data):
    """Send data, shut down, and receive until EOF; send and receive at the same time, because the buffers on the way are small."""
    conn.setblocking(False)
    received, left = bytearray(), memoryview(data)
    while True:
        readable, writable = await_ready([conn], [conn] if left else [])
        assert readable or writable, f"stuck: {len(left)} bytes to send, {len(received)} received"
        if writable:
            left = left[socket.socket.send(conn, left[:MIB]):]
            if not left:
                conn.shutdown(socket.SHUT_WR)
        if readable:
            more = socket.socket.recv(conn, MIB)
            if not more:
                return bytes(received)
            received += more


def fill(conn, seed=0):
    """Send without receiving, until the server accepts no more; return what was sent."""
    conn.setblocking(False)
    pattern = random.Random(seed).randbytes(MIB)
    sent = bytearray()
    while select.select([], [conn], [], 0.2)[1]:   # no event says that a peer does *not* read
        with contextlib.suppress(BlockingIOError):
            sent += pattern[:socket.socket.send(conn, pattern)]
        assert len(sent) < 64 * MIB, "the server accepts more and more, though this client reads nothing"
    conn.settimeout(TIMEOUT)
    return bytes(sent)


# What every client may expect

@pytest.mark.parametrize("data", [
    b"x", ALL_BYTES, "你好，世界".encode(), b"\0" * 70000, random.Random(1).randbytes(8 * MIB),
], ids=["1 byte", "all bytes", "Chinese", "zeros", "8 MiB"])
def test_bytes_come_back_unchanged(server, data):
    with connect(server) as conn:
        assert exchange(conn, data) == data        # a half-close by the client: what it sent before the FIN is still echoed


def test_byte_by_byte(server):
    with connect(server) as conn:
        for byte in "一字一字".encode() + ALL_BYTES:  # each character comes in three pieces
            assert ping(conn, bytes([byte])) == bytes([byte])


def test_nothing_but_fin(server):
    with connect(server) as conn:
        conn.shutdown(socket.SHUT_WR)
        assert conn.recv(1) == b""


def test_urgent_data_stays_in_its_place(server):
    with connect(server) as conn:
        conn.sendall(b"ab")
        conn.send(b"!", socket.MSG_OOB)
        conn.sendall(b"cd")
        conn.send(b"?", socket.MSG_OOB)
        conn.shutdown(socket.SHUT_WR)
        assert receive(conn, 100) == b"ab!cd?"


def test_reset_before_and_after_a_word(server):
    for words in (b"", b"hello"):
        for _ in range(5):
            conn = connect(server)
            conn.sendall(words)
            reset(conn)
    conn = connect(server)
    assert ping(conn, b"hello") == b"hello"
    reset(conn)


def test_reset_in_the_middle(server):
    """The client resets while bytes are under way in both directions, some of them unread."""
    conn = connect(server)
    fill(conn)
    assert conn.recv(1000)
    reset(conn)


def test_gone_without_reading(server):
    """The client closes with unread bytes, so its kernel sends RST while the server is still sending."""
    conn = connect(server, SO_RCVBUF=4096)
    fill(conn)
    conn.close()


def test_half_closed_without_reading(server):
    """A client sends everything and EOF, then reads late: nothing is lost, and the server waits without spinning."""
    with connect(server, SO_RCVBUF=4096) as conn:
        sent = fill(conn)
        conn.shutdown(socket.SHUT_WR)
        assert_idle(server)
        assert receive(conn, len(sent) + 1) == sent


# Clients beside each other

@several_clients
def test_200_clients_do_not_mix(server):
    order = random.Random(2)
    with contextlib.ExitStack() as stack:
        conns = [stack.enter_context(connect(server)) for _ in range(200)]
        for turn in range(5):
            messages = {conn: f"{turn} {number} ".encode() * order.randrange(1, 2000) for number, conn in enumerate(conns)}
            for group in (order.sample(conns, 200), order.sample(conns, 200)):
                for conn in group[:100]:
                    conn.sendall(messages[conn][:len(messages[conn]) // 2])
                    messages[conn], rest = messages[conn], messages[conn][len(messages[conn]) // 2:]
                    conn.sendall(rest)
                    assert receive(conn, len(messages[conn])) == messages[conn]
            order.shuffle(conns)
            for conn in conns:
                conn.sendall(messages[conn])
            order.shuffle(conns)
            for conn in conns:
                assert receive(conn, len(messages[conn])) == messages[conn]


@several_clients
def test_500_idle_clients(server):
    with contextlib.ExitStack() as stack:
        conns = [stack.enter_context(connect(server)) for _ in range(500)]
        for conn in conns:
            conn.sendall(b"hello")
        for conn in conns:
            assert receive(conn, 5) == b"hello"
        assert_idle(server)
        with connect(server) as conn:
            assert exchange(conn, ALL_BYTES) == ALL_BYTES


@several_clients
def test_a_client_that_never_reads(server):
    """A client that does not read costs the server a bounded amount of memory, and the other clients nothing. When it reads at last, it gets everything."""
    before = server.memory()
    with connect(server, SO_RCVBUF=4096) as conn, connect(server) as other:
        sent = fill(conn)
        assert_idle(server)
        for _ in range(20):
            assert ping(other, ALL_BYTES) == ALL_BYTES
        assert server.memory() - before < 1024, "KiB"
        conn.shutdown(socket.SHUT_WR)
        assert receive(conn, len(sent) + 1) == sent


@several_clients
def test_two_clients_that_do_not_read_do_not_mix(server):
    with connect(server, SO_RCVBUF=4096) as one, connect(server, SO_RCVBUF=4096) as two:
        sent = fill(one, 1), fill(two, 2)
        for conn in (one, two):
            conn.shutdown(socket.SHUT_WR)
        assert (receive(two, len(sent[1]) + 1), receive(one, len(sent[0]) + 1)) == (sent[1], sent[0])


@several_clients
def test_a_client_that_never_stops(server):
    """One client sends and reads as fast as it can, and another client still gets its turn."""
    with connect(server) as conn, connect(server) as other, flooding(conn, b"x" * MIB):
        for _ in range(20):
            assert ping(other, ALL_BYTES) == ALL_BYTES


def test_many_clients_leave_no_memory_behind(server):
    def visit(times):
        for _ in range(times):
            with connect(server) as conn:
                assert ping(conn, b"x") == b"x"
            if server.name == "thread":            # each thread would need its own stack if all existed at the same time
                wait_until(lambda: server.threads() == 1, lambda: "the thread does not end")
        return server.memory()
    before = visit(100)
    assert visit(500) - before < 512, "KiB"


# The server as a program

def start(name, **options):
    script, *args = SERVERS[name]
    return serve(script, *args, **options)


@pytest.mark.parametrize("name", SERVERS)
def test_ctrl_c_with_clients_and_again_on_the_same_port(name):
    with contextlib.ExitStack() as stack:
        with start(name) as server:
            conns = [stack.enter_context(connect(server)) for _ in range(1 if name == "iterative" else 3)]
            for conn in conns:
                assert ping(conn, b"hello") == b"hello"
            fill(conns[0])
        for conn in conns[1:]:
            assert conn.recv(1) == b""
        with start(name, port=server.port) as again, connect(again) as conn:
            assert exchange(conn, b"hello") == b"hello"


@pytest.mark.parametrize("name", SERVERS)
def test_out_of_descriptors(name):
    """New clients wait, connected clients notice nothing, and as soon as a descriptor is free, the server accepts again."""
    with start(name) as server, contextlib.ExitStack() as stack:
        before = server.descriptors()
        if name != "iterative":
            here = stack.enter_context(connect(server))
            assert ping(here, b"hello") == b"hello"
        if name == "fork":                         # the child can answer before the parent has closed its copy
            wait_until(lambda: server.descriptors() == before, lambda: f"it was {before}, it is {server.descriptors()}")
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        numbers = server.descriptors()
        assert list(numbers) == list(range(len(numbers))), "there are free descriptor numbers between those in use"
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (len(numbers), limits[1]))

        waiting = [stack.enter_context(connect(server)) for _ in range(5)]
        for conn in waiting:
            conn.sendall(b"hello")
            conn.shutdown(socket.SHUT_WR)
        if name != "iterative":
            for _ in range(20):
                assert ping(here, ALL_BYTES) == ALL_BYTES
        # An accept() that has begun already has its descriptor.
        assert len(select.select(waiting, [], [], 0.3)[0]) <= 1
        assert_idle(server)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
        for conn in waiting:
            assert receive(conn, 100) == b"hello"


@pytest.mark.parametrize("name", SERVERS)
def test_command_line(name):
    script, *args = SERVERS[name]
    with start(name) as server:
        programs = [(Program(script, *words), message) for words, message in [
            ([server.port, *args], rf"\w+_server\.py: 127\.0\.0\.1:{server.port}: Address already in use:"
                                   rf" try port {server.port + 1} · 端口已被占用，请换一个\n"),
            ([70000, *args], r"\w+_server\.py: 127\.0\.0\.1:70000: [^\n]*0-65535\.\n([^\n]*ResourceWarning[^\n]*\n)*"),
            (["0", "-b", "192.0.2.1", *args], r"\w+_server\.py: 192\.0\.2\.1:0: Cannot assign requested address:"
                                              r" try -b 127\.0\.0\.1 · 本机没有这个地址，请用 -b 127\.0\.0\.1\n"),
            (["0", "-b", "a..b", *args], r"\w+_server\.py: a\.\.b:0: [^\n]+\n"),
            (["http", *args], r"usage: .*\n\w+_server\.py: error: .*invalid int value: 'http'\n"),
        ]]
        for program, message in programs:
            program.finish(status=2, stderr=message)
            assert program.stdout == ""
        with connect(server) as conn:
            assert exchange(conn, b"hello") == b"hello"


@pytest.mark.parametrize("name", SERVERS)
def test_ipv6(name):
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    script, *args = SERVERS[name]
    with serve(script, "-b", "::1", "-v", *args) as server, connect(server) as conn:
        assert "[::1]" in server.stdout
        assert exchange(conn, b"hello") == b"hello"
        shown(server, address_of(conn), SHOWN[name][0])
        shown(server, address_of(conn), SHOWN[name][1])


def test_a_port_below_1024():
    """Whether the kernel refuses a low port depends on the user and the machine, so this test raises the error itself."""
    program = run(sys.executable, "-c", """if True:
        import errno, iterative_server, os
        def create_server(*args, **options):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        iterative_server.socket.create_server = create_server
        iterative_server.main()
        """, "80", status=2, stderr=r"-c: 127\.0\.0\.1:80: Permission denied: ports below 1024 need root, try 8888"
        r" · 1024 以下的端口需要 root\n", cwd=ROOT / "day10", env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert not program.stdout


def test_what_all_servers_share_is_the_same_to_the_letter():
    sources = {}
    for script, *_ in SERVERS.values():
        source = (ROOT / script).read_text(encoding="utf-8")
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        shared = [ast.get_source_segment(source, node) for node in functions if node.name in ("say", "host_port", "listen")]
        assert len(shared) == 3
        # All that follows this marker is the same in every server, including the comments.
        _, mark, rest = source.partition("# The rest of the file is the same in every echo server")
        assert mark and rest.index("def say(") < 100
        shared.append(rest)
        sources[script] = shared
    [first, *others] = sources
    assert all(sources[other] == sources[first] for other in others)


# What serves each client: shown on a terminal, or with -v

THE_LOOP = r"-> the one loop, clients: (\d+)", r"left, clients in the one loop: (\d+)"
SHOWN = {
    "fork": (r"-> child (\d+)", r"left, child (\d+) ended with 0"),
    "thread": (r"-> (Thread-\d+ \(echo\)), id (\d+)", r"left, (Thread-\d+ \(echo\)) ends"),
    "select": THE_LOOP, "poll": THE_LOOP, "epoll": THE_LOOP, "epoll-edge": THE_LOOP,
    "coroutine": (r"-> coroutine (\d+) of the one loop", r"left, coroutine (\d+) ends"),
    "gevent": (r"-> (Greenlet-\d+) of the one loop", r"left, (Greenlet-\d+) ends"),
    "asyncio": (r"-> (Task-\d+) of the one loop", r"left, (Task-\d+) ends"),
    "iterative": (r"-> served (now), all others wait", r"left, (next) client"),
}
LONGEST = "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"


def shown(server, address, text):
    """Wait for a line about a client; return what its pattern catches."""
    line = server.expect(rf"^{re.escape(address)} {text}\n")
    with_longest = re.sub(r"(child|id) \d+", r"\1 4194304", line[0].rstrip().replace(address, LONGEST))
    assert len(with_longest) <= 80
    return line.groups()


def address_of(conn):
    host, port = conn.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@pytest.mark.parametrize("how", [{"tty": True}, {}], ids=["tty", "-v"])
@pytest.mark.parametrize("name", SERVERS)
def test_shows_its_clients(name, how):
    """Two clients at once, one ending with FIN and one with RST; a third is still connected at Ctrl-C."""
    came, left = SHOWN[name]
    script, *args = SERVERS[name]
    if not how:
        args.append("-v")
    with contextlib.ExitStack() as stack:
        with serve(script, *args, **how) as server:
            conns = []
            for _ in range(3):
                conns.append(stack.enter_context(connect(server)))
                # A thread shows its client before it echoes; threads that start at the same time may do so in any order.
                if name != "iterative":
                    assert ping(conns[-1], b"x") == b"x"
            first, second, third = conns
            one, two, three = map(address_of, conns)
            if name == "iterative":
                third.sendall(b"waits")
                assert ping(first, b"x") == b"x"
                shown(server, one, came)
                first.close()
                shown(server, one, left)
                shown(server, two, came)
                reset(second)
                shown(server, two, left)
                shown(server, three, came)
                assert receive(third, 5) == b"waits"
            else:
                by = [shown(server, address, came) for address in (one, two, three)]
                assert_is_true(name, server, by)
                first.close()
                ends = [shown(server, one, left)]
                reset(second)
                ends.append(shown(server, two, left))
                if SHOWN[name] == THE_LOOP:
                    assert (by, ends) == ([("1",), ("2",), ("3",)], [("2",), ("1",)])
                else:
                    assert [end[0] for end in ends] == [begin[0] for begin in by[:2]] and len(set(by)) == 3
    # The third client did not leave.
    assert [line.split()[0] for line in server.stdout.splitlines()].count(three) == 1
    assert len(server.stdout.splitlines()) == 1 + 3 + 2


def assert_is_true(name, server, by):
    """The PIDs and thread ids that the server prints are the ones that the kernel reports."""
    if name == "fork":
        assert {int(pid) for pid, in by} == set(server.children())
    if name == "thread":
        assert {int(number) for _, number in by} | {server.pid} == set(map(int, os.listdir(f"/proc/{server.pid}/task")))
    if name == "coroutine":
        assert all(server.descriptors()[int(fd)].startswith("socket:") for fd, in by)


def test_shows_a_child_that_is_killed():
    with serve("day10/fork_server.py", "-v") as server, connect(server) as conn:
        assert ping(conn, b"x") == b"x"
        [child] = server.children()
        os.kill(child, signal.SIGTERM)
        assert conn.recv(1) == b""
        server.expect(rf"^{address_of(conn)} left, child {child} ended with -15\n")


@pytest.mark.parametrize("how", [([], {}), (["--quiet"], {"tty": True}), (["-v", "--quiet"], {})],
                         ids=["pipe", "tty --quiet", "-v --quiet"])
@pytest.mark.parametrize("name", SERVERS)
def test_shows_no_clients(name, how):
    words, options = how
    script, *args = SERVERS[name]
    with serve(script, *args, *words, **options) as server:
        for leave in (Wire.close, reset):
            conn = connect(server)
            assert ping(conn, b"x") == b"x"
            leave(conn)
        with connect(server) as conn:
            assert exchange(conn, b"x") == b"x"
    assert server.stdout == f"listening on 127.0.0.1:{server.port}\n"


@pytest.mark.parametrize("how", ["terminal", "pipe"])
@pytest.mark.parametrize("name", SERVERS)
def test_cannot_show_its_clients(name, how):
    """When its terminal is closed, or the reader of its pipe has exited, the server goes on serving old and new clients."""
    script, *args = SERVERS[name]
    # Ignore SIGHUP, as nohup does: closing the terminal sends it, and it would end the server.
    words = ["sh", "-c", 'trap "" HUP; exec "$0" "$@"', sys.executable, ROOT / script, 0, *args, "-v"]
    with Program(*words, tty=how == "terminal") as server, contextlib.ExitStack() as stack:
        ready(server)
        conn = stack.enter_context(connect(server))
        assert ping(conn, b"before") == b"before"
        server.expect(f"^{address_of(conn)} ->.*\n")
        server.hang_up()
        assert ping(conn, b"after") == b"after"
        others = [] if name == "iterative" else [connect(server), connect(server)]
        for other in others:
            assert ping(other, ALL_BYTES) == ALL_BYTES
        assert exchange(conn, b"all") == b"all"
        for other in others:
            reset(other)
        with connect(server) as last:
            assert exchange(last, ALL_BYTES) == ALL_BYTES
        server.interrupt()
        server.finish()
