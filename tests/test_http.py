"""The HTTP server: what browsers and hostile clients get from it, what nobody gets, and what it costs the others.

Most tests share one server. A witness is connected all the while and gets its answers all the while; after each test the
server has the same descriptors and threads as before, and has said nothing on stderr.
"""
import contextlib
import email.utils
import itertools
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.parse

import harness
import pytest
from harness import ROOT, TIMEOUT, Program, Wire, assert_idle, flooding, has_ipv6, ready, receive, reset, run, serve, wait_until

SERVER = "day12/http_server.py"
SITE = ROOT / "day12/site"
LARGE = random.Random(1).randbytes(300_001)        # more than is kept in memory, and no whole number of pages or pieces
SMALL = random.Random(2).randbytes(1000)
MEDIUM = random.Random(3).randbytes(60_000)        # kept in memory, and sent with one send
HUGE = 64 << 20                                    # more than all buffers on the way
FILES = {"index.html": b"<p>home</p>\n", "small.bin": SMALL, "medium.bin": MEDIUM, "large.bin": LARGE, "empty.txt": b"",
         "a b%41.txt": b"percent\n",
         "\u4e2d\u6587 \u6587\u4ef6.txt": "\u4f60\u597d\n".encode(), "folder/index.html": b"<p>folder</p>\n",
         "folder/style.css": b"p {}\n",
         "bare/x.js": b"0;\n", ".hidden": b"no\n", ".dots/x": b"no\n", "x.tar.gz": b"\x1f\x8b", "noext": b"?",
         "[x.css": b"p {}\n"}


# The server and its folder

@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with started(tmp_path_factory.mktemp("http")) as server:
        wait_until(lambda: get(server, "/x.tar.gz")["etag"].startswith('"'), lambda: "the files never get old enough to be kept")
        yield server


@contextlib.contextmanager
def started(tmp_path, *args, script=SERVER, **options):
    """A server of a folder with FILES in it, and with a secret beside it."""
    root = tmp_path / "root"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (tmp_path / "secret").write_bytes(b"secret")
    with serve(script, "-d", root, *args, *([] if "--log" in args else ["--quiet"]), **options) as server:
        server.root = root
        without = sockets(server)
        get(server, "/")                           # what it makes for its first client and keeps is no leak
        wait_until(lambda: sockets(server) == without, lambda: "the first client is still connected")
        server.before = state(server)
        yield server


@pytest.fixture
def server(shared):
    with Client(shared) as witness:
        assert witness.get("/").body == FILES["index.html"]
        yield shared
        assert witness.get("/").body == FILES["index.html"]
        assert get(shared, "/").body == FILES["index.html"]
    wait_until(lambda: state(shared) == shared.before, lambda: f"it was {shared.before}, it is {state(shared)}")


def sockets(server):
    return sum(what.startswith("socket:") for what in server.descriptors().values())


def state(server):
    return server.descriptors(), server.threads()


def connections(server):
    """As the server counts them: the one that asks included."""
    return sum(worker["connections"] for worker in json.loads(get(server, "/api/status").body)["workers"])


# A client that says exactly what a test wants it to say

class Answer:
    """status, headers (lists by name in lower case), body."""

    def __init__(self, head):
        line, *lines = head.decode("latin-1").split("\r\n")
        assert re.fullmatch(r"HTTP/1\.1 \d{3} [A-Z][\w' -]+", line), line
        self.status = int(line.split()[1])
        self.headers, self.body = {}, b""
        for line in lines:
            name, value = re.fullmatch(r"([\w-]+): (.+)", line).groups()
            self.headers.setdefault(name.lower(), []).append(value)
        assert all(len(values) == 1 for values in self.headers.values()), self.headers
        if self.status >= 200:
            assert abs(email.utils.parsedate_to_datetime(self["date"]).timestamp() - time.time()) < TIMEOUT

    def __getitem__(self, name):
        return self.headers[name][0] if name in self.headers else None


class Client(Wire):
    def __init__(self, server, **options):
        super().__init__(socket.AF_INET6 if ":" in server.host else socket.AF_INET, socket.SOCK_STREAM, name="client")
        for name, value in options.items():
            self.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connect((server.host, server.port))
        self.received = b""

    def answer(self, method="GET"):
        """The next answer. Raises EOFError if there is none."""
        while b"\r\n\r\n" not in self.received:
            self.more()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        answer = Answer(head)
        if method != "HEAD" and answer.status not in (100, 204, 304):
            length = int(answer["content-length"])
            while len(self.received) < length:
                self.more()
            answer.body, self.received = self.received[:length], self.received[length:]
        return answer

    def more(self):
        data = self.recv(1 << 20)
        if not data:
            raise EOFError("the server has closed the connection")
        self.received += data

    def get(self, target, *fields, method="GET", body=b""):
        self.sendall(request(target, *fields, method=method, body=body))
        return self.answer(method)

    def is_closed(self):
        """Wait for the end of the connection; nothing may come before it."""
        assert self.received == b""
        return self.recv(1) == b""


def request(target, *fields, method="GET", version="HTTP/1.1", body=b""):
    fields = ["Host: x", *fields, *([f"Content-Length: {len(body)}"] if body else [])]
    head = f"{method} {target} {version}\r\n".encode() + "".join(f"{field}\r\n" for field in fields).encode("latin-1")
    return head + b"\r\n" + body


def get(server, target, *fields, **options):
    """The answer on a connection of its own."""
    with Client(server) as client:
        return client.get(target, *fields, **options)


# Files

@pytest.mark.parametrize("target, name, kind", [
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/index.html?x=1", "index.html", "text/html; charset=utf-8"),
    ("http://x:80/index.html", "index.html", "text/html; charset=utf-8"),
    ("http://x", "index.html", "text/html; charset=utf-8"),
    ("http://x?/y", "index.html", "text/html; charset=utf-8"),
    ("/small.bin", "small.bin", "application/octet-stream"),
    ("/large.bin", "large.bin", "application/octet-stream"),
    ("/empty.txt", "empty.txt", "text/plain; charset=utf-8"),
    ("/a%20b%2541.txt", "a b%41.txt", "text/plain; charset=utf-8"),
    ("/%E4%B8%AD%E6%96%87%20%E6%96%87%E4%BB%B6.txt", "\u4e2d\u6587 \u6587\u4ef6.txt", "text/plain; charset=utf-8"),
    ("/\u4e2d\u6587%20\u6587\u4ef6.txt", "\u4e2d\u6587 \u6587\u4ef6.txt", "text/plain; charset=utf-8"),
    ("/folder/", "folder/index.html", "text/html; charset=utf-8"),
    ("/folder/style.css", "folder/style.css", "text/css; charset=utf-8"),
    ("//folder//style.css", "folder/style.css", "text/css; charset=utf-8"),
    ("/bare/x.js", "bare/x.js", "(application|text)/javascript; charset=utf-8"),
    ("/x.tar.gz", "x.tar.gz", "application/gzip"),
    ("/noext", "noext", "application/octet-stream"),
    ("//[x.css", "[x.css", "text/css; charset=utf-8"),
])
def test_files(server, target, name, kind):
    with Client(server) as client:
        answer = client.get(target)
        assert (answer.status, answer.body) == (200, FILES[name])
        assert re.fullmatch(kind, answer["content-type"])
        assert answer["accept-ranges"] == "bytes" and answer["connection"] is None
        modified = email.utils.parsedate_to_datetime(answer["last-modified"]).timestamp()
        assert modified == int((server.root / name).stat().st_mtime)
        head = client.get(target, method="HEAD")   # what GET says, without the body
        assert {**head.headers, "date": 0} == {**answer.headers, "date": 0} and head.status == 200
        assert client.get("/small.bin").body == SMALL                  # and nothing else was under way


