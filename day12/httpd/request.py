"""Parse bytes into a Request, or raise a Refusal. All functions are pure and use no sockets.
请求：把字节解析成 Request 或 Refusal。全是纯函数，不碰套接字。

The parser applies the rules of RFC 9112 (HTTP/1.1) strictly. It refuses bytes that two servers
could read as different requests, because attackers use such differences to get a request past a
proxy (request smuggling).
"""
import functools
import ipaddress
import json
import os
import re
import urllib.parse

# The limits on a request: bytes in the first line, bytes in the head, number of fields, and bytes
# in the body.
MAX_LINE = 8190
MAX_HEAD = 1 << 14
MAX_FIELDS = 100
MAX_BODY = 1 << 20
CRLF, HEAD_END = b"\r\n", b"\r\n\r\n"
# Request.length has this value if the body is sent in chunks.
CHUNKED = -1

# RFC 9110, 5.6.2
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rf"({TOKEN}) ([^\x00-\x20#\x7f]+) HTTP/(\d)\.(\d)", re.ASCII)
FIELD = re.compile(rf"({TOKEN}):([^\x00-\x08\x0a-\x1f\x7f]*)")
# A host is [an IPv6 address], [an address of a future version], or a name (RFC 3986, 3.2.2). A
# port may follow.
HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|\[v[0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+\]"
                  r"|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::\d*)?", re.ASCII | re.IGNORECASE)
ABSOLUTE = re.compile("https?://([^/?]+)/?(.*)", re.IGNORECASE)
BEGINNING = re.compile(rf"(?:\r\n)?{TOKEN}(?: |\Z)|\r?\Z|\r\n\Z".encode())
# Matches a % that encodes nothing, a NUL, or a backslash, which browsers take for a slash.
BAD_PATH = re.compile(r"%(?![0-9A-Fa-f]{2})|%00|\\")
# A chunk extension is a name, perhaps with a value, which may be in quotes (RFC 9112, 7.1.1).
QUOTED = r'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
EXTENSION = rf"[ \t]*;[ \t]*{TOKEN}(?:[ \t]*=[ \t]*(?:{TOKEN}|{QUOTED}))?"
CHUNK_SIZE = re.compile(f"0*([0-9A-Fa-f]{{1,8}})(?:{EXTENSION})*")
METHODS = frozenset("GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH".split())
FILE_METHODS = ("GET", "HEAD", "OPTIONS")
# These fields can change the answer to a GET. Without them, every GET of a file gets the same
# answer.
SPECIAL = frozenset("connection content-length expect if-match if-modified-since if-none-match "
                    "if-unmodified-since range transfer-encoding".split())
# The parser remembers this many heads, and this many lines of heads. Larger numbers would make the
# parser slower, because heads that never come again would push useful heads out of the processor's
# cache.
KNOWN_HEADS, KNOWN_LINES = 128, 256


class Refusal(Exception):
    """Raised to answer a request with an error or a redirection.

    status: the status of the answer.  text: the reason, for the body.  lines: more header lines.
    """

    def __init__(self, status, text="", lines=""):
        super().__init__(status, text)
        self.status, self.text, self.lines = status, text, lines


