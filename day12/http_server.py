"""An HTTP/1.1 server: a coroutine per client over epoll, the two halves of this day in one program.
HTTPServer v2.0 · HTTP 服务器 2.0

Run:    python day12/http_server.py [port] [-b ADDRESS] [-d DIRECTORY] [-w WORKERS] [--timeout SECONDS] [--quiet]
        curl -i http://127.0.0.1:8000/             in another terminal, or a browser

    server = HTTPServer(("127.0.0.1", 8000), directory="site")

    @server.route("/api/time")
    def time_now(request):
        return {"now": time.time()}                # str, bytes, dict or list (as JSON), or (status, one of these)

    server.serve_forever()

The loop asks epoll whose socket is ready and lets that client's coroutine go on. The coroutine reads like a blocking server:
receive, parse, answer, send. Where a blocking server would wait, it yields, and the loop serves others.

        +--------------------- serve_forever -----------------------+
        |  epoll.poll() --> fd 7, fd 9 --> next(task of 7), ... --+  |
        |       ^                                                 |  |
        |       +---- yield: "wait until my socket is ready" <----+  |
        +-----------------------------------------------------------+
          tasks: fd 4 accept_clients   fd 7 converse   fd 9 converse   fd 12 converse ...

The way of a request: converse receives bytes and looks for the empty line that ends the head; parse makes a Request of it, or
a Refusal; handler_of finds the route or file_reply, which makes a Reply; head and body go out in one send. If the client does not
take them all, send_all waits (EPOLLOUT), and only this client waits with it.

Who is too slow gets a TimeoutError, thrown into its coroutine at the yield: just where a blocking socket would raise it.

Why it is fast: whatever was computed once is kept as long as it is true. In one turn of the loop a file is looked at (stat) and
its answer is made once, for all who just ask for it; a small file that has not changed is read once a second, an equal head
is parsed once.
"""
import argparse
import contextlib
import copy
import email.utils
import errno
import fcntl
import functools
import json
import math
import mimetypes
import mmap
import os
import re
import resource
import select
import signal
import socket
import stat
import struct
import sys
import termios
import time
import traceback
import urllib.parse
from datetime import timezone
from http import HTTPStatus
from select import EPOLLEXCLUSIVE, EPOLLIN, EPOLLOUT
from typing import NamedTuple

SIZE = 1 << 16                                     # bytes to receive at once
SMALL = 1 << 16                                    # bytes of a file that is kept in memory
CHUNK = 1 << 18                                    # bytes of a larger one to send at once
KEPT = 256                                         # such small files, in one second
BATCH = 16                                         # answers that are sent together,
LIMIT = 1 << 13                                    # and bytes of each, or it is the last of them
BURST = 16                                         # clients to accept in one turn
MAX_LINE = 8190                                    # bytes of a request line,
MAX_HEAD = 16384                                   # of all lines together,
MAX_FIELDS = 100                                   # of which there are so many,
MAX_BODY = 1 << 20                                 # and bytes of the body that may follow
LINGER = 2                                         # seconds in which a client may read our last words
GRACE = 3                                          # seconds in which a worker must end, and the last lines of the log be taken
CRLF, END = b"\r\n", b"\r\n\r\n"
WORKERS = 64                                       # processes at most
ROW = struct.Struct("5q")                          # of each: PID, when it was born, connections, requests, bytes
SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}
PHRASES = {status.value: status.phrase for status in HTTPStatus}
CHUNKED = -1                                       # the length of a body whose length is not known yet

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"             # RFC 9110, 5.6.2
REQUEST_LINE = re.compile(rf"({TOKEN}) ([^\x00-\x20#\x7f]+) HTTP/(\d)\.(\d)", re.ASCII)
FIELD = re.compile(rf"({TOKEN}):([^\x00-\x08\x0a-\x1f\x7f]*)")
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.%~!$&'()*+,;=-]*)(?::\d*)?", re.ASCII)
ABSOLUTE = re.compile("https?://([^/?]+)/?(.*)", re.IGNORECASE)
BEGINNING = re.compile(rf"(?:\r\n)?{TOKEN}(?: |\Z)|\r?\Z|\r\n\Z".encode())
PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
CHUNK_SIZE = re.compile(rb"0*([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?")
RANGE = re.compile(r"bytes=[ \t]*(\d{0,99})-(\d{0,99})[ \t]*", re.ASCII | re.IGNORECASE)
ENTITY_TAG = re.compile(r'(?:W/)?"[^"]*"')
METHODS = frozenset("GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH".split())
FILE_METHODS = ("GET", "HEAD", "OPTIONS")
# The header fields that make a difference. Without them, a GET gets the same answer as any other for its path.
SPECIAL = frozenset("connection content-length expect if-match if-modified-since if-none-match if-unmodified-since range "
                    "transfer-encoding".split())


# The request: from bytes to an object, or a refusal

