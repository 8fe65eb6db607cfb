"""Tests the class HTTPServer: its routes, their results and errors, and how a program ends a server."""
import contextlib
import json
import os
import random
import re
import resource
import select
import signal
import sys
import time
from types import SimpleNamespace

import pytest
from harness import ROOT, Program, assert_idle, ready, run, serve
from http_client import Client, get, request

sys.path.append(str(ROOT / "day12"))
from http_server import HTTPServer  # noqa: E402


ROUTES = """
import asyncio, os, sys, threading, time
sys.path.insert(0, {folder!r})
from http import HTTPStatus
from http_server import HTTPServer, Refusal
port, *_ = sys.argv[1:]
server = HTTPServer(("127.0.0.1", int(port)), directory={root!r}, log=False)
results = dict(text="你好", bytes=b"\\0\\1", dict=dict(a=[1, "你"]), list=[1, None], empty="", created=(201, "made"),
               gone=(410, dict(why="old")), nothing=(204, "not sent"), none=None, number=5, odd=(299, "x"), low=(100, "x"),
               triple=(200, "a", "b"), reset=(205, "not sent"), nothing_none=(204, None), reset_none=(205, None), real=(404.0, "x"), status=(HTTPStatus.GONE, "x"))
for name, result in results.items():
    server.route("/" + name)(lambda request, result=result: result)
@server.route("/echo", methods=("GET", "POST", "PUT"))
def echo(request):
    return dict(method=request.method, path=request.path, query=request.query, body=request.body.decode("latin-1"),
                x=request.headers.get("x"))
@server.route("/json", methods=("POST",))
def add(request):
    return dict(sum=sum(request.json()))
@server.route("/error")
def error(request):
    return 1 / 0
@server.route("/refusal")
def refuse(request):
    raise Refusal(418, "short and stout", "X-Tea: yes\\r\\n")
@server.route("/odd-refusal")
def refuse_oddly(request):
    raise Refusal(299, "x")
@server.route("/spoil", methods=("GET", "POST"))
def spoil(request):
    request.headers["x"] = request.headers.get("x", "") + "spoilt"
    request.path, request.method, request.keep_alive, request.minor = "/none", "HEAD", False, 0
    return request.headers["x"]
@server.route("/same", methods=("POST",))
def same(request):
    return [request.json()]
calls = 0
@server.route("/slow")
def slow(request):
    global calls
    calls += 1
    time.sleep(0.005)
    return ""
@server.route("/calls")
def count(request):
    return [calls]
@server.route("/wait")
def wait(request):
    with open({fifo!r}) as fifo:
        return fifo.read()
@server.route("/write", methods=("POST",))
def write(request):
    with open({root!r} + "/file", "wb") as file:
        file.write(request.body)
    return "written"
@server.route("/pull")
def pull(request):
    for _ in range(1000):
        server.shutdown()
    return "pulled"
@server.route("/fork")
def fork(request):
    if os.fork() == 0:
        time.sleep(1000)
    return ""
@server.route("/cancelled")
def cancelled(request):
    raise asyncio.CancelledError
@server.route("/nan")
def nan(request):
    return dict(mean=float("nan"))
@server.route("/inf")
def inf(request):
    return [[-float("inf")]]
@server.route("/cookies")
def cookies(request):
    return request.headers["cookie"]
@server.route("/two")
def two_get(request):
    return "get"
@server.route("/two", methods=["POST", "OPTIONS"])
def two_post(request):
    return "post or options: " + request.method
@server.route("/find", methods=("PROPFIND",))
def find(request):
    return "found"
@server.route("/stop")
def stop(request):
    threading.Thread(target=server.shutdown).start()
    return "bye"
@server.route("/你 好")
def hello(request):
    return "hello"
print("listening on {{}}:{{}}".format(*server.address), flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
"""


@pytest.fixture
def routes(tmp_path):
    """Return the path of a program that imports HTTPServer and adds many routes."""
    (tmp_path / "root").mkdir()
    script = tmp_path / "routes.py"
    os.mkfifo(tmp_path / "fifo")
    script.write_text(ROUTES.format(folder=str(ROOT / "day12"), root=str(tmp_path / "root"), fifo=str(tmp_path / "fifo")),
                      encoding="utf-8")
    return script


