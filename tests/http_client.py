"""What the tests of the HTTP server share: a folder of files, a server of it, and a client that says exactly what a test wants.

The tests of one file share one server (fixture `server`). A witness is connected all the while and gets its answers all the
while; after each test the server has the same descriptors and threads as before, and has said nothing on stderr.
"""
import contextlib
import email.utils
import json
import os
import random
import re
import socket
import time

import pytest
from harness import TIMEOUT, Wire, receive, serve, wait_until


SERVER = "day12/http_server.py"
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


def workers(server):
    """connections by PID of the worker."""
    return {worker["pid"]: worker["connections"] for worker in json.loads(get(server, "/api/status").body)["workers"]}


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