class Refusal(Exception):
    """Answers a request with an error: its status, a text, further lines of the head."""

    def __init__(self, status, text="", lines=""):
        super().__init__(status, text)
        self.status, self.text, self.lines = status, text, lines


class Request:
    """What a client asks for.

    line (as it was sent), method, path (decoded), query_string, minor (of HTTP/1.minor), headers (names in lower case),
    keep_alive: whether the connection stays, is_plain: whether it is a GET like any other for its path, length of the body
    (or CHUNKED), and the body, once it is there.
    """
    line = method = path = ""
    keep_alive = is_plain = False
    length, body = 0, b""

    @property
    def query(self):
        """The fields behind the ? by name; of several with one name, the last."""
        raw = self.query_string.encode("latin-1").decode(errors="replace")         # curl does not encode what is not ASCII
        return dict(urllib.parse.parse_qsl(raw, keep_blank_values=True))

    def json(self):
        """The body as JSON. Raises Refusal, which becomes a 400, if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refusal(400, "The body is not JSON") from None


@functools.lru_cache(maxsize=512)
def parse(head):
    """Make a Request of a head, which is the bytes before the empty line (RFC 9112). Raises Refusal.

    A pure function, so equal heads need not be parsed again, nor equal lines of heads that differ: a browser repeats most.
    """
    if len(head) > MAX_HEAD:
        raise too_long(head)
    # An empty line in front does not matter (RFC 9112, 2.2).
    lines = head.removeprefix(CRLF).decode("latin-1").split("\r\n")
    if len(lines) - 1 > MAX_FIELDS:
        raise Refusal(431, "Too many header fields")
    request = Request()
    (request.line, request.method, request.path, request.query_string, request.minor, request.keep_alive, request.is_plain
     ) = parse_request_line(lines.pop(0))
    request.headers = headers = dict(map(parse_field, lines))
    if len(headers) < len(lines):
        request.headers = headers = merge(map(parse_field, lines))
    if request.minor and "host" not in headers:
        raise Refusal(400, "HTTP/1.1 needs a Host")
    if not SPECIAL.isdisjoint(headers):
        request.length = body_length(headers, request.minor)
        options = [option.strip(" \t").lower() for option in headers.get("connection", "").split(",")]
        request.keep_alive = "close" not in options and (request.keep_alive or "keep-alive" in options)
        # Browsers say keep-alive, which they need not.
        request.is_plain = request.is_plain and request.keep_alive and headers.keys() & SPECIAL == {"connection"}
        if request.minor and headers.get("expect", "100-continue").lower() != "100-continue":
            raise Refusal(417, "Only 100-continue")
    return request


def first_line(head):
    """Make a Request of a head that is none: of what seems to be its first line, for the log and the refusal."""
    request = Request()
    request.line = head[:MAX_LINE].removeprefix(CRLF).split(CRLF)[0].decode("latin-1")
    request.method = request.line.partition(" ")[0]
    return request


@functools.lru_cache(maxsize=512)
def parse_request_line(line):
    """Return the line, the method, the path, the query string, the minor version; and, for a request without SPECIAL fields,
    whether the connection stays, and whether it is a plain GET. Raises Refusal."""
    if len(line) > MAX_LINE:
        raise Refusal(414, "The request line is too long")
    found = REQUEST_LINE.fullmatch(line)
    if not found:
        raise Refusal(400, "Not a request line, or one that does not end with CR LF")
    method, target, major, minor = found.groups()
    if major != "1":
        raise Refusal(505, "HTTP/1.1, please")
    path, query = split_target(method, target)
    keep_alive = minor != "0"
    return line, method, path, query, int(keep_alive), keep_alive, keep_alive and method == "GET"


def split_target(method, target):
    """Return path and query string of what is asked for (RFC 9112, 3.2). Raises Refusal."""
    if target[0] != "/" and (method, target) != ("OPTIONS", "*"):
        if method == "CONNECT":
            raise Refusal(405, "This is no proxy", f"Allow: {', '.join(FILE_METHODS)}\r\n")
        found = ABSOLUTE.fullmatch(target)         # the form with which proxies are asked
        if not found or not HOST.fullmatch(found[1]):
            raise Refusal(400, "Not a target")
        target = "/" + found[2]
    path, _, query = target.partition("?")
    if PERCENT.search(path):
        raise Refusal(400, "Wrong use of % in the path")
    # Bytes that are not in percent encoding, as they should be, do no harm.
    return os.fsdecode(urllib.parse.unquote_to_bytes(path.encode("latin-1"))), query


@functools.lru_cache(maxsize=1024)
def parse_field(line):
    """Return name, value of a header line. Raises Refusal."""
    found = FIELD.fullmatch(line)
    if not found:                                  # also for a folded line, and for white space before the colon: both are risky
        raise Refusal(400, "Not a header field, or one that does not end with CR LF")
    name, value = found.groups()
    name, value = name.lower(), value.strip(" \t")
    if name == "host" and not HOST.fullmatch(value):
        raise Refusal(400, "Not a host")
    return name, value


def merge(fields):
    """Fields of the same name are a list (RFC 9110, 5.3), but for those two that must be clear. Raises Refusal."""
    headers = {}
    for name, value in fields:
        if name in headers and name in ("host", "content-length"):
            raise Refusal(400, f"Several fields {name}")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def body_length(headers, minor):
    """How long the body is (RFC 9112, 6.3). What another server might read differently is refused: so requests are smuggled."""
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or not minor:
            raise Refusal(400, "Transfer-Encoding with Content-Length, or in HTTP/1.0")
        if coding.lower() != "chunked":
            raise Refusal(501, "Only chunked")
        return CHUNKED
    if length is None:
        return 0
    if not re.fullmatch("[0-9]+", length):
        raise Refusal(400, "Content-Length is no number")
    if len(length) > 18 or int(length) > MAX_BODY:
        raise Refusal(413, f"At most {MAX_BODY} bytes")
    return int(length)


def parse_chunk_size(line):
    """Return the size of a chunk. Raises Refusal."""
    found = CHUNK_SIZE.fullmatch(line)
    if not found:
        raise Refusal(400, "Not the size of a chunk")
    return int(found[1], 16)


def check_beginning(data):
    """Refuse at once what cannot become a head any more, instead of waiting for the rest. Raises Refusal."""
    if not BEGINNING.match(data):
        raise Refusal(400, "Not a request line")
    if b"\n\n" in data or b"\n\r\n" in data:
        raise Refusal(400, "Lines end with CR LF")
    if len(data) > MAX_HEAD or len(data.removeprefix(CRLF)) > MAX_LINE + 1 and CRLF not in data[2:]:
        raise too_long(data)


def too_long(data):
    return Refusal(431, "Too long a head") if 0 <= data.find(CRLF, 2) <= MAX_LINE else Refusal(414, "Too long a target")


# The files

class File(NamedTuple):
    """A file as it was at one moment: its os.stat_result; its bytes, or a view of a mmap if they are many; its tag; and what the
    head of every answer says about it."""
    found: os.stat_result
    body: object
    tag: str
    lines: str


class Site:
    """The directory that is served. Raises OSError if it is none."""

    def __init__(self, directory):
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY))
        self.root = os.path.realpath(directory).rstrip("/")
        self.kept = {}                             # path -> File, for the small ones, in this second

    def find(self, path, query, now):
        """Return the File at the path of a URL, as it is now. Raises Refusal."""
        if "/." in path:                           # what is hidden, and the way up
            raise Refusal(404, "Not found")
        try:
            found = os.stat(self.root + path)
            if stat.S_ISDIR(found.st_mode):
                if not path.endswith("/"):         # the links in its page must lead to the right place
                    here = self.holds(os.path.realpath(self.root + path) + "/")
                    # It begins with one slash: two would lead to another host.
                    url = urllib.parse.quote(os.fsencode("/" + path.strip("/") + "/"))
                    where = f"Location: {url}{'?' if query else ''}{query}\r\n"
                    raise Refusal(301, "It is a directory", where) if here else Refusal(404, "Not found")
                path += "index.html"
                found = os.stat(self.root + path)
            file = self.kept.get(path)
            if not file or signature(file.found) != signature(found):
                file = self.load(path, found, now)
            return file
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise Refusal(503, os.strerror(error.errno)) from None
            raise Refusal(404, "Not found") from None                  # also if we may not read it: that concerns nobody

    def holds(self, real):
        """Whether a path without links in it leads to something here that is not hidden."""
        return real.startswith(self.root + "/") and "/." not in real[len(self.root):]

    def load(self, path, found, now):
        """Open a file and read it, or, if it is large, map it."""
        if not stat.S_ISREG(found.st_mode):        # do not even open it: a pipe would wait, a device may do anything
            raise Refusal(404, "Not found")
        fd = os.open(self.root + path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            # Where have we arrived? Whatever is a link, or becomes one: what is open is open.
            real, found = os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd)
            if not self.holds(real) or not stat.S_ISREG(found.st_mode):
                raise Refusal(404, "Not found")
            size, is_small = found.st_size, found.st_size <= SMALL
            body = os.pread(fd, size, 0) if is_small else memoryview(mmap.mmap(fd, size, access=mmap.ACCESS_READ))
        except ValueError:                         # of mmap: it has become shorter
            raise Refusal(503, "The file is changing") from None
        finally:
            os.close(fd)
        kind, encoding = mimetypes.guess_type("/" + path.lstrip("/"))
        kind = f"application/{encoding}" if encoding else kind or "application/octet-stream"
        if kind.startswith("text/") or kind == "application/javascript":
            kind += "; charset=utf-8"
        # In the same tick of the file system's clock it may change again, unseen: so it is not kept, and its tag is a weak one.
        is_new = now - found.st_ctime < 1
        tag = f'{"W/" if is_new else ""}"{found.st_ino:x}-{size:x}-{found.st_ctime_ns:x}"'
        modified = email.utils.formatdate(min(max(0, found.st_mtime), now), usegmt=True)
        lines = f"Content-Type: {kind}\r\nLast-Modified: {modified}\r\nETag: {tag}\r\nAccept-Ranges: bytes\r\n"
        file = File(found, body, tag, lines)
        if is_small and not is_new and len(self.kept) < KEPT:
            self.kept[path] = file
        return file


def signature(found):
    """What changes when a file does. Nobody can set st_ctime back."""
    return found.st_ino, found.st_dev, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def condition(headers, file):
    """The status that If-... fields lead to (RFC 9110, 13.2.2): 200, 304 or 412."""
    tag, changed = file.tag, int(file.found.st_mtime)
    if "if-match" in headers:
        if headers["if-match"] != "*" and (tag[0] == "W" or tag not in ENTITY_TAG.findall(headers["if-match"])):
            return 412
    elif changed > parse_date(headers.get("if-unmodified-since")):
        return 412
    if "if-none-match" in headers:
        tags = [one.removeprefix("W/") for one in ENTITY_TAG.findall(headers["if-none-match"])]
        return 304 if headers["if-none-match"] == "*" or tag.removeprefix("W/") in tags else 200
    return 304 if changed <= parse_date(headers.get("if-modified-since")) else 200


def parse_date(text):
    """Seconds since 1970. For what is no date, NaN: it is neither before nor after anything, so the field has no effect."""
    try:
        date = email.utils.parsedate_to_datetime(text)
        return date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp()
    except (TypeError, ValueError, OverflowError):
        return math.nan


def byte_range(headers, file):
    """Return (start, end) of the bytes that are asked for, or None for all of them (RFC 9110, 14). Raises Refusal."""
    found, size = RANGE.fullmatch(headers.get("range", "")), len(file.body)
    if not found or "if-range" in headers and (file.tag[0] == "W" or headers["if-range"] != file.tag):
        return None                                # also for several ranges: a server need not know them
    first, last = found.groups()
    if not first and not last or first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise Refusal(416, "No such bytes", f"Content-Range: bytes */{size}\r\n")
    return start, end


# The answer

class Reply:
    """What is sent: data, and after it, if large, a view of a part of a mmap. keep: whether the connection stays.
    status and size (of the body) are for the log.  is_last: whether it is the last of a batch, as nothing follows or it has taken
    or will take its time."""
    __slots__ = ("data", "large", "keep", "status", "size", "is_last")             # the quickest to read

    def __init__(self, data, large, keep, status, size, is_last):
        self.data, self.large, self.keep, self.status, self.size, self.is_last = data, large, keep, status, size, is_last


class HTTPServer:
    """Serves the files of a directory, and what routes return.

    address: (host, port), port 0 for a free one.  directory: whose files are served.  timeout: seconds for a head to come, for a
    body, for a connection to be silent, and for a client to take some bytes of an answer.  log: whether each request is a line on
    stderr.  Raises OSError if there is no such directory or address, or the address is in use.
    """

    def __init__(self, address=("127.0.0.1", 8000), directory="site", timeout=30, log=True):
        self.site = Site(directory)
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.listener = socket.create_server(address, family=family, backlog=4096)
        self.listener.setblocking(False)
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)        # Linux hands it on to the clients' sockets
        self.address = self.listener.getsockname()[:2]
        self.bell, self.rope = socket.socketpair()                     # it rings at a pull, and when nobody holds the rope
        self.rope.setblocking(False)               # one pull is enough, and nobody may have to wait for the second
        self.timeout = timeout
        self.log = [] if log and sys.stderr else None
        self.routes = {}                           # path -> (methods, what makes a Reply of a request)
        self.tasks = {}                            # fd -> coroutine
        self.deadlines = {}                        # fd -> when it is too late for it, in time.monotonic()
        self.ready = {}                            # path -> Reply to a plain GET, in this turn
        self.second = self.next_check = 0
        self.requests = self.bytes = 0
        self.began = time.monotonic()
        self.board = mmap.mmap(-1, WORKERS * ROW.size)                 # a row of numbers for each worker, which all can read
        mimetypes.init()

    # The interface

    def route(self, path, methods=("GET",)):
        """Decorate a function that answers requests for this path: it gets a Request and returns str, bytes, dict or list (as
        JSON), or (status, one of these). It is called in the loop: while it works, everybody waits."""
        def register(function):
            allowed = (*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS")
            self.routes[path] = allowed, functools.partial(self.call, function)
            return function
        return register

    def serve_forever(self, worker=0):
        """Serve until shutdown() is called. worker: the number of this process, if there are several."""
        self.epoll = select.epoll()
        # EPOLLEXCLUSIVE: of several workers that wait for the same listener, the kernel wakes up one.
        self.start(self.listener.fileno(), self.accept_clients(), EPOLLIN | EPOLLEXCLUSIVE)
        self.start(self.bell.fileno(), self.wait_for_bell())
        self.stopping, self.give_up, born = False, None, time.monotonic_ns()
        try:
            while not self.stopping:
                ROW.pack_into(self.board, worker * ROW.size, os.getpid(), born, len(self.tasks) - 2, self.requests, self.bytes)
                events = self.epoll.poll(1 if self.deadlines else None)
                self.begin_turn()
                for fd, event in events:
                    self.resume(fd)
                self.end_turn()
        finally:
            self.write_log()
            for task in list(self.tasks.values()):
                task.close()
            self.epoll.close()
            self.close()

    def close(self):
        for sock in (self.listener, self.bell, self.rope):
            sock.close()

    def shutdown(self):
        """End serve_forever, in all workers. May be called by a signal handler or by another thread."""
        with contextlib.suppress(OSError):         # it has ended already
            self.rope.send(b"!")                   # nobody receives it, so the bell rings for all of them

    def status(self):
        """What each worker has done up to its present turn, for a route to return."""
        now = time.monotonic_ns()
        names = "pid", "uptime", "connections", "requests", "bytes"
        workers = [dict(zip(names, (pid, round((now - born) / 1e9, 3), *counts)))
                   for pid, born, *counts in ROW.iter_unpack(self.board) if pid]
        return {"uptime": round(time.monotonic() - self.began, 3), "workers": workers}

    # The loop

    def start(self, fd, task, event=EPOLLIN):
        """Begin a coroutine, which goes on whenever its descriptor is ready."""
        self.epoll.register(fd, event)
        self.tasks[fd] = task
        next(task)                                 # up to its first yield

    def resume(self, fd, late=False):
        """Let a coroutine go on until its next yield."""
        task = self.tasks[fd]
        try:
            task.throw(TimeoutError()) if late else next(task)
        except Exception as error:                 # it has ended, or its client is gone: this concerns nobody else
            del self.tasks[fd]
            self.deadlines.pop(fd, None)
            if not isinstance(error, (StopIteration, OSError)):
                report()                           # a mistake in this program

    def begin_turn(self):
        self.ready.clear()
        self.now = time.time()
        self.deadline = time.monotonic() + self.timeout
        if int(self.now) != self.second:           # what is true for a second
            self.second = int(self.now)
            self.site.kept.clear()                 # a folder on the way to a file may have moved, which the file does not show
            self.common = f"Server: HTTPServer/2.0\r\nDate: {email.utils.formatdate(self.now, usegmt=True)}\r\n"
            self.stamp = time.strftime("%d/%b/%Y:%H:%M:%S %z", time.localtime(self.now))

    def end_turn(self):
        self.write_log()
        now = self.deadline - self.timeout         # when this turn began: whatever had come by then has been received
        if now >= self.next_check:                 # once a second: to look at 10,000 deadlines takes less than a millisecond
            self.next_check = now + 1
            for fd in [fd for fd, deadline in self.deadlines.items() if deadline <= now]:
                self.resume(fd, late=True)

    def write_log(self):
        if not self.log:
            return
        text = "".join(self.log).encode()
        self.log.clear()
        with contextlib.suppress(OSError):         # the pipe is closed, or the disk full: the pages go out all the same
            while text and self.wait_for_reader():
                # Piece by piece, as only so much is written at once, without lines of other workers in between (man 7 pipe).
                end = text.rfind(b"\n", 0, select.PIPE_BUF) + 1 or text.find(b"\n") + 1
                text = text[os.write(2, text[:end]):]

    def wait_for_reader(self):
        """If nobody reads the log, wait, as no line is to be lost; once the bell has rung, GRACE seconds in all. Return whether
        it can be written."""
        if select.select([self.bell], [2], [])[1]:
            return True
        self.stopping = True
        self.give_up = self.give_up or time.monotonic() + GRACE
        return select.select([], [2], [], max(0, self.give_up - time.monotonic()))[1]

    # The coroutines

    def wait_for_bell(self):
        yield
        self.stopping = True

    def accept_clients(self):
        fd = self.listener.fileno()
        while True:
            yield
            try:
                for _ in range(BURST):
                    conn, address = self.listener.accept()
                    conn.setblocking(False)
                    self.start(conn.fileno(), self.converse(conn, address[0]))
            except (BlockingIOError, ConnectionAbortedError):          # nobody else is waiting, or he has gone again
                pass
            except OSError:                        # no descriptor is free (EMFILE): whoever comes waits a little longer
                self.epoll.unregister(fd)
                self.deadlines[fd] = 0             # to be looked at within a second
                with contextlib.suppress(TimeoutError):
                    yield
                del self.deadlines[fd]
                self.epoll.register(fd, EPOLLIN | EPOLLEXCLUSIVE)

    def converse(self, conn, client):
        """Serve a client, request by request, until one of the two closes the connection."""
        fd, ready, deadlines, log = conn.fileno(), self.ready, self.deadlines, self.log
        data, start = b"", 0                       # what has been received, and where the next request begins in it
        with conn:
            try:
                while True:
                    request = known = reply = answers = answer = None  # 10,000 who are silent should hold nothing
                    if start < len(data):
                        yield from self.wait_to_send(conn)             # there is more to do, but first it is the others' turn
                    else:
                        data, start = b"", 0
                        deadlines[fd] = self.deadline
                        try:
                            yield
                            data = conn.recv(SIZE)
                        except BlockingIOError:
                            continue
                        if not data:
                            return

                    answers = []
                    while len(answers) < BATCH:    # answer together what is there
                        request, end = None, data.find(END, start)
                        if end < 0 and answers:
                            break
                        try:
                            if end < 0:
                                data, start = bytearray(data[start:]), 0           # a refusal too needs what has come
                                yield from self.receive_head(conn, data)
                                data, end = bytes(data), data.find(END)
                            request = parse(data[start:end])
                            known = ready.get(request.path) if request.is_plain else None
                            if known:
                                reply, start = known, end + 4
                            elif answers and (request.length or request.path in self.routes):
                                break              # but these one by one
                            else:
                                start = end + 4
                                if request.length:
                                    data, start = bytearray(data[start:]), 0
                                    request = yield from self.receive_body(conn, request, data)
                                    data = bytes(data)
                                reply = self.answer(request)
                        except Refusal as refusal:                     # we do not know how to go on after that
                            request = copy.copy(request) or first_line(data[start:])
                            request.keep_alive = False
                            reply = self.refuse(refusal, request)
                        answers.append(reply.data)
                        if log is not None:
                            log.append(f"{client} - - [{self.stamp}] {log_entry(request.line, reply.status, reply.size)}")
                        if reply.is_last:
                            break

                    answer = b"".join(answers)
                    self.requests += len(answers)
                    try:
                        count = conn.send(answer, socket.MSG_MORE if reply.large else 0)           # to travel with what follows
                    except BlockingIOError:
                        count = 0
                    self.bytes += count
                    if count < len(answer):
                        yield from self.send_all(conn, memoryview(answer)[count:])
                    if reply.large:
                        yield from self.send_all(conn, reply.large)
                    if not reply.keep:
                        reply = None               # it may hold a large file
                        if request.length or start < len(data) or is_under_way(fd):                # more is to come, or to arrive
                            yield from self.linger(conn)
                        return
            finally:
                self.epoll.unregister(fd)          # to close it does not suffice, if a route has forked and the child has it too

    # What has been received and not used yet is in a bytearray: it grows at its end, and what is used goes from its front.

    def receive(self, conn, data):
        """Wait for bytes and add them to data. Raises Refusal if they come too late, ConnectionError if none will come."""
        while True:
            try:
                yield
                more = conn.recv(SIZE)
            except BlockingIOError:
                continue
            except TimeoutError:
                raise Refusal(408, "The request took too long") from None
            if not more:
                raise ConnectionAbortedError
            data += more
            return

    def receive_head(self, conn, data):
        """Add to data what comes, until it contains a whole head. Raises Refusal."""
        self.deadlines[conn.fileno()] = self.deadline                  # for all of it: a byte now and then does not help
        while END not in data:
            check_beginning(data)
            yield from self.receive(conn, data)

    def receive_body(self, conn, request, data):
        """Return the request with its body, which data begins with. Raises Refusal."""
        self.handler_of(request)                   # raises Refusal, as a body that nobody wants is not received
        self.deadlines[conn.fileno()] = self.deadline
        if request.minor and "expect" in request.headers and not data:
            yield from self.send_all(conn, b"HTTP/1.1 100 Continue\r\n\r\n")
        request = copy.copy(request)               # parse keeps the other one, for all who send the same head
        if request.length == CHUNKED:
            request.body = yield from self.take_chunks(conn, data)
        else:
            while len(data) < request.length:
                yield from self.receive(conn, data)
            request.body = bytes(memoryview(data)[:request.length])    # a slice of data itself would be one more copy
            del data[:request.length]
        return request

    def take_line(self, conn, data):
        """Take a line from the front of data, without its end. Raises Refusal."""
        while (end := data.find(CRLF, 0, MAX_LINE + 2)) < 0:
            if len(data) > MAX_LINE + 1:           # and half of its end
                raise Refusal(400, "Not a chunk")
            yield from self.receive(conn, data)
        line = bytes(data[:end])
        del data[:end + 2]
        return line

    def take_chunks(self, conn, data):
        """Take a body in chunks (RFC 9112, 7.1): each with its size in front, until one of size 0 and a trailer."""
        body = bytearray()
        while size := parse_chunk_size((yield from self.take_line(conn, data))):
            if len(body) + size > MAX_BODY:
                raise Refusal(413, f"At most {MAX_BODY} bytes")
            while len(data) < size + 2:
                yield from self.receive(conn, data)
            body += data[:size]
            if data[size:size + 2] != CRLF:
                raise Refusal(400, "A chunk does not end where it should")
            del data[:size + 2]
        for _ in range(MAX_FIELDS + 1):            # the trailer, of which nothing is used
            line = yield from self.take_line(conn, data)
            if not line:
                return bytes(body)
            parse_field(line.decode("latin-1"))
        raise Refusal(431, "Too long a trailer")

    def send_all(self, conn, data):
        """Send bytes or a part of a mmap, piece by piece; after each it is the others' turn."""
        data = memoryview(data)
        while data:
            # Where a file has become shorter, there are zeros in the last page, and no more pages. End, so that the client sees.
            if isinstance(data.obj, mmap.mmap) and data.obj.size() < len(data.obj):
                raise ConnectionAbortedError
            with contextlib.suppress(BlockingIOError):
                count = conn.send(data[:CHUNK])
                self.bytes += count
                data = data[count:]
            if data:
                yield from self.wait_to_send(conn)

    def wait_to_send(self, conn):
        """Wait until the client has taken some bytes; if there is room at once, until the others have had their turn."""
        fd = conn.fileno()
        self.deadlines[fd] = self.deadline
        self.epoll.modify(fd, EPOLLOUT)
        yield
        self.epoll.modify(fd, EPOLLIN)

    def linger(self, conn):
        """End the connection so that the client can read our last words: to close it while something is unread, or still comes,
        would reset it (RFC 9112, 9.6). Raises ConnectionError when the client has closed it too, TimeoutError if it does not."""
        conn.shutdown(socket.SHUT_WR)
        self.deadlines[conn.fileno()] = time.monotonic() + LINGER
        while True:
            with contextlib.suppress(BlockingIOError):
                yield
                if not conn.recv(SIZE):
                    raise ConnectionAbortedError

    # The answers

    def answer(self, request):
        """Return the Reply to a request that is complete."""
        try:
            try:
                return self.handler_of(request)(request)
            except Refusal as refusal:
                return self.refuse(refusal, request)
        except Exception:                          # a mistake in a route
            report()
            return self.refuse(Refusal(500, "The server has made a mistake"), request)

    def handler_of(self, request):
        """Return the function that makes a Reply of this request. Raises Refusal if there is none."""
        methods, handler = self.routes.get(request.path, (FILE_METHODS, self.file_reply))
        if request.method not in methods:
            status = 405 if request.method in METHODS else 501
            raise Refusal(status, "Not with this method", f"Allow: {', '.join(methods)}\r\n")
        if request.method == "OPTIONS":
            return functools.partial(self.respond, status=204, lines=f"Allow: {', '.join(methods)}\r\n")
        return handler

    def call(self, function, request):
        """Make a Reply of what a route returns."""
        theirs = copy.copy(request)                # it may do what it likes with it: parse keeps the other one for all
        theirs.headers = dict(request.headers)
        try:
            result, status = function(theirs), 200
        finally:
            self.ready.clear()                     # it may have changed a file
        if isinstance(result, tuple):
            status, result = result
        if status not in PHRASES or status < 200:
            raise ValueError(f"{status} is not the status of an answer")
        status = int(status)                       # of 404.0
        if isinstance(result, (dict, list)):
            kind, body = "application/json", json.dumps(result).encode()
        elif isinstance(result, str):
            kind, body = "text/plain; charset=utf-8", result.encode()
        else:
            kind, body = "application/octet-stream", bytes(memoryview(result))
        if status == 205:                          # Reset Content: there is none
            body = b""
        return self.respond(request, status, f"Content-Type: {kind}\r\nCache-Control: no-store\r\n", body)

    def file_reply(self, request):
        """Make a Reply of a file, of a part of it, or of the fact that it has not changed."""
        file = self.site.find(request.path, request.query_string, self.now)
        status, lines, body = 200, file.lines, file.body
        if not request.is_plain:
            status = condition(request.headers, file)
            if status == 412:
                raise Refusal(412, "It is not as you think")
            if status == 200 and request.method == "GET" and (found := byte_range(request.headers, file)):
                start, end = found
                status, body = 206, body[start:end]
                lines += f"Content-Range: bytes {start}-{end - 1}/{len(file.body)}\r\n"
        reply = self.respond(request, status, lines, body)
        if request.is_plain and not reply.large:
            self.ready[request.path] = reply
        return reply

    def refuse(self, refusal, request):
        text = f"{refusal.status} {PHRASES[refusal.status]}\n{refusal.text}\n".encode()
        return self.respond(request, refusal.status, f"Content-Type: text/plain; charset=utf-8\r\n{refusal.lines}", text)

    def respond(self, request, status, lines, body=b""):
        """Make a Reply. lines: further lines of its head."""
        if status in (204, 304):                   # which have no body, not even an empty one
            body = b""
        else:
            lines += f"Content-Length: {len(body)}\r\n"
        if not request.keep_alive:
            lines += "Connection: close\r\n"
        elif not request.minor:                    # HTTP/1.0 does not stay connected by itself
            lines += "Connection: keep-alive\r\n"
        head = f"HTTP/1.1 {status} {PHRASES[status]}\r\n{self.common}{lines}\r\n".encode("latin-1")
        if request.method == "HEAD":
            body = b""
        data, large = (head + body, None) if isinstance(body, bytes) else (head, body)
        is_last = bool(large) or len(body) > LIMIT or not request.keep_alive or request.path in self.routes
        return Reply(data, large, request.keep_alive, status, len(body), is_last)


