"""Tests the HTTP server with harmful clients: they are slow, silent or greedy, disconnect early, or are too many."""
import contextlib
import os
import random
import resource
import select
import signal
import socket
import threading
import time

import harness
import pytest
from harness import ROOT, TIMEOUT, assert_idle, flooding, receive, reset, serve, wait_until
from http_client import FILES, HUGE, LARGE, MEDIUM, SMALL, Client, connections, download, get, request, rest, started
from http_client import server, shared  # fixtures


def test_half_closed(server):
    """A client that has sent EOF after its requests still gets all answers, even if sending them takes long."""
    with Client(server, SO_RCVBUF=4096) as client:
        client.sendall(request("/small.bin") + request("/large.bin") + request("/"))
        client.shutdown(socket.SHUT_WR)
        assert [client.answer().body for _ in range(3)] == [SMALL, LARGE, FILES["index.html"]]
        assert client.is_closed()
    for data in b"", b"GET / HT", request("/", "Content-Length: 5") + b"x":
        with Client(server) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            assert client.is_closed()


def test_a_last_answer_is_complete_whatever_comes_meanwhile(server):
    """The client gets the whole last answer even if it sends more bytes. (Closing with unread bytes would send a reset.)"""
    for name in "medium.bin", "large.bin":
        for more in b"", b"\r\n", request("/"):
            with Client(server, SO_RCVBUF=4096) as client, Client(server) as other:
                client.sendall(request(f"/{name}", "Connection: close"))
                client.more()
                client.sendall(more)
                assert other.get("/").status == 200                # by now, the server has received what was sent before
                assert client.answer().body == FILES[name]
                assert client.is_closed()


def test_a_client_that_goes_on_after_its_last_request_sees_a_proper_end(server):
    for _ in range(10):
        with Client(server) as client:
            client.sendall(request("/small.bin", "Connection: close") + bytes(200_000))
            assert client.answer().body == SMALL
            assert client.is_closed()


def test_a_client_that_reads_late_gets_everything_in_order(server):
    targets = ["/small.bin", "/medium.bin", "/", "/api/status", "/large.bin", "/none"] * 100
    with Client(server, SO_RCVBUF=4096) as client:
        sender = threading.Thread(target=client.sendall, args=(b"".join(map(request, targets)),))
        sender.start()
        client.more()
        assert_idle(server)                        # the server waits until the client reads
        for target in targets:
            answer = client.answer()
            assert answer.status == (404 if target == "/none" else 200)
            assert answer.body == FILES.get(target[1:] or "index.html", answer.body)
        sender.join()


def test_a_client_that_asks_one_by_one_and_reads_late_gets_everything(server):
    """The server does not check for room in the send buffer before it answers: it notices a full buffer when it sends."""
    with Client(server, SO_RCVBUF=4096) as client, Client(server) as other:
        for _ in range(100):
            client.sendall(request("/medium.bin"))
            assert other.get("/").status == 200
        assert_idle(server)
        assert all(client.answer().body == MEDIUM for _ in range(100))


def test_reset_at_every_moment(server):
    partial = request("/", "Content-Length: 5")
    for data in b"", b"GET", request("/"), request("/large.bin"), partial, partial + b"x", b"\0":
        for wait in False, True:
            client = Client(server)
            client.sendall(data)
            if wait and data.endswith(b"\r\n\r\n") and b"Length" not in data:
                client.more()
            reset(client)
    with download(server) as (client, path):
        reset(client)
    with download(server) as (client, path):       # closing with unread bytes also sends a reset
        client.close()


def test_a_client_that_never_reads(server):
    before = server.memory()
    with download(server) as (client, path), Client(server, SO_RCVBUF=4096) as greedy:
        greedy.setblocking(False)
        many = request("/small.bin") * 1000
        while select.select([], [greedy], [], 0.2)[1]:                 # no event shows that a peer does not read
            with contextlib.suppress(BlockingIOError):
                socket.socket.send(greedy, many)
        assert_idle(server)
        with Client(server) as other:
            for _ in range(100):
                assert other.get("/small.bin").body == SMALL
        assert server.memory() - before < 4096, "KiB"


def test_after_a_large_answer_it_waits_for_requests_again(server):
    with Client(server) as client:
        assert client.get("/large.bin").body == LARGE
        assert_idle(server)
        assert client.get("/large.bin").body == LARGE


def test_a_large_file_is_let_go_when_it_has_been_sent(server):
    """The server unmaps the file even if the next request has begun, or if the client does not close."""
    def is_mapped():
        with open(f"/proc/{server.pid}/maps") as maps:
            return "large.bin" in maps.read()
    for data in request("/large.bin") + b"GET / HT", request("/large.bin", "Connection: close"):
        with Client(server) as client:
            client.sendall(data)
            assert client.answer().body == LARGE
            wait_until(lambda: not is_mapped(), lambda: "the file is still mapped", timeout=TIMEOUT / 3)