@pytest.mark.parametrize("target", [
    "/none", "/none/", "/index.html/", "/small.bin/x", "/bare/", "/.hidden", "/.dots/x", "/folder/../index.html", "/folder/.",
    "/..",
    "/../secret", "/%2e%2e/secret", "/%2E%2E%2Fsecret", "/..%2fsecret", "/folder/..%2f..%2fsecret", "/..\\secret",
    "/%5c..%5csecret",
    "//../secret", "/folder/%2e%2e/%2e%2e/secret", "/" + "x" * 300, "/" + "x/" * 3000, "/etc/passwd", "//etc/passwd",
    "/%2fetc%2fpasswd",
    "http://x/../secret", "file:/etc/passwd", "/fifo", "/device", "/out", "/out-folder", "/out-folder/", "/out-folder/secret",
    "/dangling", "/loop", "/to-hidden",
    "/%ff%fe", "/socket",
])
def test_nothing_else(server, target):
    with odd_files(server.root), Client(server) as client:
        for method in "GET", "HEAD":
            answer = client.get(target, method=method)
            assert answer.status == (400 if target.startswith("file:") else 404)
            assert b"secret" not in answer.body and b"root:" not in answer.body
            if answer.status == 400:
                break


@contextlib.contextmanager
def odd_files(root):
    os.mkfifo(root / "fifo")
    links = {"device": "/dev/zero", "out": "../secret", "out-folder": "..", "dangling": "nowhere", "loop": "loop",
             "to-hidden": ".hidden", "in": "small.bin", "in-folder": "folder", "self": "."}
    (root / "out-folderindex.html").write_bytes(b"not this one")
    for name, target in links.items():
        (root / name).symlink_to(target)
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            here = os.getcwd()
            os.chdir(root)                         # the path of such a socket must be short
            listener.bind("socket")
            os.chdir(here)
            yield
        finally:
            for name in ("fifo", "socket", "out-folderindex.html", *links):
                (root / name).unlink()


def test_links_that_stay_inside(server):
    with odd_files(server.root):
        assert get(server, "/in").body == SMALL
        assert get(server, "/in-folder/style.css").body == b"p {}\n"
        assert get(server, "/self")["location"] == "/self/" and get(server, "/self/").status == 200


def test_a_link_that_is_turned_around_while_clients_ask(server):
    """Whatever the moment: what is served is the one file or nothing, and never the other."""
    link, stop = server.root / "turning", threading.Event()

    def turn():
        for number in itertools.count():
            if stop.is_set():
                return
            (server.root / "next").symlink_to("../secret" if number % 2 else "small.bin")
            os.rename(server.root / "next", link)
    link.symlink_to("small.bin")
    thread = threading.Thread(target=turn)
    thread.start()
    try:
        with Client(server) as client:
            answers = [client.get("/turning") for _ in range(2000)]
    finally:
        stop.set()
        thread.join()
        link.unlink()
    assert {(answer.status, answer.body == SMALL) for answer in answers} == {(200, True), (404, False)}
    assert not any(b"secret" in answer.body for answer in answers)


@pytest.mark.parametrize("target, location", [
    ("/folder", "/folder/"), ("/folder?a=1&b", "/folder/?a=1&b"), ("//folder", "/folder/"), ("///folder", "/folder/"),
    ("/%66older", "/folder/"), ("/sp%20ace", "/sp%20ace/"), ("/%2ffolder", "/folder/"), ("http://x/folder", "/folder/"),
])
def test_a_folder_without_its_slash(server, target, location):
    """Never `//folder/`, which would be another host."""
    (server.root / "sp ace").mkdir()
    try:
        answer = get(server, target)
        assert (answer.status, answer["location"]) == (301, location)
    finally:
        (server.root / "sp ace").rmdir()


def test_a_folder_called_index_html(server):
    (server.root / "strange" / "index.html").mkdir(parents=True)
    try:
        assert get(server, "/strange/").status == 404
    finally:
        shutil.rmtree(server.root / "strange")


def test_two_who_are_sent_on_in_the_same_turn_keep_their_own_query(server):
    with Client(server) as client:
        client.sendall(request("/folder?mine") + request("/folder?yours"))
        assert [client.answer()["location"] for _ in range(2)] == ["/folder/?mine", "/folder/?yours"]


NOBODY = """
import os, sys
sys.path.insert(0, {folder!r})
from http_server import HTTPServer
server = HTTPServer(("127.0.0.1", 0), directory={root!r}, log=False)
if os.geteuid() == 0:
    os.setuid(65534)
print("listening on {{}}:{{}}".format(*server.address), flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
"""