def is_under_way(fd):
    """Whether something that we have sent has not arrived yet (SIOCOUTQ, man 7 tcp)."""
    return any(fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4)))


def report():
    """Tell of a mistake, if there is somebody to read it."""
    with contextlib.suppress(OSError):
        traceback.print_exc()


@functools.lru_cache(maxsize=512)
def log_entry(line, status, size):
    """What the log says about a request, in the common log format, behind the client and the time."""
    line = re.sub(r'[^ !#-\[\]-~]', lambda found: f"\\x{ord(found[0]):02x}", line)
    return f'"{line}" {status} {size or "-"}\n'


# The command

def main():
    parser = argparse.ArgumentParser(description="Serve a directory over HTTP.")
    parser.add_argument("port", nargs="?", type=int, default=8000, help="0 for a free one (default: 8000)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1", help="address to bind (default: 127.0.0.1)")
    parser.add_argument("-d", "--directory", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "site"),
                        help="what to serve (default: site, beside this script)")
    parser.add_argument("-w", "--workers", metavar="N", type=int, default=1, help=f"processes, 1 to {WORKERS} (default: 1)")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=30,
                        help="for a request to come, of silence, and for a client that does not read (default: 30)")
    parser.add_argument("--quiet", action="store_true", help="no line on stderr for each request")
    args = parser.parse_args()
    if args.workers not in range(1, WORKERS + 1) or not 0.01 <= args.timeout <= 86400:
        parser.error(f"--workers is from 1 to {WORKERS}, --timeout from 0.01 to 86400")
    try:
        server = HTTPServer((args.bind, args.port), args.directory, args.timeout, not args.quiet)
    except (OSError, OverflowError, UnicodeError) as error:            # in use; no such port, address, directory
        parser.exit(2, f"{parser.prog}: {error}\n")

    @server.route("/api/status")
    def status(request):
        return server.status()

    # As many connections as the machine allows; the limit to begin with is made for select (day 11).
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)                  # with several workers, they come when we wait for them

    def stop(signum, frame):
        signal.set_wakeup_fd(-1)                   # once is enough
        server.shutdown()

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)
    # Python calls stop() between two steps: just before epoll.poll() waits, it would come too late. But this rings at once.
    signal.set_wakeup_fd(server.rope.fileno(), warn_on_full_buffer=False)
    if args.workers == 1:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    host, port = server.address
    print(f"listening on {f'[{host}]' if ':' in host else host}:{port}", flush=True)
    supervise(server, args.workers) if args.workers > 1 else server.serve_forever()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)                  # a second Ctrl-C does not disturb the interpreter's end