def test_a_client_that_never_stops(server):
    """While a client sends requests without end and reads all answers, other clients get answers too."""
    many = request("/large.bin") * 10 + request("/small.bin") * 1000
    with Client(server) as greedy, Client(server) as other, flooding(greedy, many):
        for _ in range(20):
            assert other.get("/small.bin").body == SMALL


def test_silent_clients_hold_nothing_of_what_they_got(server):
    before, many = server.memory(), 300
    (server.root / "page").write_bytes(bytes(60_000))
    with contextlib.ExitStack() as stack:
        for _ in range(many):
            client = stack.enter_context(Client(server))
            assert client.get("/", body=bytes(60_000)).status == 200
            assert len(client.get("/page").body) == 60_000
        assert server.memory() - before < many * 20, "KiB"
    (server.root / "page").unlink()


def test_no_line_is_dear(server):
    """Refusing a long malformed line costs about as much CPU time as accepting a long valid line."""
    def cost(end, times=5):
        before = harness.ticks(server)
        for _ in range(times):
            for data in (b"GET / HTTP/1.1\r\nHost: x\r\nX:" + b" " * 16000 + end,
                         request("/", "Transfer-Encoding: chunked") + b"0\r\nX:" + b" " * 8000 + end):
                with Client(server) as client:
                    client.sendall(data)
                    client.answer()
        return harness.ticks(server) - before
    assert cost(b"\x01\r\n\r\n") <= 10 * (cost(b"x\r\n\r\n") + 1)


def test_an_answer_without_body_for_a_large_file_takes_as_long_as_for_a_small_one(server):
    def duration(target):
        began = time.perf_counter()
        for _ in range(50):
            client.get(target, method="HEAD")
            client.get(target, "If-None-Match: *")
        return time.perf_counter() - began
    with Client(server) as client:
        assert duration("/large.bin") < 100 * duration("/small.bin")


def test_200_clients_do_not_mix(server):
    order = random.Random(5)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server)) for _ in range(200)]
        for _ in range(5):
            asked = [order.choice(["/small.bin", "/large.bin", "/", "/none"]) for _ in clients]
            pairs = list(zip(clients, asked))
            order.shuffle(pairs)
            for client, target in pairs:
                half = request(target)
                client.sendall(half[:20])
            for client, target in pairs:
                client.sendall(request(target)[20:])
            order.shuffle(pairs)
            for client, target in pairs:
                assert client.answer().body == FILES.get(target.strip("/") or "index.html", b"404 Not Found\nNot found\n")


def test_slow_silent_and_lazy_clients_are_ended(tmp_path):
    """A client that is too slow gets 408 in the middle of a request. Otherwise the server only closes the connection."""
    with started(tmp_path, "--timeout", "1") as server, download(server) as (lazy, path), contextlib.ExitStack() as stack:
        cases = {b"": None, b"GET /": 408, request("/", "Content-Length: 5") + b"x": 408, request("/") + b"GET": 200,
                 request("/", "Transfer-Encoding: chunked") + b"1\r\n": 408, request("/"): 200}
        clients = []
        for data, status in cases.items():
            clients.append((stack.enter_context(Client(server)), data, status))
            clients[-1][0].sendall(data)
        for client, data, status in clients:
            if status:
                assert client.answer().status == status
            if data.endswith(b"GET"):
                assert client.answer().status == 408
            assert client.is_closed()
        with contextlib.suppress(ConnectionError):
            assert rest(lazy)[0] < HUGE // 2       # only the bytes that were already in the buffers
        wait_until(lambda: connections(server) == 1, lambda: "a client is still connected")