def test_a_file_that_the_server_may_not_read():
    """Root may read everything, so then it becomes somebody else first; the folder must let him in."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name, mode in ("open", 0o644), ("locked", 0):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(b"x")
            os.chmod(path, mode)
        with Program(sys.executable, "-c", NOBODY.format(folder=str(ROOT / "day12"), root=folder)) as server:
            ready(server)
            assert get(server, "/open").body == b"x"
            assert get(server, "/locked").status == 404
            server.interrupt()
            server.finish()


# Files that change

def test_a_changed_file_is_never_served_as_it_was(server):
    path = server.root / "changing"
    with Client(server) as client, open(path, "wb") as file:
        for number in range(300):                  # of the same size, and often in the same tick of the clock
            os.pwrite(file.fileno(), b"%5d" % number, 0)
            assert client.get("/changing").body == b"%5d" % number
        os.utime(path, (1, 1))                     # an old one, so that it could be kept: but not for a second or so
        assert client.get("/changing")["last-modified"] == "Thu, 01 Jan 1970 00:00:01 GMT"
        os.pwrite(file.fileno(), b"after", 0)
        os.utime(path, (1, 1))
        assert client.get("/changing").body == b"after"
    path.unlink()
    assert get(server, "/changing").status == 404


def test_a_kept_file_that_changes_is_replaced_removed_or_becomes_something_else(server):
    path, other = server.root / "kept", server.root / "other"
    path.write_bytes(b"first")
    wait_until(lambda: not get(server, "/kept")["etag"].startswith("W/"), lambda: "it is never kept")
    with Client(server) as client:
        tag, found = client.get("/kept")["etag"], path.stat()
        path.write_bytes(b"other")                 # with the same size, inode and time
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
        answer = client.get("/kept", f"If-None-Match: {tag}")
        assert (answer.status, answer.body) == (200, b"other")
        other.write_bytes(b"again")                # with the same size and time
        os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
        os.rename(other, path)
        answer = client.get("/kept")
        assert answer.body == b"again" and answer["etag"] != tag
        path.write_bytes(b"longer than before")
        assert client.get("/kept").body == b"longer than before"
        path.unlink()
        assert client.get("/kept").status == 404
        path.mkdir()
        assert client.get("/kept").status == 301
        path.rmdir()


def test_a_kept_file_whose_folder_moves_away(server):
    """The file itself does not change, but within a second it is gone, as for a server that has just been started."""
    inside, outside = server.root / "moving", server.root.parent / "moved"
    inside.mkdir()
    (inside / "x").write_bytes(b"secret")
    (server.root / "way").symlink_to("moving")
    try:
        with Client(server) as client:
            wait_until(lambda: client.get("/way/x")["etag"].startswith('"'), lambda: "it is never kept")
            inside.rename(outside)
            (server.root / "way").unlink()
            (server.root / "way").symlink_to(outside)
            wait_until(lambda: client.get("/way/x").status == 404, lambda: "it is served for ever")
    finally:
        (server.root / "way").unlink()
        for folder in inside, outside:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def download(server, size=HUGE):
    """A download that has begun and is far from its end."""
    path = server.root / "huge"
    path.touch()
    os.truncate(path, size)
    try:
        with Client(server, SO_RCVBUF=65536) as client:
            client.sendall(request("/huge"))
            receive(client, 100_000)
            yield client, path
    finally:
        path.unlink(missing_ok=True)


def rest(client):
    """How many bytes come until the end of the connection, and whether all of them are zeros."""
    count, zeros = 0, True
    while data := socket.socket.recv(client, 1 << 20):
        count += len(data)
        zeros = zeros and not data.strip(b"\0")
    return count, zeros


@pytest.mark.parametrize("size", [0, 1, 4096, 5000, HUGE - 1, HUGE - 4097])
def test_a_file_that_shrinks_during_a_download(server, size):
    """The client sees that it is not complete: the connection ends early."""
    with download(server) as (client, path):
        os.truncate(path, size)
        assert rest(client)[0] < HUGE - 100_000


@pytest.mark.parametrize("what", ["removed", "replaced", "longer"])
def test_a_file_that_is_removed_or_replaced_or_grows_during_a_download(server, what):
    """The client gets the one that it has asked for."""
    with download(server) as (client, path):
        if what == "longer":
            os.truncate(path, HUGE + 10_000)
        else:
            path.unlink()
        if what == "replaced":
            path.write_bytes(b"x" * HUGE)
        client.shutdown(socket.SHUT_WR)
        head = 400                                 # bytes, about
        count, zeros = rest(client)
        assert zeros and HUGE - 100_000 <= count <= HUGE - 100_000 + head


# Ranges and conditions

@pytest.mark.parametrize("name", ["small.bin", "large.bin"])
def test_ranges_byte_for_byte(server, name):
    data, order = FILES[name], random.Random(3)
    size = len(data)
    numbers = [0, 1, 2, size // 2, size - 2, size - 1, size, size + 1, 10 * size, *(order.randrange(size) for _ in range(10))]
    with Client(server) as client:
        for first, last in itertools.product(numbers, numbers):
            answer = client.get(f"/{name}", f"Range: bytes={first}-{last}")
            if first > last:                       # nonsense is ignored
                assert (answer.status, answer.body) == (200, data)
            elif first >= size:
                assert (answer.status, answer["content-range"]) == (416, f"bytes */{size}")
            else:
                assert (answer.status, answer.body) == (206, data[first:last + 1])
                assert answer["content-range"] == f"bytes {first}-{min(last, size - 1)}/{size}"
        for number in numbers:
            answer = client.get(f"/{name}", f"Range: bytes={number}-")
            assert (answer.status, answer.body) == ((206, data[number:]) if number < size else (416, answer.body))
            answer = client.get(f"/{name}", f"Range: bytes=-{number}")
            assert (answer.status, answer.body) == ((206, data[-number:]) if number else (416, answer.body))


@pytest.mark.parametrize("value", ["bytes=0-1,3-4", "bytes=-", "bytes=", "bytes=a-b", "lines=0-1", "bytes 0-1", "bytes=0-1x",
                                   "bytes=--1",
                                   "bytes=1-0", "bytes=\xb2-", "bytes=0" + "0" * 200 + "-1"])
def test_ranges_that_are_ignored(server, value):
    answer = get(server, "/small.bin", f"Range: {value}")
    assert (answer.status, answer.body) == (200, SMALL)


def test_ranges_of_an_empty_file_and_with_head(server):
    for value in "bytes=0-", "bytes=-1", "bytes=0-0":
        assert get(server, "/empty.txt", f"Range: {value}")["content-range"] == "bytes */0"
    answer = get(server, "/small.bin", "Range: bytes=0-1", method="HEAD")
    assert (answer.status, answer["content-length"]) == (200, "1000")
    assert get(server, "/small.bin", "range: BYTES= 0-1").body == SMALL[:2]


OLD, NEW = "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize("fields, status", [
    (["If-None-Match: {tag}"], 304), (["If-None-Match: W/{tag}"], 304), (["If-None-Match: *"], 304),
    (['If-None-Match: "x", {tag}'], 304), (['If-None-Match: "x"', "If-None-Match: {tag}"], 304), (['If-None-Match: "x"'], 200),
    (["If-Modified-Since: {date}"], 304), ([f"If-Modified-Since: {NEW}"], 304), ([f"If-Modified-Since: {OLD}"], 200),
    (["If-Modified-Since: yesterday"], 200), (['If-None-Match: "x"', f"If-Modified-Since: {NEW}"], 200),
    (["If-Match: {tag}"], 200), (["If-Match: *"], 200), (['If-Match: "x"'], 412), (["If-Match: W/{tag}"], 412),
    ([f"If-Unmodified-Since: {OLD}"], 412), (["If-Unmodified-Since: {date}"], 200), (["If-Unmodified-Since: 1"], 200),
    (["If-Match: {tag}", f"If-Unmodified-Since: {OLD}"], 200), (["If-Match: {tag}", "If-None-Match: {tag}"], 304),
    (['If-Match: "x"', "If-None-Match: {tag}"], 412),
    (["Range: bytes=0-1", "If-Range: {tag}"], 206), (["Range: bytes=0-1", "If-Range: {date}"], 200),
    (["Range: bytes=0-1", 'If-Range: "x"'], 200), (["Range: bytes=0-1", "If-Range: W/{tag}"], 200),
    (["Range: bytes=0-1", f"If-Range: {OLD}"], 200), (["Range: bytes=0-1", "If-None-Match: {tag}"], 304),
    (["Range: bytes=0-1", 'If-Match: "x"'], 412), (["If-Modified-Since: Thu, 99 Foo 1970 00:00:00 GMT"], 200),
    (["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], 200), (["If-Modified-Since: Sun Nov  6 08:49:37 1994"], 200),
])
def test_conditions(server, fields, status):
    with Client(server) as client:
        plain = client.get("/small.bin")
        assert re.fullmatch('"[^"]+"', plain["etag"])
        fields = [field.format(tag=plain["etag"], date=plain["last-modified"]) for field in fields]
        answer = client.get("/small.bin", *fields)
        assert answer.status == status
        if status != 412:
            assert (answer["etag"], answer["last-modified"]) == (plain["etag"], plain["last-modified"])
        if status == 304:
            assert answer["content-length"] is None and answer.body == b""
        head = client.get("/small.bin", *fields, method="HEAD")
        assert head.status == (200 if status == 206 else status)
        assert client.get("/small.bin", "Connection: keep-alive").body == SMALL


def test_a_file_of_this_second_has_a_weak_tag_and_whole_or_plain_ranges(server):
    path = server.root / "new"
    path.write_bytes(b"12345")
    with Client(server) as client:
        answer = client.get("/new")
        if answer["etag"].startswith("W/"):        # unless a second has passed already
            assert client.get("/new", "Range: bytes=1-2").body == b"23"
            assert client.get("/new", "Range: bytes=1-2", f"If-Range: {answer['etag']}").body == b"12345"
            assert client.get("/new", f"If-None-Match: {answer['etag']}").status == 304
    path.unlink()


# Methods and versions

@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "PATCH"])
def test_methods_that_files_do_not_have(server, method):
    with Client(server) as client:
        answer = client.get("/", method=method)
        assert (answer.status, answer["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert client.get("/").status == 200       # no body, so it is clear where the next request begins
        answer = client.get("/", method=method, body=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (answer.status, answer["connection"]) == (405, "close")
        assert client.is_closed()                  # the body is not taken for a request


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


# What is refused

def malformed():
    """256 requests and more that are wrong in one way, each with the status it deserves."""
    ok = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    for byte in (*range(9), 11, 12, *range(14, 32), 127):              # all control characters but HT, LF, CR
        char = bytes([byte])
        yield ok.replace(b"Host: x", b"Host: x\r\nA: b" + char + b"c"), 400
        yield ok.replace(b"Host: x", b"Host: x\r\nA" + char + b"b: c"), 400
        yield ok.replace(b"GET /", b"GET /a" + char + b"b"), 400
        yield ok.replace(b"GET", b"G" + char + b"T"), 400
    for char in b'"(),/:;<=>?@[\\]{} \t\xe9':
        if char != ord(":"):
            yield ok.replace(b"Host: x", b"Host: x\r\nA" + bytes([char]) + b"b: c"), 400
    for char in b'"(),/:;<=>?@[\\]{}\t\xe9':
        yield ok.replace(b"GET", b"G" + bytes([char]) + b"T"), 400
    for line in [b"GET /", b"GET / ", b"GET  / HTTP/1.1", b" GET / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET / HTTP/1.1 x",
                 b"GET /a b HTTP/1.1",
                 b"GET / HTTP/1", b"GET / HTTP/1.", b"GET / HTTP/.1", b"GET / HTTP/11.1", b"GET / HTTP/1.10", b"GET / http/1.1",
                 b"GET / HTP/1.1", b"GET / FTP/1.1", b"GET / HTTP/a.b", b"GET / HTTP/1,1", b"GET / HTTP /1.1", b"GET", b"/",
                 b"GET\t/\tHTTP/1.1",
                 b"GET /#x HTTP/1.1", b"GET index.html HTTP/1.1", b"GET * HTTP/1.1", b"GET http:// HTTP/1.1",
                 b"GET http:///x HTTP/1.1",
                 b"GET ftp://x/ HTTP/1.1", b"GET http://a@b c/ HTTP/1.1", b"GET x:80 HTTP/1.1", b"GET /% HTTP/1.1",
                 b"GET /%z0 HTTP/1.1",
                 b"GET /%4 HTTP/1.1", b"GET /%00 HTTP/1.1", b"GET /a%00.html HTTP/1.1", b"GET ?x HTTP/1.1",
                 b"OPTIONS ** HTTP/1.1",
                 b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\r", b"\r\n\r\nGET / HTTP/1.1", b"\nGET / HTTP/1.1",
                 "GET / HTTP/1.1\u00b2".encode(),
                 "GET / HTTP/\u00b9.1".encode("latin-1"), "GET / HTTP/\u0661.1".encode()]:
        yield line + b"\r\nHost: x\r\n\r\n", 400
    for line in [b"GET / HTTP/0.9", b"GET / HTTP/2.0", b"GET / HTTP/3.0", b"GET / HTTP/9.9", b"PRI * HTTP/2.0"]:
        yield line + b"\r\nHost: x\r\n\r\n", 505
    for method in [b"FOO", b"get", b"Get", b"GETT", b"PROPFIND", b"M-SEARCH", b"!"]:
        yield ok.replace(b"GET", method), 501
    yield b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 405
    yield b"GET / HTTP/1.1\r\n\r\n", 400           # no Host
    yield b"GET / HTTP/1.1\r\nA: b\r\n\r\n", 400
    for host in [b"a b", b"a/b", b"a,b", b"a\r\nHost: a", b"a\r\nhost: b", b"a:b", b"a:1:2", b"a@b", b"<a>", b"[::1", b"[x]",
                 b'"a"', b"a#b",
                 b"a?b", b"\xe9", b"a\r\n Host: b"]:
        if host != b"a,b":
            yield b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", 400
    for field in [b"A : b", b" A: b", b"\tA: b", b"A", b": b", b"A b", b"A: b\r\n c: d", b"A: b\r\n\tc", b"A: b\nC: d",
                  b"A: b\rC: d",
                  b"A: b\r\r", b"A\r\n: b", b"=", b"Content-Length: 1\r\n Transfer-Encoding: chunked", b"A:\x0bb"]:
        yield ok.replace(b"Host: x", b"Host: x\r\n" + field), 400
        yield ok.replace(b"Host: x", field + b"\r\nHost: x"), 400
    for length in [b"", b"+1", b"-1", b"1 2", b"1,1", b"1, 1", b"0x1", b"1e1", b"1.0", b"one", b"1;", b"\xb2", "\u0661".encode(),
                   b"1\r\nContent-Length: 1",
                   b"1\r\nContent-Length: 2", b"0\r\nContent-Length: 0", b'"1"', b"1_0"]:
        yield b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\nx", 400
    for length in [b"1048577", b"9" * 18, b"9" * 19, b"9" * 5000, b"18446744073709551617"]:
        yield b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\nx", 413
    for coding in [b"gzip", b"identity", b"gzip, chunked", b"chunked, chunked", b"chunked, gzip", b"xchunked", b"chunkedx",
                   b"chunked;x", b"",
                   b"chunked\r\nTransfer-Encoding: chunked", b"chunked\r\nTransfer-Encoding: identity", b'"chunked"',
                   b",chunked"]:
        yield b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n", 501
    for fields in [b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"Content-Length: 5\r\nTransfer-Encoding: chunked",
                   b"Content-Length: 5\r\ntransfer-encoding: CHUNKED", b"Content-Length: 0\r\nTransfer-Encoding: identity",
                   b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding : chunked", b"Transfer\x00-Encoding: chunked"]:
        yield b"GET / HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n\r\n0\r\n\r\n", 400
    yield b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400
    for chunks in [b"x\r\n", b"-1\r\n", b"+1\r\nx\r\n", b" 1\r\nx\r\n", b"0x1\r\nx\r\n", b"1\nx\r\n0\r\n\r\n", b"\r\n",
                   b"1;\x01\r\nx\r\n0\r\n\r\n",
                   b"1\r\nxx\r\n0\r\n\r\n", b"1\r\nx\n0\r\n\r\n\r\n", b"1\r\nxAB0\r\n\r\n", b"1\r\nx\n\n0\r\n\r\n",
                   b"123456789\r\n", b"1 x\r\nx\r\n", b"1 \r\nx\r\n", b"0\r\nA b\r\n\r\n", b"0\r\n A: b\r\n\r\n",
                   b"1;" + b"x" * 9000,
                   b"1;" + b"x" * 9000 + b"\r\nx\r\n0\r\n\r\n", b"0\r\nA: \x01\r\n\r\n", b"2\r\nx\r\n0\r\n\r\n"]:
        yield b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 400
    for chunks in [b"100001\r\n", b"ffffffff\r\n", b"1\r\nx\r\n100000\r\n"]:
        yield b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 413
    yield b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 101, 431
    for expect in [b"200-ok", b"100-continue, x", b"101-continue", b"x"]:
        yield ok.replace(b"Host: x", b"Host: x\r\nExpect: " + expect), 417
    yield b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414
    yield b"GET /" + b"x" * 9000, 414              # without waiting for the rest
    yield b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414
    yield b"G" * 9000, 414
    yield b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 17000, 431
    yield b"GET / HTTP/1.1\r\nHost: x\r\n" + (b"A: " + b"x" * 6000 + b"\r\n") * 3 + b"\r\n", 431
    yield b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100 + b"\r\n", 431
    yield b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n", 431
    yield b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % number for number in range(10_000)), 431
    yield b"GET / HTTP/1.0\n\n", 400               # what somebody types who does not know of CR LF
    yield b"GET / HTTP/1.1\nHost: x\n\n", 400
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400        # TLS: https:// to a port of http://
    yield b"\0", 400
    yield b"\xff\xfb\x1f", 400                     # telnet
    yield b"{}", 400


def test_malformed_requests(server):
    """Each gets its refusal, once, and nothing after it is taken for a request; the next client is served."""
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
                    else:                          # the request was understood, and so is the next one
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
    assert count() == before + 7                   # with that of count()


def test_a_refusal_knows_the_whole_request_line_however_it_came(server):
    """HEAD has no body, neither in pieces nor behind an empty line."""
    for first, second, status in [(b"H", b"EAD / HTTP/1.1\r\nA: " + b"x" * 20000, 431),
                                  (b"", b"\r\nHEAD / HTTP/1.1\r\n\r\n", 400)]:
        with Client(server) as client, Client(server) as other:
            client.sendall(first)
            assert other.get("/").status == 200    # so the server has had a turn with that
            client.sendall(second)
            assert client.answer("HEAD").status == status
            assert client.is_closed()


def test_limits_are_as_they_say(server):
    with Client(server) as client:
        assert client.get("/?" + "x" * 8000).status == 200
        assert client.get("/", *[f"A{number}: b" for number in range(99)]).status == 200
        assert client.get("/", "A: " + "x" * 16000).status == 200
        assert client.get("/", body=bytes(1 << 20)).status == 200
        client.sendall(b"\r\n" + request("/small.bin"))                # an empty line in front is forgiven
        assert client.answer().body == SMALL


def test_limits_of_lines_do_not_depend_on_where_they_are_cut(server):
    """As long as they may be, and the first packet ends between CR and LF."""
    line, chunk = b"GET /?" + b"x" * 8175 + b" HTTP/1.1", b"5;" + b"x" * 8188
    assert len(line) == len(chunk) == 8190
    with Client(server) as client, Client(server) as other:
        for before, after in [(line, b"Host: x\r\n\r\n"), (b"\r\n" + line, b"Host: x\r\n\r\n"),
                              (request("/", "Transfer-Encoding: chunked") + chunk, b"hello\r\n0\r\n\r\n")]:
            client.sendall(before + b"\r")
            assert other.get("/").status == 200    # so the server has had a turn with that
            client.sendall(b"\n" + after)
            assert client.answer().status == 200


# Requests in pieces, and many at once

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
            assert other.get("/").status == 200    # so the server has received the first part by itself
            client.sendall(data[cut:])
            assert [client.answer().body for _ in range(2)] == [SMALL, FILES["index.html"]]


def test_pipelining(server):
    """Answers come in the order of the requests, whatever they are."""
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


def test_expect_100_continue(server):
    with Client(server) as client:
        client.sendall(request("/", "Expect: 100-continue", "Content-Length: 4"))
        assert client.answer().status == 100
        client.sendall(b"body")
        assert client.answer().status == 200
        client.sendall(request("/", "Expect: 100-Continue", body=b"body"))         # it did not wait, so it is not told
        assert client.answer().status == 200
        assert client.get("/", "Expect: 100-continue").status == 200               # there is no body to come
        client.sendall(request("/", "Expect: 100-continue", "Content-Length: 4", method="POST"))
        assert client.answer().status == 405       # instead of being told to go on
        assert client.is_closed()
    with Client(server) as client:                 # HTTP/1.0 does not know of it
        client.sendall(b"GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert get(server, "/").status == 200      # so the server has seen the head by itself
        client.sendall(b"body")
        assert client.answer().status == 200


# Clients that do harm

def test_half_closed(server):
    """It has said all, and gets all; also what takes long."""
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
    """To close a connection with something unread would reset it."""
    for name in "medium.bin", "large.bin":
        for more in b"", b"\r\n", request("/"):
            with Client(server, SO_RCVBUF=4096) as client, Client(server) as other:
                client.sendall(request(f"/{name}", "Connection: close"))
                client.more()
                client.sendall(more)
                assert other.get("/").status == 200                # so the server has had a turn with that
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
        assert_idle(server)                        # it waits until we read on
        for target in targets:
            answer = client.answer()
            assert answer.status == (404 if target == "/none" else 200)
            assert answer.body == FILES.get(target[1:] or "index.html", answer.body)
        sender.join()


def test_a_client_that_asks_one_by_one_and_reads_late_gets_everything(server):
    """So the server does not wait for room before it answers, and finds out when it sends."""
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
    with download(server) as (client, path):       # a close with bytes unread
        client.close()


def test_a_client_that_never_reads(server):
    before = server.memory()
    with download(server) as (client, path), Client(server, SO_RCVBUF=4096) as greedy:
        greedy.setblocking(False)
        many = request("/small.bin") * 1000
        while select.select([], [greedy], [], 0.2)[1]:                 # no event tells that a peer does not read
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
    """Also when the next request has begun, and when the client does not close."""
    def is_mapped():
        with open(f"/proc/{server.pid}/maps") as maps:
            return "large.bin" in maps.read()
    for data in request("/large.bin") + b"GET / HT", request("/large.bin", "Connection: close"):
        with Client(server) as client:
            client.sendall(data)
            assert client.answer().body == LARGE
            wait_until(lambda: not is_mapped(), lambda: "it is still mapped", timeout=TIMEOUT / 3)


def test_a_client_that_never_stops(server):
    """It asks for more and more, reads it all, and the others have their turn."""
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
    """One that is refused costs about as much as one that is not."""
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
    """Each in its own way: with 408 in the middle of a request, and without a word elsewhere."""
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
            assert rest(lazy)[0] < HUGE // 2       # what was in the buffers
        wait_until(lambda: connections(server) == 1, lambda: "somebody is still there")


def test_a_client_that_keeps_a_request_going_is_ended_all_the_same(tmp_path):
    with started(tmp_path, "--timeout", "1") as server, Client(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(10_000):                # a header line now and then
                client.sendall(b"A: b\r\n")
                if select.select([client], [], [], 0.1)[0]:
                    break
        assert client.answer().status == 408


def test_many_clients_leave_no_memory_behind(server):
    def visit(times):
        for number in range(times):
            with Client(server) as client:
                client.sendall(request("/small.bin") + request(f"/none{number}") + request("/large.bin") + b"GET")
                client.answer()
        return server.memory()
    before = visit(1000)                           # fills what is kept of requests
    assert visit(1000) - before < 1024, "KiB"


def test_ten_thousand_connections(tmp_path):
    many, spare = 10_000, 300
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < many + spare:
        pytest.skip(f"this machine allows a process {hard} descriptors")
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
    """Who comes then waits; who is there is served on, also with files; then it goes on."""
    with started(tmp_path) as server, contextlib.ExitStack() as stack:
        here = stack.enter_context(Client(server))
        wait_until(lambda: here.get("/small.bin")["etag"][0] == '"', lambda: "it is never kept")
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (max(server.descriptors()) + 1, limits[1]))
        waiting = [stack.enter_context(Client(server)) for _ in range(5)]
        for client in waiting:
            client.sendall(request("/small.bin"))
        for _ in range(20):
            assert here.get("/small.bin").body == SMALL                # it is kept
        assert here.get("/large.bin").status == 503
        assert not select.select(waiting, [], [], 0.3)[0]
        assert_idle(server)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
        for client in waiting:
            assert client.answer().body == SMALL
        assert here.get("/large.bin").body == LARGE


# Routes

ROUTES = """
import os, sys, threading, time
sys.path.insert(0, {folder!r})
from http import HTTPStatus
from http_server import HTTPServer, Refusal
port, *_ = sys.argv[1:]
server = HTTPServer(("127.0.0.1", int(port)), directory={root!r}, log=False)
results = dict(text="你好", bytes=b"\\0\\1", dict=dict(a=[1, "你"]), list=[1, None], empty="", created=(201, "made"),
               gone=(410, dict(why="old")), nothing=(204, "not sent"), none=None, number=5, odd=(299, "x"), low=(100, "x"),
               triple=(200, "a", "b"), reset=(205, "not sent"), real=(404.0, "x"), status=(HTTPStatus.GONE, "x"))
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
    """A program that uses the class as a module."""
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
        assert json.loads(client.get("/echo?a=小明").body)["query"] == {"a": "小明"}       # as curl sends it
        client.sendall(request("/echo", "Transfer-Encoding: Chunked", method="PUT")
                       + b"3\r\nabc\r\n000000000A\r\n0123456789\r\n00\r\n\r\n")
        assert json.loads(client.answer().body)["body"] == "abc0123456789"
        big = random.Random(6).randbytes(1 << 20)
        assert json.loads(client.get("/echo", method="PUT", body=big).body)["body"] == big.decode("latin-1")
        assert client.get("/echo", method="DELETE")["allow"] == "GET, POST, PUT, HEAD, OPTIONS"
        assert client.get("/echo", method="OPTIONS")["allow"] == "GET, POST, PUT, HEAD, OPTIONS"
        assert json.loads(client.get("/json", method="POST", body=b"[1, 2]").body) == {"sum": 3}
        for body in b"[1, 2", b"\xff", b"[" * 100_000:
            assert client.get("/json", method="POST", body=body).status == 400
        assert client.get("/json").status == 405
        assert json.loads(client.get("/same", method="POST", body=b'"\\ud800"').body) == ["\ud800"]
        assert client.get("/find", method="PROPFIND").body == b"found"
        for _ in range(3):                         # what a route does to a request does not reach the next one
            assert client.get("/spoil", "X: a").body == b"aspoilt"
            assert client.get("/spoil", "X: a", method="POST", body=b"x").body == b"aspoilt"