def test_routes_return_what_they_like(routes):
    with serve(routes) as server, Client(server) as client:
        for target, status, kind, body in [
                ("/text", 200, "text/plain; charset=utf-8", "你好".encode()), ("/bytes", 200, "application/octet-stream", b"\0\1"),
                ("/dict", 200, "application/json", rb'{"a": [1, "\u4f60"]}'), ("/list", 200, "application/json", b"[1, null]"),
                ("/empty", 200, "text/plain; charset=utf-8", b""), ("/created", 201, "text/plain; charset=utf-8", b"made"),
                ("/gone", 410, "application/json", b'{"why": "old"}'), ("/status", 410, "text/plain; charset=utf-8", b"x"),
                ("/real", 404, "text/plain; charset=utf-8", b"x"), ("/nothing", 204, "text/plain; charset=utf-8", b""),
                ("/reset", 205, "text/plain; charset=utf-8", b""),
                ("/nothing_none", 204, "text/plain; charset=utf-8", b""), ("/reset_none", 205, "text/plain; charset=utf-8", b""),
                ("/%E4%BD%A0%20%E5%A5%BD", 200, "text/plain; charset=utf-8", b"hello")]:
            answer = client.get(target)
            assert (answer.status, answer["content-type"], answer.body) == (status, kind, body)
            assert client.get(target, method="HEAD")["content-length"] == answer["content-length"]
            assert answer["cache-control"] == "no-store"


def test_routes_get_the_request(routes):
    with serve(routes) as server, Client(server) as client:
        answer = client.get("/echo?a=1&b=%E4%BD%A0+x&a=2&c", "X: y", method="POST", body=b"\r\n\r\n\xff")
        assert json.loads(answer.body) == {"method": "POST", "path": "/echo", "query": {"a": "2", "b": "你 x", "c": ""},
                                           "body": "\r\n\r\n\xff", "x": "y"}
        assert json.loads(client.get("/echo?a=小明").body)["query"] == {"a": "小明"}       # curl sends UTF-8 like this
        client.sendall(request("/echo", "Transfer-Encoding: Chunked", method="PUT")
                       + b"3\r\nabc\r\n000000000A\r\n0123456789\r\n00\r\n\r\n")
        assert json.loads(client.answer().body)["body"] == "abc0123456789"
        big = random.Random(6).randbytes(1 << 20)
        assert json.loads(client.get("/echo", method="PUT", body=big).body)["body"] == big.decode("latin-1")
        assert client.get("/echo", method="DELETE")["allow"] == "GET, POST, PUT, HEAD, OPTIONS"
        assert client.get("/echo", method="OPTIONS")["allow"] == "GET, POST, PUT, HEAD, OPTIONS"
        assert json.loads(client.get("/json", method="POST", body=b"[1, 2]").body) == {"sum": 3}
        for body in b"[1, 2", b"\xff", b"[" * 100_000, b"NaN", b"[1, Infinity]", b'{"a": -Infinity}':
            assert client.get("/json", method="POST", body=body).status == 400
        assert client.get("/json").status == 405
        assert json.loads(client.get("/same", method="POST", body=b'"\\ud800"').body) == ["\ud800"]
        assert client.get("/find", method="PROPFIND").body == b"found"
        assert client.get("/cookies", "Cookie: a=1; b=2", "Cookie: c=3").body == b"a=1; b=2; c=3"
        assert client.get("/two").body == b"get" and client.get("/two", method="HEAD")["content-length"] == "3"
        for method in "POST", "OPTIONS":
            assert client.get("/two", method=method).body.decode() == f"post or options: {method}"
        assert client.get("/two", method="PUT")["allow"] == "GET, POST, OPTIONS, HEAD"
        for _ in range(3):                         # a route that changes its request does not affect later ones
            assert client.get("/spoil", "X: a").body == b"aspoilt"
            assert client.get("/spoil", "X: a", method="POST", body=b"x").body == b"aspoilt"