@pytest.mark.parametrize("head, piece", [
    (b"GET / HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n"), (request("/", "Content-Length: 100000"), b"x"),
    (request("/", "Transfer-Encoding: chunked") + b"8000\r\n", b"x"), (request("/", "Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
    (request("/", "Transfer-Encoding: chunked") + b"0\r\n", b"A: b\r\n"),
], ids=["head", "body", "chunk", "chunks", "trailer"])
def test_a_client_that_keeps_a_request_going_is_ended_all_the_same(tmp_path, head, piece):
    """A client that sends a few bytes now and then (slowloris) gets 408 after the timeout."""
    with started(tmp_path, "--timeout", "1") as server, Client(server) as client:
        client.sendall(head)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while not select.select([client], [], [], 0.1)[0]:
                assert time.monotonic() - began < 5
                client.sendall(piece)
        assert client.answer().status == 408


def test_each_request_has_its_own_time(tmp_path):
    with started(tmp_path, "--timeout", "1") as server, Client(server) as client:
        began = time.monotonic()
        while time.monotonic() - began < 2.5:
            assert client.get("/").status == 200
            select.select([], [], [], 0.2)


@pytest.mark.parametrize("target, times, size", [("/huge", 1, 8 << 20), ("/medium.bin", 200, 200 * len(MEDIUM))])
def test_a_client_that_reads_slowly_but_steadily_is_not_cut(tmp_path, target, times, size):
    """epoll reports EPOLLOUT only when a third of the buffer is free, which here takes several timeouts.

    The client must still get everything: one large file, or many answers.
    """
    with started(tmp_path, "--timeout", "1") as server, Client(server, SO_RCVBUF=16384) as client:
        (server.root / "huge").touch()
        os.truncate(server.root / "huge", 8 << 20)
        client.sendall(request(target) * times)
        began, count = time.monotonic(), 0
        while time.monotonic() - began < 4:
            count += len(receive(client, 4000))
            select.select([], [], [], 0.1)
        client.shutdown(socket.SHUT_WR)
        assert count + rest(client)[0] > size


def test_a_client_that_reads_nothing_is_cut_all_the_same(tmp_path):
    with started(tmp_path, "--timeout", "1") as server, download(server) as (client, path):
        wait_until(lambda: connections(server) == 1, lambda: "the client is still connected", timeout=6)


def test_a_server_that_is_stopped_for_longer_than_the_timeout_answers_requests_that_have_arrived(tmp_path):
    """The server answers all requests that came while it was stopped (between SIGSTOP and SIGCONT)."""
    with started(tmp_path, "--timeout", "1") as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server)) for _ in range(20)]
        for _ in range(3):
            for client in clients:
                assert client.get("/").status == 200
            server.signal(signal.SIGSTOP)
            for client in clients:
                client.sendall(request("/small.bin"))
            select.select([], [], [], 1.5)         # the server is stopped for so many seconds
            server.signal(signal.SIGCONT)
            for client in clients:
                assert client.answer().body == SMALL


def test_a_log_and_descriptors_beyond_what_select_can_watch(tmp_path):
    """Descriptors from 1024 (FD_SETSIZE) on work too, although select cannot watch them."""
    (tmp_path / "index.html").write_bytes(b"x")
    (tmp_path / "script.py").write_text(f"""if True:
        import os, resource, sys
        sys.path.insert(0, {str(ROOT / "day12")!r})
        from http_server import HTTPServer
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]
        server = HTTPServer(("127.0.0.1", 0), directory={str(tmp_path)!r}, log=True)
        print("listening on {{}}:{{}}".format(*server.address), flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        for fd in opened:
            os.close(fd)
    """)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 1200:
        pytest.skip("this machine does not allow a process 1,200 descriptors")
    with serve(tmp_path / "script.py", stderr=r'(.*"GET / HTTP/1\.1" 200 1\n){3}') as server:
        for _ in range(3):
            assert get(server, "/").body == b"x"


def test_many_clients_leave_no_memory_behind(server):
    def visit(times):
        for number in range(times):
            with Client(server) as client:
                client.sendall(request("/small.bin") + request(f"/none{number}") + request("/large.bin") + b"GET")
                client.answer()
        return server.memory()
    before = visit(1000)                           # fills the server's caches
    assert visit(1000) - before < 1024, "KiB"


def test_ten_thousand_connections(tmp_path):
    many, spare = 10_000, 300
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < many + spare:
        pytest.skip(f"this machine allows a process only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with started(tmp_path) as server, contextlib.ExitStack() as stack:
            before, conns = server.memory(), []
            for number in range(many):
                conn = stack.enter_context(socket.socket())
                conn.settimeout(TIMEOUT)
                conn.bind((f"127.0.0.{2 + number % 8}", 0))            # so that no address runs out of ports
                conn.connect((server.host, server.port))
                conn.sendall(request("/small.bin"))
                conns.append(conn)
            for conn in conns:
                data = b""
                while not data.endswith(SMALL):
                    assert (more := conn.recv(2000)), data
                    data += more
            wait_until(lambda: connections(server) == many + 1, lambda: f"{connections(server)} connections")
            grown = server.memory() - before
            assert_idle(server)
            with Client(server) as client:
                assert client.get("/small.bin").body == SMALL
        assert grown / many < 1.5, f"{grown / many:.2f} KiB for each connection"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_out_of_descriptors(tmp_path):
    """Without free descriptors, new clients wait, and connected clients still get cached files. Later, all are served."""
    with started(tmp_path) as server, contextlib.ExitStack() as stack:
        here = stack.enter_context(Client(server))
        kept = here.get("/small.bin")
        while kept["etag"].startswith("W/"):       # a file that has just changed is not cached
            kept = here.get("/small.bin")
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (max(server.descriptors()) + 1, limits[1]))
        waiting = [stack.enter_context(Client(server)) for _ in range(5)]
        for client in waiting:
            client.sendall(request("/small.bin"))
        for _ in range(20):
            answer = here.get("/small.bin")        # the file is cached until the next second begins
            assert answer.body == SMALL or answer.status == 503 and answer["date"] != kept["date"]
        assert here.get("/large.bin").status == 503
        assert not select.select(waiting, [], [], 0.3)[0]
        assert_idle(server)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
        for client in waiting:
            assert client.answer().body == SMALL
        assert here.get("/large.bin").body == LARGE