def test_a_mistake_in_a_route_is_a_500_and_a_traceback(routes):
    with serve(routes, stderr=r"(Traceback.*?\n\w+: [^\n]*\n)+") as server, Client(server) as client:
        for target in "/error", "/none", "/number", "/odd", "/low", "/triple", "/odd-refusal":
            answer = client.get(target)
            assert (answer.status, answer["connection"]) == (500, None)
            assert client.get("/text").status == 200
        assert client.get("/json", method="POST", body=b'["a"]').status == 500
        server.expect(r"ZeroDivisionError", stream="stderr")
    assert len(re.findall("^Traceback", server.stderr, re.MULTILINE)) == 9         # one of them is about two exceptions


def test_a_client_with_many_requests_for_a_slow_route_lets_others_in(routes):
    with serve(routes) as server, Client(server) as first, Client(server) as greedy, Client(server) as other:
        for client in greedy, other:
            assert client.get("/calls").status == 200
        first.sendall(request("/wait"))
        with open(routes.parent / "fifo", "w"):    # it waits there until both have sent
            greedy.sendall(request("/slow") * 300)
            other.sendall(request("/calls"))
        assert json.loads(other.answer().body)[0] < 10
        for _ in range(300):
            assert greedy.answer().status == 200


def test_what_a_route_has_written_is_served(routes):
    """Also to a client whose next request came with it, in a turn in which another one got the old file."""
    folder = routes.parent / "root"
    (folder / "file").write_bytes(b"old")
    with serve(routes) as server, Client(server) as first, Client(server) as second, Client(server) as third:
        for client in second, third:
            assert client.get("/file").body == b"old"
        first.sendall(request("/wait"))
        with open(routes.parent / "fifo", "w"):    # it waits there, and the two others come in the meantime, for the next turn
            second.sendall(request("/file"))
            third.sendall(request("/write", method="POST", body=b"new") + request("/file"))
        assert second.answer().body == b"old"
        assert [third.answer().body for _ in range(2)] == [b"written", b"new"]


