"""Tests the parser of the HTTP server alone: it makes a Request or a Refusal from bytes, without a server or a socket."""
import sys

import pytest
from harness import ROOT
from http_malformed import CHUNKS, MALFORMED, METHOD, REQUEST_LINE

sys.path.append(str(ROOT / "day12"))
from httpd.request import (CHUNKED, HEAD_END, MAX_BODY, MAX_FIELDS, MAX_HEAD, MAX_LINE, Refusal,  # noqa: E402
                           Request, check_beginning, first_line, parse, parse_chunk_size)


def refused(data):
    """Return the status with which the parser refuses the head at the front of data, or None if it accepts the head."""
    head, end, _ = data.partition(HEAD_END)
    try:
        parse(head) if end else check_beginning(data)
    except Refusal as refusal:
        return refusal.status
    return None


# Leave out the requests that the parser of heads cannot refuse: unknown methods, and malformed chunks after the head.
DECIDED = [(around, status) for around, status in MALFORMED
           if around != CHUNKS and (around, status) not in [(METHOD, 501), (REQUEST_LINE, 405)]]


@pytest.mark.parametrize("around, status", DECIDED)
def test_malformed_heads(around, status):
    wrong = {part[:80]: refused(around % part) for part in MALFORMED[around, status]
             if refused(around % part) != status}
    assert not wrong


def test_no_proxy():
    assert [refused(REQUEST_LINE % part) for part in MALFORMED[REQUEST_LINE, 405]] == [405]


@pytest.mark.parametrize("part", [part for part in MALFORMED[METHOD, 501]])
def test_methods_that_are_not_known_are_parsed_all_the_same(part):
    """The parser accepts unknown methods, because a route may support them."""
    assert parse(b"%b / HTTP/1.1\r\nHost: x" % part).method == part.decode()


def test_a_whole_request():
    request = parse(b"POST /a%20b/%E4%BD%A0?x=1&y= HTTP/1.1\r\nHost: x:80\r\nContent-LENGTH:  5 \r\nA: b\r\nA:\tc")
    assert (request.line, request.method) == ("POST /a%20b/%E4%BD%A0?x=1&y= HTTP/1.1", "POST")
    assert (request.path, request.query_string, request.query) == ("/a b/\u4f60", "x=1&y=", {"x": "1", "y": ""})
    assert request.headers == {"host": "x:80", "content-length": "5", "a": "b, c"}
    assert (request.minor, request.keep_alive, request.is_plain, request.length, request.body) == (1, True, False, 5, b"")


@pytest.mark.parametrize("head, keep_alive, is_plain", [
    (b"GET / HTTP/1.1\r\nHost: x", True, True),
    (b"\r\nGET / HTTP/1.1\r\nHost: x", True, True),
    (b"GET / HTTP/1.9\r\nHost: x\r\nCookie: a", True, True),
    (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive", True, True),
    (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nRange: bytes=0-1", True, False),
    (b"GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: *", True, False),
    (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: a , CLOSE", False, False),
    (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: close", False, False),
    (b"HEAD / HTTP/1.1\r\nHost: x", True, False),
    (b"POST / HTTP/1.1\r\nHost: x", True, False),
    (b"GET / HTTP/1.0", False, False),
    (b"GET / HTTP/1.0\r\nConnection: keep-alive", True, False),
])
def test_whether_it_stays_and_whether_it_is_like_any_other(head, keep_alive, is_plain):
    request = parse(head)
    assert (request.keep_alive, request.is_plain) == (keep_alive, is_plain)


@pytest.mark.parametrize("target, path, query", [
    (b"/", "/", ""), (b"/a?b?c", "/a", "b?c"), (b"/?%", "/", "%"), (b"//x/", "//x/", ""), (b"/%2e%2E/", "/../", ""),
    (b"http://x:80/a?b", "/a", "b"), (b"HTTP://x", "/", ""), (b"https://x?a", "/", "a"), (b"/%ff", "/\udcff", ""),
    (b"/\xe4\xbd\xa0", "/\u4f60", ""), (b"/a%5Cb?\\", "/a\\b", "\\"), (b"/%c0%af", "/\udcc0\udcaf", ""), (b"/?\xc4\xe3", "/", "\xc4\xe3"),
])
def test_targets(target, path, query):
    request = parse(b"GET %b HTTP/1.1\r\nHost: x" % target)
    assert (request.path, request.query_string) == (path, query)


def test_the_body_comes_in_chunks():
    assert parse(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked").length == CHUNKED
    assert [parse_chunk_size(line) for line in (b"0", b"a", b"000F", b"10;x=y", b"1 ;x")] == [0, 10, 15, 16, 1]


def test_limits_to_the_byte():
    line, field = b"GET /%b HTTP/1.1", b"GET / HTTP/1.1\r\nHost: x\r\nA: %b"
    def longest(template, size):
        return template % (b"x" * (size - len(template) + len(b"%b")))
    host = b"\r\nHost: x"
    assert refused(longest(line, MAX_LINE) + host + HEAD_END) is None
    assert refused(longest(line, MAX_LINE + 1) + host + HEAD_END) == 414
    assert refused(longest(field, MAX_HEAD) + HEAD_END) is None
    assert refused(longest(field, MAX_HEAD + 1) + HEAD_END) == 431
    for number, status in (MAX_FIELDS - 1, None), (MAX_FIELDS, 431):
        assert refused(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * number + b"\r\n") == status
    for size, status in (MAX_BODY, None), (MAX_BODY + 1, 413):
        assert refused(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size) == status


def test_a_head_that_may_still_become_one_is_waited_for():
    """The parser waits for more bytes if data may still become a valid head, and if it is not longer than the limits."""
    head = b"\r\nGET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
    for end in range(len(head)):
        assert refused(head[:end]) is None, head[:end]
    line = b"GET /".ljust(MAX_LINE, b"x")
    for data, status in [(line, None), (line + b"\r", None), (b"\r\n" + line + b"\r", None), (line + b"xx", 414),
                         (line + b"\r\n", None), (b"GET / HTTP/1.1\r\n".ljust(MAX_HEAD, b"x"), None),
                         (b"GET / HTTP/1.1\r\n".ljust(MAX_HEAD + 1, b"x"), 431)]:
        assert refused(data) == status, (data[:20], len(data))


@pytest.mark.parametrize("data, line, method", [
    (b"", "", ""), (b"\r\nHEAD /x HTTP/1.1\r\nA", "HEAD /x HTTP/1.1", "HEAD"), (b"\xff\0", "\xff\0", "\xff\0"),
    (b"x" * 9000, "x" * MAX_LINE, "x" * MAX_LINE),
])
def test_the_first_line_of_what_is_no_head(data, line, method):
    request = first_line(data)
    assert (request.line, request.method, request.keep_alive, request.is_plain) == (line, method, False, False)


def test_json():
    request = Request()
    request.body = b'{"a": [1]}'
    assert request.json() == {"a": [1]}
    for body in b"", b"{", b"\xff", b"[" * 100_000:
        request.body = body
        with pytest.raises(Refusal) as caught:
            request.json()
        assert caught.value.status == 400


def test_equal_heads_are_parsed_once():
    """Equal heads give the same Request object, so no part of the server may change it."""
    head = b"GET /once HTTP/1.1\r\nHost: x"
    assert parse(head) is parse(bytes(bytearray(head)))