class Request:
    """What a client asks for.

    line: the request line, as it was sent.  method: for example "GET".  path: percent-decoded.
    query_string: the text after the ?, as it was sent.  minor: the y of HTTP/x.y.
    headers: a dict, with names in lower case.
    keep_alive: whether the connection remains open after the answer.
    is_plain: whether this is a GET with the same answer as any other plain GET of the same file.
    length: the size of the body in bytes, or CHUNKED.  body: bytes; empty until it is received.
    """
    length, body = 0, b""

    def __init__(self, line="", method="", path="", query_string="", minor=0):
        self.line, self.method, self.path = line, method, path
        self.query_string, self.minor = query_string, minor
        # Without a Connection field, HTTP/1.1 keeps the connection open, and HTTP/1.0 closes it.
        self.keep_alive = minor > 0
        self.is_plain = minor > 0 and method == "GET"

    @property
    def query(self):
        """The parameters after the ?, as a dict. If a name occurs twice, its last value counts."""
        # Some clients, such as curl, send UTF-8 without percent encoding.
        raw = self.query_string.encode("latin-1").decode(errors="replace")
        return dict(urllib.parse.parse_qsl(raw, keep_blank_values=True))

    def json(self):
        """Return the body, parsed as JSON. Raises Refusal (a 400) if it is not JSON."""
        try:
            return json.loads(self.body, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            raise Refusal(400, "The body is not JSON") from None


# The next functions parse the head. All of them can raise Refusal.
# 请求头：下面的函数都可能抛出 Refusal。

@functools.lru_cache(maxsize=KNOWN_HEADS)
def parse(head):
    """Parse a head (the bytes before the empty line) into a Request (RFC 9112, sections 2 to 6).

    The function is pure, so a cache can hold its results. The heads that one browser sends may
    differ, but they share most lines, so the functions below cache the results for lines too.
    """
    if len(head) > MAX_HEAD:
        raise too_long(head)
    # One empty line before the request is allowed (RFC 9112, 2.2).
    first, *lines = head.removeprefix(CRLF).decode("latin-1").split("\r\n")
    if len(lines) > MAX_FIELDS:
        raise Refusal(431, "Too many header fields")
    request = Request(*parse_request_line(first))
    request.headers = headers = dict(map(parse_field, lines))
    if len(headers) < len(lines):
        request.headers = headers = merge(map(parse_field, lines))
    if request.minor and "host" not in headers:
        raise Refusal(400, "HTTP/1.1 requires a Host field")
    if not SPECIAL.isdisjoint(headers):
        apply_special_fields(request, headers)
    return request


@functools.lru_cache(maxsize=KNOWN_LINES)
def parse_request_line(line):
    """Parse a request line (RFC 9112, section 3). Return the line itself and its four parts."""
    if len(line) > MAX_LINE:
        raise too_long(line.encode("latin-1"))
    match = REQUEST_LINE.fullmatch(line)
    if not match:
        raise Refusal(400, "The request line is malformed or does not end with CR LF")
    method, target, major, minor = match.groups()
    if major != "1":
        raise Refusal(505, "Only HTTP/1.0 and HTTP/1.1 are supported")
    path, query = split_target(method, target)
    return line, method, path, query, int(minor)


def split_target(method, target):
    """Return the decoded path and the query string of a request target (RFC 9112, 3.2)."""
    if target[0] != "/" and (method, target) != ("OPTIONS", "*"):
        if method == "CONNECT":
            raise Refusal(405, "This is not a proxy", f"Allow: {', '.join(FILE_METHODS)}\r\n")
        # The target must be http://host/path, the form that clients send to proxies.
        match = ABSOLUTE.fullmatch(target)
        if not match or not is_host(match[1]):
            raise Refusal(400, "Malformed request target")
        target = "/" + match[2]
    path, _, query = target.partition("?")
    if BAD_PATH.search(path):
        raise Refusal(400, "The path has a backslash or a malformed percent encoding")
    raw = path.encode("latin-1")
    try:
        # Some clients, such as curl, send UTF-8 without percent encoding. Refuse a path that
        # is not UTF-8: a careless decoder could, for example, read the bytes C0 AF as a slash.
        raw.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "The path is neither percent-encoded nor UTF-8") from None
    return os.fsdecode(urllib.parse.unquote_to_bytes(raw)), query


@functools.lru_cache(maxsize=KNOWN_LINES)
def parse_field(line):
    """Return the name, in lower case, and the value of a header line."""
    match = FIELD.fullmatch(line)
    # FIELD matches no folded line, and no space before the colon: servers read these differently.
    if not match:
        raise Refusal(400, "A header field is malformed or does not end with CR LF")
    name, value = match.groups()
    name, value = name.lower(), value.strip(" \t")
    # The host must not be empty, because every http URL has a host (RFC 9110, 4.2.1).
    if name == "host" and not is_host(value):
        raise Refusal(400, "Malformed Host field")
    return name, value


def is_host(text):
    """Return whether text is a valid name or address of a host, perhaps followed by a port."""
    match = HOST.fullmatch(text)
    try:
        return bool(match) and (match[1] is None or bool(ipaddress.IPv6Address(match[1])))
    except ValueError:
        return False


def merge(fields):
    """Return a dict of fields. Join the values of a repeated name with commas (RFC 9110, 5.3).

    Cookie values are joined with semicolons instead (RFC 9113, 8.2.3). fields: (name, value) pairs.
    Raises Refusal if Host or Content-Length occurs twice.
    """
    headers = {}
    for name, value in fields:
        if name in headers and name in ("host", "content-length"):
            raise Refusal(400, f"More than one {name} field")
        separator = "; " if name == "cookie" else ", "
        headers[name] = headers[name] + separator + value if name in headers else value
    return headers