def test_many_signals_while_a_route_takes_its_time(routes):
    with Program(routes, 0) as server:
        ready(server)
        with Client(server) as client:
            client.sendall(request("/pull"))       # shutdown() a thousand times
            assert client.answer().body == b"pulled"
            server.finish()


def test_a_route_that_forks(routes):
    """The child holds the sockets of the clients: what becomes of them in the parent does not concern it any more."""
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
    server = HTTPServer(("127.0.0.1", 0), directory={root!r}, log=False)
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


# The log

LINE = re.compile(r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
                  r'"((?:[^"\\]|\\x[0-9a-f]{2})*)" (\d{3}) (\d+|-)')


def entries(stderr):
    """(request line, status, size) of each line. Raises AttributeError if one is none."""
    return [LINE.fullmatch(line).groups() for line in stderr.splitlines()]


def test_the_log_says_who_asked_for_what_and_nobody_can_forge_it(tmp_path):
    (tmp_path / "small.bin").write_bytes(SMALL)
    (tmp_path / "large.bin").write_bytes(LARGE)
    with serve(SERVER, "-d", tmp_path, stderr=".*") as server:
        with Client(server) as client:
            client.get("/small.bin?a")
            client.get("/small.bin", method="HEAD")
            client.get("/large.bin", "Range: bytes=0-9")
            client.get("/large.bin", "If-None-Match: *")
            client.get("/large.bin")
            client.get('/"\\\x7f'.replace("\x7f", "\xe9"))
            client.get("/api/status", method="OPTIONS")
            client.get("/", method="POST", body=b"x")
        server.expect('"POST / HTTP', stream="stderr")                 # it is there at once, not only in the end
        forged = b'GET /\r127.0.0.1 - - [x] "GET / HTTP/1.1" 200 5\n HTTP/1.1\r\n\r\n'
        for data in forged, b"\x1b[2J\0\r\n\r\n", b"GET /" + b"x" * 9000:
            with Client(server) as client:
                client.sendall(data)
                client.answer()
    found = entries(server.stderr)
    assert found[:8] == [
        ("GET /small.bin?a HTTP/1.1", "200", "1000"), ("HEAD /small.bin HTTP/1.1", "200", "-"),
        ("GET /large.bin HTTP/1.1", "206", "10"),
        ("GET /large.bin HTTP/1.1", "304", "-"), ("GET /large.bin HTTP/1.1", "200", "300001"),
        (r"GET /\x22\x5c\xc3\xa9 HTTP/1.1", "404", found[5][2]), ("OPTIONS /api/status HTTP/1.1", "204", "-"),
        ("POST / HTTP/1.1", "405", found[7][2])]
    assert [status for line, status, size in found[8:]] == ["400", "400", "414"]
    assert found[9][0] == r"\x1b[2J\x00"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", [1, 2])
