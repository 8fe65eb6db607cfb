"""Malformed requests, each wrong in only one way, with the status that the server must answer.

The table MALFORMED maps (the text around the wrong part, the expected status) to a list of wrong parts.
"""
# These texts surround the wrong part, which replaces %b.
WHOLE = b"%b"
METHOD = b"%b / HTTP/1.1\r\nHost: x\r\n\r\n"
TARGET = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"
VERSION = b"GET / %b\r\nHost: x\r\n\r\n"
REQUEST_LINE = b"%b\r\nHost: x\r\n\r\n"
FIRST_FIELD = b"GET / HTTP/1.1\r\n%b\r\nHost: x\r\n\r\n"
FIELD = b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n"
HOST = b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n"
EXPECT = b"GET / HTTP/1.1\r\nHost: x\r\nExpect: %b\r\n\r\n"
LENGTH = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: %b\r\n\r\nx"
CODING = b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: %b\r\n\r\n0\r\n\r\n"
FRAMING = b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n0\r\n\r\n"
CHUNKS = b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%b"

# CONTROLS are all control characters except HT, LF and CR. A token must not contain SEPARATORS (RFC 9110, 5.6.2).
CONTROLS = [bytes([byte]) for byte in (*range(9), 11, 12, *range(14, 32), 127)]
SEPARATORS = [bytes([byte]) for byte in b'"(),/;<=>?@[\\]{}\t\xe9']
BAD_FIELDS = [
    b"A : b", b" A: b", b"\tA: b", b"A", b": b", b"A b", b"=", b"A:\x0bb",
    b"A: b\r\n c: d", b"A: b\r\n\tc", b"A\r\n: b", b"Content-Length: 1\r\n Transfer-Encoding: chunked",
    b"A: b\nC: d", b"A: b\rC: d", b"A: b\r\r",
]

