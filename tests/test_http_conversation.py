"""Tests how the HTTP server talks to a client: methods, versions, malformed requests, requests in pieces, pipelining."""
import contextlib
import json
import random
import socket
import sys
import threading
from types import SimpleNamespace

import pytest
from harness import ROOT
from http_client import FILES, LARGE, SMALL, Client, get, request
from http_client import server, shared  # fixtures
from http_malformed import malformed

sys.path.append(str(ROOT / "day12"))
from httpd import connection  # noqa: E402
from httpd.connection import BATCH, answer_at_once, receive_chunks  # noqa: E402
from httpd.reply import make_reply  # noqa: E402
from httpd.request import MAX_FIELDS, Refusal  # noqa: E402


# Methods and versions

@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "PATCH"])
def test_methods_that_files_do_not_have(server, method):
    with Client(server) as client:
        answer = client.get("/", method=method)
        assert (answer.status, answer["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert client.get("/").status == 200       # without a body, it is clear where the next request begins
        answer = client.get("/", method=method, body=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (answer.status, answer["connection"]) == (405, "close")
        assert client.is_closed()                  # the server has not answered the body as a request


def test_options(server):
    with Client(server) as client:
        for target in "*", "/", "/small.bin":
            answer = client.get(target, method="OPTIONS")
            assert (answer.status, answer["allow"], answer["content-length"]) == (204, "GET, HEAD, OPTIONS", None)
        assert client.get("/api/status", method="OPTIONS")["allow"] == "GET, HEAD, OPTIONS"


def test_http_1_0(server):
    with Client(server) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer["connection"]) == (200, "close")
        assert client.is_closed()
    with Client(server) as client:
        for _ in range(2):
            client.sendall(b"GET /small.bin HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            answer = client.answer()
            assert (answer.body, answer["connection"]) == (SMALL, "keep-alive")


@pytest.mark.parametrize("field", ["Connection: close", "connection: foo , Close", "Connection: keep-alive, close"])
def test_connection_close(server, field):
    for target in "/small.bin", "/large.bin", "/none", "/api/status":
        with Client(server) as client:
            answer = client.get(target, field)
            assert answer["connection"] == "close" and answer.status == (404 if target == "/none" else 200)
            assert client.is_closed()


# Malformed requests and limits

def test_malformed_requests(server):
    """Each malformed request gets one error. If more than its method is wrong, the connection ends. Others are served."""
    corpus, wrong = list(malformed()), []
    assert len(corpus) >= 256
    follower = request("/small.bin")
    with Client(server) as other:
        for data, status in corpus:
            with Client(server) as client:
                with contextlib.suppress(ConnectionError):
                    client.sendall(data + follower if data.endswith(b"\r\n\r\n") else data)
                try:
                    answer = client.answer()
                    if status != answer.status:
                        wrong.append((data[:80], status, answer.status))
                    if answer["connection"] == "close":
                        assert client.is_closed(), data
                    else:                          # only the method was refused, so the next request is answered
                        assert status in (501, 405) and client.answer().body == SMALL
                except (EOFError, OSError, AssertionError) as error:
                    wrong.append((data[:80], status, repr(error)))
            assert other.get("/").status == 200
    assert not wrong, f"{len(wrong)} of {len(corpus)}: {wrong}"


def test_answers_before_a_refusal_are_sent_and_counted(server):
    def count():
        return sum(worker["requests"] for worker in json.loads(get(server, "/api/status").body)["workers"])
    before = count()
    with Client(server) as client:
        client.sendall(request("/small.bin") * 5 + b"bad\r\n\r\n")
        assert [client.answer().status for _ in range(6)] == [200] * 5 + [400]
    assert count() == before + 7                   # 6 requests, and the request that count() sends


def test_a_refusal_knows_the_whole_request_line_however_it_came(server):
    """The answer to HEAD has no body, even if the request comes in pieces or after an empty line."""
    for first, second, status in [(b"H", b"EAD / HTTP/1.1\r\nA: " + b"x" * 20000, 431),
                                  (b"", b"\r\nHEAD / HTTP/1.1\r\n\r\n", 400)]:
        with Client(server) as client, Client(server) as other:
            client.sendall(first)
            assert other.get("/").status == 200    # by now, the server has received what was sent before
            client.sendall(second)
            assert client.answer("HEAD").status == status
            assert client.is_closed()


def test_limits_are_as_they_say(server):
    with Client(server) as client:
        assert client.get("/?" + "x" * 8000).status == 200
        assert client.get("/", *[f"A{number}: b" for number in range(99)]).status == 200
        assert client.get("/", "A: " + "x" * 16000).status == 200
        assert client.get("/", body=bytes(1 << 20)).status == 200
        client.sendall(b"\r\n" + request("/small.bin"))                # an empty line before a request is allowed
        assert client.answer().body == SMALL


def test_limits_of_lines_do_not_depend_on_where_they_are_cut(server):
    """Lines of the maximum length are accepted, even if a packet ends between CR and LF."""
    line, chunk = b"GET /?" + b"x" * 8175 + b" HTTP/1.1", b"5;" + b"x" * 8188
    assert len(line) == len(chunk) == 8190
    with Client(server) as client, Client(server) as other:
        for before, after in [(line, b"Host: x\r\n\r\n"), (b"\r\n" + line, b"Host: x\r\n\r\n"),
                              (request("/", "Transfer-Encoding: chunked") + chunk, b"hello\r\n0\r\n\r\n")]:
            client.sendall(before + b"\r")
            assert other.get("/").status == 200    # by now, the server has received what was sent before
            client.sendall(b"\n" + after)
            assert client.answer().status == 200


# Requests in pieces, and many requests at once

def test_one_byte_at_a_time(server):
    with Client(server) as client:
        for byte in request("/small.bin", "A: b") + request("/", body=b"four") + request("/large.bin"):
            client.sendall(bytes([byte]))
        assert [client.answer().body for _ in range(3)] == [SMALL, FILES["index.html"], LARGE]


def test_a_request_split_everywhere(server):
    data = request("/small.bin") + request("/",
                                           "Transfer-Encoding: chunked") + b"3;x=y\r\nabc\r\n2 ;y\r\n\r\n\r\n0\r\nA: b\r\n\r\n"
    with Client(server) as client, Client(server) as other:
        for cut in range(1, len(data)):
            client.sendall(data[:cut])
            assert other.get("/").status == 200    # by now, the server has received the first part alone
            client.sendall(data[cut:])
            assert [client.answer().body for _ in range(2)] == [SMALL, FILES["index.html"]]


def test_pipelining(server):
    """The answers come in the order of the requests, even if the requests are of different kinds."""
    order = random.Random(4)
    kinds = [("/small.bin", {}, 200, SMALL), ("/", {}, 200, FILES["index.html"]), ("/none", {}, 404, None),
             ("/large.bin", {}, 200, LARGE), ("/folder", {}, 301, None),
             ("/", {"body": b"GET / HTTP/1.1\r\n\r\n"}, 200, FILES["index.html"]),
             ("/api/status", {}, 200, None), ("/small.bin", {"method": "HEAD"}, 200, b""),
             ("/large.bin", {"method": "HEAD"}, 200, b"")]
    asked = [order.choice(kinds) for _ in range(500)]
    data = b"".join(request(target, **options) for target, options, status, body in asked)
    with Client(server) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        for target, options, status, body in asked:
            answer = client.answer(options.get("method", "GET"))
            assert answer.status == status
            assert body is None or answer.body == body
        sender.join()


def test_requests_and_bytes_are_counted(server):
    """The server counts all bytes that it sends, including those of a large answer that is sent in pieces."""
    def counted(client):
        [worker] = json.loads(client.get("/api/status").body)["workers"]
        return worker["requests"], worker["bytes"]
    with Client(server) as client:
        requests, size = counted(client)
        assert client.get("/large.bin").body == LARGE and client.get("/none").status == 404
        requests_now, size_now = counted(client)
    assert requests_now - requests == 3
    assert len(LARGE) + 600 < size_now - size < len(LARGE) + 2000      # the rest are three heads and two short bodies


def test_expect_100_continue(server):
    with Client(server) as client:
        client.sendall(request("/", "Expect: 100-continue", "Content-Length: 4"))
        assert client.answer().status == 100
        client.sendall(b"body")
        assert client.answer().status == 200
        client.sendall(request("/", "Expect: 100-Continue", body=b"body"))         # the client sent the body at once, so it gets no 100
        assert client.answer().status == 200
        assert client.get("/", "Expect: 100-continue").status == 200               # the request has no body
        client.sendall(request("/", "Expect: 100-continue", "Content-Length: 4", method="POST"))
        assert client.answer().status == 405       # the server sends 405 instead of 100
        assert client.is_closed()
    with Client(server) as client:                 # HTTP/1.0 has no 100 Continue
        client.sendall(b"GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert get(server, "/").status == 200      # by now, the server has received the head alone
        client.sendall(b"body")
        assert client.answer().status == 200


# connection.py alone, without a server

class Stub:
    """The parts of a server that answer_at_once needs. It answers every request with the request's path."""
    routes, turn_cache, log, requests = {"/route": None}, {}, None, 0

    def answer(self, request):
        return make_reply(request, 200, "", "", request.path.encode(), request.path in self.routes)


def bodies(data):
    return [part.split(b"\r\n\r\n")[1] for part in data.split(b"HTTP/1.1 200 OK")[1:]]


def test_a_trailer_may_have_as_many_fields_as_a_head():
    for count in (MAX_FIELDS, MAX_FIELDS + 1):
        data = bytearray(b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * count + b"\r\nGET")
        with pytest.raises(StopIteration if count == MAX_FIELDS else Refusal) as end:
            next(receive_chunks(None, data))
        if count == MAX_FIELDS:
            assert end.value.value == b"x" and data == b"GET"
        else:
            assert end.value.status == 431


def test_last_words_have_their_own_time(monkeypatch):
    """After its last answer, the server waits only LINGER seconds for the client to close, not for the whole timeout."""
    monkeypatch.setattr(connection, "time", SimpleNamespace(monotonic=lambda: 1000))
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        loop = SimpleNamespace(deadlines={near.fileno(): 5000})
        lingering = connection.linger(loop, near)
        next(lingering)
        assert loop.deadlines == {near.fileno(): 1000 + connection.LINGER} and far.recv(1) == b""
        far.close()
        with pytest.raises(ConnectionError):
            next(lingering)


@pytest.mark.parametrize("data, answered, left", [
    (b"", [], b""),
    (request("/a")[:-1], [], request("/a")[:-1]),
    (request("/a"), [b"/a"], b""),
    (request("/a") + request("/b") + b"GET", [b"/a", b"/b"], b"GET"),
    (request("/a") * (BATCH + 2), [b"/a"] * BATCH, request("/a") * 2),
    # a request for a route begins a batch and ends it; Connection: close ends a batch
    (request("/a") + request("/route"), [b"/a"], request("/route")),
    (request("/route") + request("/a"), [b"/route"], request("/a")),
    (request("/a", "Connection: close") + request("/b"), [b"/a"], request("/b")),
    # answer_at_once leaves malformed requests and requests with a body to answer_slowly
    (request("/a") + b"bad\r\n\r\n", [b"/a"], b"bad\r\n\r\n"),
    (b"bad\r\n\r\n", [], b"bad\r\n\r\n"),
    (request("/a") + request("/b", body=b"x"), [b"/a"], request("/b", body=b"x")),
    (request("/b", body=b"x"), [], request("/b", body=b"x")),
])
def test_what_is_answered_at_once(data, answered, left):
    stub = Stub()
    message, reply, rest = answer_at_once(stub, "client", data)
    assert (bodies(message), rest, bool(reply), stub.requests) == (answered, left, bool(answered), len(answered))