def test_no_line_of_the_log_is_lost_or_mixed(tmp_path, signum, workers):
    """Whoever has got an answer stands in the log when the server has ended, also when it ended right then."""
    (tmp_path / "index.html").write_bytes(b"x")
    with Program(SERVER, 0, "-d", tmp_path, "-w", workers) as server:
        ready(server)
        names = [f"{one}-{number}" for one in range(4) for number in range(250)]
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(server)) for _ in range(4)]
            for one, client in enumerate(clients):
                client.sendall(b"".join(request(f"/?{name}") for name in names[250 * one:250 * (one + 1)]))
            for client in clients:
                for _ in range(250):
                    assert client.answer().status == 200
            server.signal(signum)
            server.finish(stderr=".*")
    assert sorted(line for line, status, size in entries(server.stderr)) == sorted(f"GET /?{name} HTTP/1.1" for name in names)


@pytest.mark.parametrize("stderr", ["os.close(2)", "os.dup2(os.open('/dev/full', os.O_WRONLY), 2)",
                                    "r, w = os.pipe(); os.dup2(w, 2); os.close(r); os.close(w)"],
                                    ids=["closed", "full", "broken pipe"])
def test_nobody_reads_the_log(tmp_path, stderr):
    (tmp_path / "index.html").write_bytes(b"x")
    words = [sys.executable, str(ROOT / SERVER), "0", "-d", str(tmp_path)]
    with Program(sys.executable, "-c", f"import os; {stderr}; os.execv({words[0]!r}, {words!r})") as server:
        ready(server)
        for _ in range(3):
            assert get(server, "/").body == b"x"
        server.interrupt()
        server.finish()