def apply_special_fields(request, headers):
    """Set length, keep_alive and is_plain of a request according to its SPECIAL fields."""
    request.length = body_length(headers, request.minor)
    connection = headers.get("connection", "").split(",")
    options = [option.strip(" \t").lower() for option in connection]
    request.keep_alive = "close" not in options and (request.keep_alive or "keep-alive" in options)
    # Browsers send Connection: keep-alive, although HTTP/1.1 does not need it. Such a request is
    # still plain.
    is_only_connection = headers.keys() & SPECIAL == {"connection"}
    request.is_plain = request.is_plain and request.keep_alive and is_only_connection
    if request.minor and headers.get("expect", "100-continue").lower() != "100-continue":
        raise Refusal(417, "The only expectation supported is 100-continue")


def body_length(headers, minor):
    """Return the length of the body in bytes, or CHUNKED (RFC 9112, 6.3).

    If two servers disagree about where the body ends, one of them reads part of it as a request
    (request smuggling). So every ambiguous length is refused. 有歧义就拒绝，防止请求走私。
    """
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or not minor:
            raise Refusal(400, "Transfer-Encoding is not allowed with Content-Length or HTTP/1.0")
        *others, last = [name.strip(" \t").lower() for name in coding.split(",")]
        # The end of the body is clear only if chunked is the last coding and is used only once.
        if last != "chunked" or not all(name and name != "chunked" for name in others):
            raise Refusal(400, "chunked must be the last transfer coding, and used only once")
        if others:
            raise Refusal(501, "The only transfer coding supported is chunked")
        return CHUNKED
    if length is None:
        return 0
    if not re.fullmatch("[0-9]+", length):
        raise Refusal(400, "Content-Length is not a number")
    if len(length) > 18 or int(length) > MAX_BODY:
        raise too_large()
    return int(length)


def parse_chunk_size(line):
    """Return the size of a chunk, in bytes. Chunk extensions are ignored (RFC 9112, 7.1)."""
    match = CHUNK_SIZE.fullmatch(line.decode("latin-1"))
    if not match:
        raise Refusal(400, "Malformed chunk size")
    return int(match[1], 16)


def check_trailer(line):
    """Raise Refusal if the field in this line is not allowed in a trailer (RFC 9110, 6.5.1).

    This server ignores trailers. But a proxy that adds their fields to the head would see a
    different length or host than this server sees.
    """
    name, _ = parse_field(line)
    if name in ("content-length", "host", "transfer-encoding"):
        raise Refusal(400, f"A trailer cannot have a {name} field")


# The next functions deal with data that cannot be parsed. 无法解析的数据。

def check_beginning(data):
    """Raise Refusal if data cannot become a valid head, whatever bytes follow."""
    if not BEGINNING.match(data):
        raise Refusal(400, "Malformed request line")
    if data.count(b"\n") != data.count(CRLF):
        raise Refusal(400, "Lines must end with CR LF")
    # One byte more than MAX_LINE is allowed, because this byte may be the CR of CR LF.
    is_long_line = len(data.removeprefix(CRLF)) > MAX_LINE + 1 and CRLF not in data[2:]
    if len(data) > MAX_HEAD or is_long_line:
        raise too_long(data)


def too_long(head):
    """Return the Refusal for a head that is too long. The status says which part is too long."""
    if 0 <= head.find(CRLF, 2) <= MAX_LINE:
        return Refusal(431, "The header fields are too long")
    if b" " not in head[:MAX_LINE]:
        return Refusal(501, "The method is too long")
    return Refusal(414, "The request line is too long")


def refuse_constant(name):
    """Raise ValueError: json.loads accepts NaN and Infinity, but JSON has neither (RFC 8259)."""
    raise ValueError(f"{name} is not JSON")


def too_large():
    """Return the Refusal for a body that is too large."""
    return Refusal(413, f"A body can have at most {MAX_BODY} bytes")


def first_line(head):
    """Return a Request with only the first line of a head that could not be parsed.

    The log and the error reply need this line.
    """
    line = head[:MAX_LINE].removeprefix(CRLF).split(CRLF)[0].decode("latin-1")
    return Request(line, line.partition(" ")[0])