def test_a_mistake_in_a_route_is_a_500_and_a_traceback(routes):
    with serve(routes, stderr=r"(Traceback.*?\n\w+: [^\n]*\n)+") as server, Client(server) as client:
        for target in "/error", "/none", "/number", "/odd", "/low", "/triple", "/odd-refusal", "/nan", "/inf", "/cancelled":
            answer = client.get(target)
            assert (answer.status, answer["connection"]) == (500, None)
            assert client.get("/text").status == 200
        assert client.get("/json", method="POST", body=b'["a"]').status == 500
        server.expect(r"ZeroDivisionError", stream="stderr")
    assert len(re.findall("^Traceback", server.stderr, re.MULTILINE)) == 12        # one answer has a traceback of two exceptions


def test_a_clock_that_begins_at_1970(tmp_path, monkeypatch):
    """A machine without a battery for its clock can boot in the first second of 1970."""
    monkeypatch.setattr("httpd.server.time", SimpleNamespace(time=lambda: 0.5, monotonic=time.monotonic))
    server = HTTPServer(("127.0.0.1", 0), directory=tmp_path, log=False)
    server.loop = SimpleNamespace(now=0)
    server.begin_turn()
    assert "Date: Thu, 01 Jan 1970 00:00:00 GMT" in server.common
    server.close()



@pytest.fixture
def idle(tmp_path):
    """Yields a server whose loop does not run."""
    server = HTTPServer(("127.0.0.1", 0), directory=tmp_path, log=False)
    yield server
    server.close()


@pytest.mark.parametrize("path, methods", [
    ("x", ("GET",)), ("", ("GET",)), ("*", ("OPTIONS",)), ("/x", "POST"), ("/x", ()), ("/x", ["post"]), ("/x", ("GET", "Post")),
    ("/x", ("GET POST",)), ("/x", ("",)), ("/taken", ("GET",)), ("/taken", ("POST", "GET")),
])
def test_a_route_that_could_never_be_called_is_refused(idle, path, methods):
    idle.route("/taken")(str)
    before = dict(idle.routes)
    with pytest.raises(ValueError):
        idle.route(path, methods)(repr)
    assert idle.routes == before                   # no part of the refused route was registered


def test_a_process_that_a_route_starts_does_not_keep_connections_open(routes):
    """The process has copies of all connections. Still, a client sees EOF when its connection or the server ends."""
    with Program(routes, 0) as server:
        ready(server)
        with Client(server) as client, Client(server) as neighbour, Client(server) as stays:
            assert neighbour.get("/text").status == stays.get("/text").status == 200
            client.sendall(b"GET /fork HTTP/1.0\r\n\r\n")
            assert client.answer().status == 200 and client.is_closed()
            assert neighbour.get("/text", "Connection: close").status == 200 and neighbour.is_closed()
            assert stays.get("/text").status == 200
            [child] = server.children()
            server.interrupt()
            server.wait()
            assert stays.is_closed()
        os.kill(child, signal.SIGKILL)
        server.finish(orphans=1)


def test_ctrl_c_in_a_route_of_a_program_without_handlers_loses_no_line(tmp_path):
    (tmp_path / "script.py").write_text(f"""if True:
        import sys
        sys.path.insert(0, {str(ROOT / "day12")!r})
        from http_server import HTTPServer
        server = HTTPServer(("127.0.0.1", 0), directory={str(tmp_path)!r})
        @server.route("/interrupt")
        def interrupt(request):
            raise KeyboardInterrupt
        print("listening on {{}}:{{}}".format(*server.address), flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
    """)
    with Program(tmp_path / "script.py") as server:
        ready(server)
        with Client(server) as client, Client(server) as other:
            assert other.get("/a").status == client.get("/b").status == 404
            server.wait_until_asleep()
            server.signal(signal.SIGSTOP)          # so both requests come in one turn, /c first
            other.sendall(request("/c"))
            client.sendall(request("/interrupt"))
            server.signal(signal.SIGCONT)
            server.finish(stderr=r'(.*"GET /[abc] HTTP/1\.1" 404 \d+\n){3}')