def supervise(server, workers):
    """Keep so many workers alive until SIGINT or SIGTERM. SIGNALS are blocked here: they come when we wait for them."""
    numbers = {}                                   # PID -> number of the worker
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if it was ignored when we were started, it would not come
    while True:
        for number in {*range(workers)} - {*numbers.values()}:
            with contextlib.suppress(OSError):     # no process is to be had now (EAGAIN): try again below
                numbers[fork_worker(server, number)] = number
        if len(numbers) == workers and signal.sigwait(SIGNALS) != signal.SIGCHLD:
            break
        reap(numbers)
        if signal.sigtimedwait(SIGNALS - {signal.SIGCHLD}, 0.1):       # not at once: who cannot live would keep us busy
            break
    server.shutdown()
    while numbers and signal.sigtimedwait({signal.SIGCHLD}, GRACE):
        reap(numbers)
    for pid in numbers:                            # a route that does not return
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    server.close()


def fork_worker(server, number):
    """Fork a worker and return its PID."""
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    try:
        # If our parent is killed, nobody holds the rope any more, and the bell rings. So we must not hold it either.
        signal.set_wakeup_fd(-1)
        server.rope.close()
        server.shutdown = lambda: os.getppid() == parent and os.kill(parent, signal.SIGTERM)       # it tells all of us
        signal.signal(signal.SIGINT, signal.SIG_IGN)                   # Ctrl-C reaches us too, but our parent will ring
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        server.serve_forever(number)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)                                # never return into the parent's loop


def reap(numbers):
    """Forget the workers that have ended."""
    while numbers and (pid := os.waitpid(-1, os.WNOHANG)[0]):
        numbers.pop(pid, None)


if __name__ == "__main__":
    main()