def test_a_log_that_is_not_read_does_not_keep_it_from_ending(tmp_path):
    (tmp_path / "index.html").write_bytes(b"x")
    words = [sys.executable, str(ROOT / SERVER), "0", "-d", str(tmp_path)]
    fill = ("r, w = os.pipe(); os.set_inheritable(r, True); os.set_blocking(w, False); "
            "os.write(w, bytes(fcntl.fcntl(w, fcntl.F_GETPIPE_SZ))); os.set_blocking(w, True); os.dup2(w, 2); os.close(w)")
    with Program(sys.executable, "-c", f"import fcntl, os; {fill}; os.execv({words[0]!r}, {words!r})") as server:
        ready(server)
        assert get(server, "/").body == b"x"
        assert_idle(server)                        # it waits for a reader
        server.interrupt()
        server.finish()


# Several workers

@contextlib.contextmanager
def several(tmp_path, *args):
    (tmp_path / "index.html").write_bytes(b"x")
    with serve(SERVER, "-d", tmp_path, "-w", 2, "--quiet", *args) as server:
        wait_until(lambda: len(workers(server)) == 2, lambda: "there are not two workers")
        yield server


def workers(server):
    """connections by PID of the worker."""
    return {worker["pid"]: worker["connections"] for worker in json.loads(get(server, "/api/status").body)["workers"]}


def test_a_worker_that_is_killed_is_replaced_and_nobody_else_notices(tmp_path):
    with several(tmp_path) as server, contextlib.ExitStack() as stack:
        one, two = workers(server)
        assert sorted(server.children()) == sorted([one, two])
        served = {}                                # PID -> its clients
        for stopped, pid in [(one, two), (two, one)]:
            os.kill(stopped, signal.SIGSTOP)       # so the other one has to serve these
            served[pid] = [stack.enter_context(Client(server)) for _ in range(10)]
            for client in served[pid]:
                assert client.get("/").status == 200
            os.kill(stopped, signal.SIGCONT)
        wait_until(lambda: workers(server) in ({one: 10, two: 11}, {one: 11, two: 10}), lambda: f"{workers(server)}")
        os.kill(one, signal.SIGKILL)
        assert harness.gone(one)
        for _ in range(100):                       # not even those who come now
            assert get(server, "/").status == 200
        for client in served[two]:
            assert client.get("/").status == 200
        wait_until(lambda: one not in workers(server) and len(workers(server)) == 2, lambda: f"{workers(server)}")
        assert len(server.children()) == 2 and two in server.children()
        os.kill(two, signal.SIGTERM)
        wait_until(lambda: two not in workers(server) and len(workers(server)) == 2, lambda: f"{workers(server)}")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_workers_end_with_their_parent(tmp_path, signum):
    with several(tmp_path, "--timeout", 5) as server, Client(server) as client:
        assert client.get("/").status == 200
        server.signal(signum)
        server.wait()
        assert client.is_closed()


def test_workers_end_when_their_parent_is_killed(tmp_path):
    (tmp_path / "index.html").write_bytes(b"x")
    with Program(SERVER, 0, "-d", tmp_path, "-w", 3, "--quiet") as server:
        server.expect("listening on")
        wait_until(lambda: len(server.children()) == 3, lambda: "there are not three workers")
        server.signal(signal.SIGKILL)
        server.finish(-signal.SIGKILL, orphans=3)


def test_a_worker_that_does_not_end_is_ended(tmp_path):
    with several(tmp_path) as server:
        os.kill(server.children()[0], signal.SIGSTOP)