def test_requests_that_waited_for_a_long_route_are_not_late(tmp_path):
    """One route takes longer than the timeout, while more clients send requests than epoll.poll returns by default.

    None of these clients may get a timeout.
    """
    many = 1500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < many + 300:
        pytest.skip(f"this machine allows a process only {hard} descriptors")
    (tmp_path / "index.html").write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "script.py").write_text(f"""if True:
        import sys
        sys.path.insert(0, {str(ROOT / "day12")!r})
        from http_server import HTTPServer, raise_descriptor_limit
        raise_descriptor_limit()
        server = HTTPServer(("127.0.0.1", 0), directory={str(tmp_path)!r}, timeout=5, log=False)
        @server.route("/long")
        def wait(request):
            with open({str(tmp_path / "fifo")!r}) as fifo:
                return fifo.read()
        print("listening on {{}}:{{}}".format(*server.address), flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
    """)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with serve(tmp_path / "script.py") as server, contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(server)) for _ in range(many)]
            for client in clients:
                client.sendall(request("/"))
            for client in clients:
                assert client.answer().body == b"x"
            clients[0].sendall(request("/long"))
            with open(tmp_path / "fifo", "w"):     # the route waits until this block ends
                for client in clients[1:]:
                    client.sendall(request("/"))
                select.select([], [], [], 5.5)     # longer than the timeout
            for client in clients[1:]:
                assert client.answer().body == b"x"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_client_with_many_requests_for_a_slow_route_lets_others_in(routes):
    with serve(routes) as server, Client(server) as first, Client(server) as greedy, Client(server) as other:
        for client in greedy, other:
            assert client.get("/calls").status == 200
        first.sendall(request("/wait"))
        with open(routes.parent / "fifo", "w"):    # the route waits until both clients have sent
            greedy.sendall(request("/slow") * 300)
            other.sendall(request("/calls"))
        assert json.loads(other.answer().body)[0] < 10
        for _ in range(300):
            assert greedy.answer().status == 200


def test_what_a_route_has_written_is_served(routes):
    """After a route has written a file, clients get the new file, even in the same turn of the loop.

    In this turn, `second` has already got the old file. `third` calls the route, and sends its next request together with
    the call. `fourth` is served after `third`.
    """
    folder = routes.parent / "root"
    (folder / "file").write_bytes(b"old")
    with serve(routes) as server, Client(server) as first, Client(server) as second, Client(server) as third, \
            Client(server) as fourth:
        for client in second, third, fourth:
            assert client.get("/file").body == b"old"
        first.sendall(request("/wait"))
        with open(routes.parent / "fifo", "w"):    # the route waits here, so the other requests all come in the next turn
            second.sendall(request("/file"))
            third.sendall(request("/write", method="POST", body=b"new") + request("/file"))
            fourth.sendall(request("/file"))
        assert second.answer().body == b"old"
        assert [third.answer().body for _ in range(2)] == [b"written", b"new"]
        assert fourth.answer().body == b"new"


def test_many_signals_while_a_route_takes_its_time(routes):
    with Program(routes, 0) as server:
        ready(server)
        with Client(server) as client:
            client.sendall(request("/pull"))       # calls shutdown() a thousand times
            assert client.answer().body == b"pulled"
            server.finish()


def test_a_route_that_forks(routes):
    """The child of a route has copies of the clients' sockets, but the server still closes connections, and does not spin."""
    with Program(routes, 0) as server:
        ready(server)
        with Client(server) as stays, Client(server) as leaves:
            assert stays.get("/text").status == leaves.get("/text").status == 200
            assert stays.get("/fork").status == 200
            leaves.sendall(request("/text", "Connection: close"))
            assert leaves.answer().status == 200 and leaves.is_closed()
            leaves.close()
            assert get(server, "/text").status == 200
            assert_idle(server)
            assert stays.get("/text").status == 200
            [child] = server.children()
            os.kill(child, signal.SIGKILL)
            server.interrupt()
            server.finish(orphans=1)


LIBRARY = """
import os, sys, threading
sys.path.insert(0, {folder!r})
from http_server import HTTPServer
before = os.listdir("/proc/self/fd")
for _ in range(10):
    server = HTTPServer(("127.0.0.1", 0), directory={root!r})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.shutdown()
    thread.join()
assert os.listdir("/proc/self/fd") == before
HTTPServer(("127.0.0.1", 0), directory={root!r}).close()
"""


def test_a_server_that_has_ended_leaves_nothing(tmp_path):
    (tmp_path / "script.py").write_text(LIBRARY.format(folder=str(ROOT / "day12"), root=str(tmp_path)))
    run(tmp_path / "script.py")


def test_shutdown_by_a_thread(routes):
    with Program(routes, 0) as server:
        ready(server)
        assert get(server, "/stop").body == b"bye"
        server.finish()