MALFORMED = {
    # The request line
    (METHOD, 400): [*(b"G" + char + b"T" for char in [*CONTROLS, *SEPARATORS, b":"])],
    (METHOD, 501): [b"FOO", b"get", b"Get", b"GETT", b"PROPFIND", b"M-SEARCH", b"!"],
    (TARGET, 400): [
        *(b"/a" + char + b"b" for char in CONTROLS),
        b"/a b", b"/#x", b"index.html", b"*", b"?x", b"x:80", b"http://", b"http:///x", b"ftp://x/", b"http://a@b c/",
        b"http://:80/", b"http://a@b/", b"http://a%zz/", b"http://[4712::abcd::]/",
        b"/%", b"/%z0", b"/%4", b"/%00", b"/a%00.html", b"/\\", b"/a\\b?c", b"/..\\a", b"http://x/a\\",
        # neither percent-encoded nor UTF-8: Latin-1, GBK, an overlong slash, half a character, a surrogate
        b"/caf\xe9", b"/\xc4\xe3", b"/\xc0\xaf", b"/\xe4\xbd?x", b"/\xed\xa0\x80", b"http://x/\xff",
    ],
    (TARGET, 414): [b"/" + b"x" * 9000, b"/" + b"x" * 100_000],
    (VERSION, 400): [
        b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/11.1", b"HTTP/1.10", b"http/1.1", b"HTP/1.1", b"FTP/1.1",
        b"HTTP/a.b", b"HTTP/1,1", b"HTTP /1.1", b"HTTP/1.1 ", b"HTTP/1.1 x", b"HTTP/1.1\r", b"HTTP/1.1\r\r",
        "HTTP/1.1\u00b2".encode(), "HTTP/\u00b9.1".encode("latin-1"), "HTTP/\u0661.1".encode(),
    ],
    (VERSION, 505): [b"HTTP/0.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9"],
    (REQUEST_LINE, 400): [
        b"GET", b"/", b"GET /", b"GET / ", b"GET  / HTTP/1.1", b" GET / HTTP/1.1", b"GET\t/\tHTTP/1.1",
        b"OPTIONS ** HTTP/1.1", b"\r\n\r\nGET / HTTP/1.1", b"\nGET / HTTP/1.1",
    ],
    (REQUEST_LINE, 505): [b"PRI * HTTP/2.0"],
    (REQUEST_LINE, 405): [b"CONNECT x:80 HTTP/1.1"],

    # The fields
    (FIELD, 400): [
        *(b"A: b" + char + b"c" for char in CONTROLS),
        *(b"A" + char + b"b: c" for char in [*CONTROLS, *SEPARATORS, b" "]),
        *BAD_FIELDS,
    ],
    (FIRST_FIELD, 400): BAD_FIELDS,
    (FIELD, 431): [
        b"\r\n".join([b"A: " + b"x" * 6000] * 3), b"\r\n".join([b"A: b"] * 100), b"\r\n".join([b"A: b"] * 10_000),
    ],
    (HOST, 400): [
        b"", b"\t", b"a b", b"a/b", b"a:b", b"a:1:2", b"a@b", b"a#b", b"a?b", b"<a>", b"[::1", b"[x]", b'"a"', b"\xe9",
        b":80", b"a%zz", b"a%4", b"%", b"[]", b"[...]", b"[:]", b"[4712::abcd::]", b"[1:2:3:4:5:6:7]", b"[12345::]", b"[1.2.3.4]",
        b"[::1.2.3.256]", b"[::1]x", b"[::1%lo]", b"[v1]", b"[v1.]", b"[v.x]", b"[vg.x]",
        b"a\r\nHost: a", b"a\r\nhost: b", b"a\r\n Host: b",
    ],
    (EXPECT, 417): [b"200-ok", b"100-continue, x", b"101-continue", b"x"],

    # The length of the body
    (LENGTH, 400): [
        b"", b"+1", b"-1", b"1 2", b"1,1", b"1, 1", b"0x1", b"1e1", b"1.0", b"one", b"1;", b'"1"', b"1_0",
        b"\xb2", "\u0661".encode(),
        b"1\r\nContent-Length: 1", b"1\r\nContent-Length: 2", b"0\r\nContent-Length: 0",
    ],
    (LENGTH, 413): [b"1048577", b"9" * 18, b"9" * 19, b"9" * 5000, b"18446744073709551617"],
    # If chunked is not the last transfer coding, or comes twice, the end of the body is unknown (RFC 9112, 6.3).
    (CODING, 400): [
        b"", b"gzip", b"identity", b"chunked, chunked", b"chunked, gzip", b"gzip, chunked, identity", b",chunked", b"chunked,",
        b"xchunked", b"chunkedx", b"chunked;x", b'"chunked"',
        b"chunked\r\nTransfer-Encoding: chunked", b"chunked\r\nTransfer-Encoding: identity",
    ],
    (CODING, 501): [b"gzip, chunked", b"gzip ,\tChunked", b"gzip\r\nTransfer-Encoding: chunked", b"x, y, chunked"],
    (FRAMING, 400): [
        b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 5\r\ntransfer-encoding: CHUNKED", b"Content-Length: 0\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding : chunked", b"Transfer\x00-Encoding: chunked",
    ],

    # The chunks
    (CHUNKS, 400): [
        b"x\r\n", b"-1\r\n", b"+1\r\nx\r\n", b" 1\r\nx\r\n", b"0x1\r\nx\r\n", b"123456789\r\n", b"\r\n",
        b"1 x\r\nx\r\n", b"1 \r\nx\r\n", b"1;\x01\r\nx\r\n0\r\n\r\n",
        b"1\nx\r\n0\r\n\r\n", b"1\r\nx\n0\r\n\r\n\r\n", b"1\r\nx\n\n0\r\n\r\n",
        b"1\r\nxx\r\n0\r\n\r\n", b"1\r\nxAB0\r\n\r\n", b"2\r\nx\r\n0\r\n\r\n",
        b"5;\r\nhello\r\n0\r\n\r\n", b"5;bad[=x\r\nhello\r\n0\r\n\r\n", b"5;a=\"b\r\nhello\r\n0\r\n\r\n", b"5;a=\r\n",
        b"5;a=b c\r\n", b"5;a b\r\n", b"5;;a\r\n", b"5; \r\n", b"5;a;\r\n", b"5;a \r\n", b"5;=b\r\n", b"5;a=\"\\\"\r\n", b"5;a=\"b\"c\r\n",
        b"5;a=\xe9\r\n", b"5;a=\"\x01\"\r\n", b"0;\r\n\r\n",
        # These lines end with a bare LF. The server must refuse them without waiting for more bytes.
        b"5\n", b"5;a\n", b"1\r\nx\n", b"1\r\nx\r\r", b"1\r\nx\r\n0\n", b"0\r\n\n", b"0\r\nA: b\n", b"0\r\nA: b\r\n\n", b"5\r\nhello\r\n0\r\n\n",
        b"1;" + b"x" * 9000, b"1;" + b"x" * 9000 + b"\r\nx\r\n0\r\n\r\n",
        b"0\r\nContent-Length: 5\r\n\r\n", b"1\r\nx\r\n0\r\nA: b\r\ntransfer-encoding: chunked\r\n\r\n", b"0\r\nHOST: x\r\n\r\n",
        b"0\r\nA b\r\n\r\n", b"0\r\n A: b\r\n\r\n", b"0\r\nA: \x01\r\n\r\n",
    ],
    (CHUNKS, 413): [b"100001\r\n", b"ffffffff\r\n", b"1\r\nx\r\n100000\r\n"],
    (CHUNKS, 431): [b"0\r\n" + b"a: b\r\n" * 101],

    # The complete request: it has no Host field, or has no end, or is not HTTP at all.
    (WHOLE, 400): [
        b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA: b\r\n\r\n",
        b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        # These lines end with LF, as lines of text files do.
        b"GET / HTTP/1.0\n\n", b"GET / HTTP/1.1\nHost: x\n\n", b"GET / HTTP/1.1\r\nHost: x\n\r\n",
        # The server must refuse these without waiting for more bytes.
        b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\nHost: x\n", b"GET / HTTP/1.1\r\nHost: x\r\n\n", b"\n",
        # This is how a TLS client begins if it connects to a port for plain HTTP.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        # This is a command of the telnet protocol.
        b"\xff\xfb\x1f",
        b"\0", b"{}",
    ],
    (WHOLE, 414): [b"GET /" + b"x" * 9000],
    # These methods are longer than the longest allowed line (RFC 9112, 3).
    (WHOLE, 501): [b"G" * 9000, b"G" * 9000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n"],
    (WHOLE, 431): [
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 17000,
        b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % number for number in range(10_000)),
    ],
}


def malformed():
    """Return all malformed requests, as a list of (bytes to send, expected status)."""
    return [(around % part, status) for (around, status), parts in MALFORMED.items() for part in parts]