# The command

def test_ctrl_c_at_once_and_twice(tmp_path):
    for workers in 1, 2:
        for signals in [signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 3, [signal.SIGTERM, signal.SIGINT]:
            with Program(SERVER, 0, "-d", tmp_path, "-w", workers) as server:
                server.expect("listening on")
                for signum in signals:
                    server.signal(signum)
                server.finish()


def test_command_line(tmp_path):
    (tmp_path / "file").touch()
    with serve(SERVER, "-d", tmp_path) as server:
        for args, message in [
                ([server.port, "-d", tmp_path], r"http_server\.py: .*Address already in use.*\n"),
                ([70000, "-d", tmp_path], r"http_server\.py: .*0-65535.*\n"),
                ([0, "-d", tmp_path, "-b", "192.0.2.1"], r"http_server\.py: .*Cannot assign requested address.*\n"),
                ([0, "-d", tmp_path / "none"], r"http_server\.py: .*No such file or directory.*\n"),
                ([0, "-d", tmp_path / "file"], r"http_server\.py: .*Not a directory.*\n"),
                (["http"], r"usage: .*\nhttp_server\.py: error: .*invalid int value: 'http'\n"),
                ([0, "-w", 0], r"usage: .*error: --workers.*\n"), ([0, "-w", 65], r"usage: .*error: --workers.*\n"),
                ([0, "--timeout", "nan"], r"usage: .*error: .*--timeout.*\n")]:
            assert run(SERVER, *args, status=2, stderr=message).stdout == ""


def test_ipv6(tmp_path):
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    (tmp_path / "index.html").write_bytes(b"x")
    with serve(SERVER, "-d", tmp_path, "-b", "::1", "--quiet") as server:
        assert "[::1]" in server.stdout
        assert get(server, "/").body == b"x"


def test_again_on_the_same_port_with_clients(tmp_path):
    with started(tmp_path) as server:
        client = Client(server)
        client.get("/")
    with client, serve(SERVER, "-d", tmp_path / "root", "--quiet", port=server.port) as again:
        assert client.is_closed()
        assert get(again, "/").status == 200


def test_a_folder_that_is_removed(tmp_path):
    with started(tmp_path) as server:
        shutil.rmtree(server.root)
        assert get(server, "/").status == 404
        assert get(server, "/api/status").status == 200


def test_it_takes_as_many_descriptors_as_it_may_have(tmp_path):
    with Program("sh", "-c", f"ulimit -S -n 256; exec {sys.executable} {ROOT / SERVER} 0 -d {tmp_path}") as server:
        server.expect("listening on")
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert soft == hard > 256
        server.interrupt()
        server.finish()


# Real clients

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


def curl(server, *args, **options):
    return run("curl", "-sS", *args[:-1], f"http://127.0.0.1:{server.port}{args[-1]}", **options)


@needs_curl
def test_curl(server, tmp_path):
    for name in "large.bin", "a b%41.txt", "中文 文件.txt":
        curl(server, "-o", tmp_path / "out", "/" + urllib.parse.quote(name))
        assert (tmp_path / "out").read_bytes() == FILES[name]
    (tmp_path / "out").write_bytes(LARGE[:1234])
    curl(server, "-C", "-", "-o", tmp_path / "out", "/large.bin")      # goes on with a download
    assert (tmp_path / "out").read_bytes() == LARGE
    assert "301" in curl(server, "-L", "-w", "%{http_code} %{num_redirects} ", "-D", "-", "/folder").stdout
    assert curl(server, "-0", "/").stdout == "<p>home</p>\n"
    assert curl(server, "-z", "1 Jan 2100", "-w", "%{http_code}", "/").stdout == "304"
    assert curl(server, "-T", "-", "-o", "/dev/null", "-w", "%{http_code}", "/put", stdin="x" * 5000).stdout == "405"
    many = curl(server, "-Z", "--parallel-max", "50", "-o", "/dev/null", "-w", "%{http_code}\n", "/?[1-200]", stderr=".*").stdout
    assert many.split() == ["200"] * 200


# The course's own pages

def test_every_link_of_the_site_leads_somewhere():
    """Also those to styles, scripts and pictures; and nothing comes from anywhere else."""
    with serve(SERVER, "--quiet") as server, Client(server) as client:
        todo, seen = ["/"], set()
        while todo:
            target = todo.pop()
            seen.add(target)
            answer = client.get(target)
            assert answer.status == 200, target
            text = answer.body.decode()
            for link in re.findall(r'(?:href|src)="([^"#]+)', text) + re.findall(r"url\(([^)#]+)\)", text):
                assert ":" not in link and not link.startswith("//"), f"{target} needs {link}"
                link = os.path.normpath(os.path.join(os.path.dirname(target), link))
                if link not in seen and link not in todo:
                    todo.append("/" + link.lstrip("/"))
    on_disk = {"/" + str(path.relative_to(SITE)) for path in SITE.rglob("*") if path.is_file()} - {"/index.html"}
    assert seen - {"/", "/index.html"} == on_disk


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Shows the page in a frame and collects what it shows, as it changes.
PROBE = """<!doctype html><title>probe</title><iframe src="index.html" width="1000" height="800"></iframe><pre id="seen"></pre>
<script>
const seen = {};
setInterval(() => {
    for (const id of ["status-connections", "status-requests", "status-bytes", "status-workers", "status-state"]) {
        const element = document.querySelector("iframe").contentDocument?.getElementById(id);
        const text = element ? element.textContent.trim().replace(/\\s+/g, " ") : "";
        seen[id] ??= [];
        if (text && seen[id].at(-1) !== text) seen[id].push(text);
    }
    document.getElementById("seen").textContent = JSON.stringify(seen);
}, 100);
</script>
"""


@pytest.mark.skipif(not BROWSER, reason="Chromium is not installed")
def test_a_browser_shows_the_page_and_its_numbers_change(tmp_path):
    root = tmp_path / "site"
    shutil.copytree(SITE, root)
    (root / "probe.html").write_text(PROBE)
    # A folder with a short path, for it makes sockets there.
    with tempfile.TemporaryDirectory() as home, serve(SERVER, "-d", root, "-w", 2, "--quiet") as server:
        folders = dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"], home)
        browser = run(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                      "--disable-background-networking", "--disable-component-update", f"--user-data-dir={home}/profile",
                      "--virtual-time-budget=6000", "--dump-dom", f"http://127.0.0.1:{server.port}/probe.html",
                      stderr=".*", env=folders, orphans=range(20), timeout=2 * TIMEOUT)
        seen = json.loads(re.search(r'<pre id="seen">(.*?)</pre>', browser.stdout)[1])
        for name in "requests", "bytes":           # (the time in the browser is faster than ours)
            assert len(seen[f"status-{name}"]) >= 3, seen
        assert len(workers(server)) == 2 and all(str(pid) in seen["status-workers"][-1] for pid in workers(server))
        numbers = [int(re.sub(r"\D", "", text)) for text in seen["status-requests"] if re.search(r"\d", text)]
        assert numbers == sorted(numbers) and numbers[-1] > 5
