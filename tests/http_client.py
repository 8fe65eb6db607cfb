"""Shared code of the HTTP server's tests: a folder of files, a server for it, and a client that sends exactly the given bytes.

The tests of one file share one server (fixture `server`). During each test, another client (the witness) stays connected,
and it must still get answers at the end. After each test, the server must have the same descriptors and threads as before.
At the end, it must have printed nothing on stderr.
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
LARGE = random.Random(1).randbytes(300_001)        # too large for the cache; not a multiple of the size of a page or piece
SMALL = random.Random(2).randbytes(1000)
MEDIUM = random.Random(3).randbytes(60_000)        # small enough for the cache, and for one call of send
HUGE = 64 << 20                                    # larger than all socket buffers of server and client together
FILES = {"index.html": b"<p>home</p>\n", "small.bin": SMALL, "medium.bin": MEDIUM, "large.bin": LARGE, "empty.txt": b"",
         "a b%41.txt": b"percent\n",
         "\u4e2d\u6587 \u6587\u4ef6.txt": "\u4f60\u597d\n".encode(), "folder/index.html": b"<p>folder</p>\n",
         "folder/style.css": b"p {}\n",
         "bare/x.js": b"0;\n", ".hidden": b"no\n", ".dots/x": b"no\n", "x.tar.gz": b"\x1f\x8b", "noext": b"?",
         "[x.css": b"p {}\n"}


# The server and its folder

@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    # The witness of `server` stays idle for a whole test, however slow the machine is.
    with started(tmp_path_factory.mktemp("http"), "--timeout", "600") as server:
        wait_until(lambda: get(server, "/x.tar.gz")["etag"].startswith('"'), lambda: "the files never become old enough for the cache")
        yield server


@contextlib.contextmanager
def started(tmp_path, *args, script=SERVER, **options):
    """Start a server for a folder that contains FILES. A secret file lies beside the folder. Yields the Program."""
    root = tmp_path / "root"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (tmp_path / "secret").write_bytes(b"secret")
    with serve(script, "-d", root, *args, *([] if "--log" in args else ["--quiet"]), **options) as server:
        server.root = root
        without = sockets(server)
        get(server, "/")                           # what the server opens for its first client and keeps is not a leak
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
    wait_until(lambda: state(shared) == shared.before, lambda: f"the server had {shared.before}, it has {state(shared)}")


def sockets(server):
    return sum(what.startswith("socket:") for what in server.descriptors().values())


def state(server):
    return server.descriptors(), server.threads()


def connections(server):
    """Return the server's own count of its connections, including the connection that asks for it."""
    return sum(worker["connections"] for worker in json.loads(get(server, "/api/status").body)["workers"])


def workers(server):
    """Return {PID of a worker: number of its connections}."""
    return {worker["pid"]: worker["connections"] for worker in json.loads(get(server, "/api/status").body)["workers"]}


# A client that sends exactly the bytes that a test gives it

class Answer:
    """An answer of the server, with status, body, and headers (a dict of lists; the names are in lower case)."""

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
        """Receive the next answer and return it. Raises EOFError if the server closes the connection first."""
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
        """Return whether the server closes the connection without sending more bytes. Waits for either."""
        assert self.received == b""
        return self.recv(1) == b""


def request(target, *fields, method="GET", version="HTTP/1.1", body=b""):
    fields = ["Host: x", *fields, *([f"Content-Length: {len(body)}"] if body else [])]
    head = f"{method} {target} {version}\r\n".encode() + "".join(f"{field}\r\n" for field in fields).encode("latin-1")
    return head + b"\r\n" + body


def get(server, target, *fields, **options):
    """Send a request on a new connection, and return the answer."""
    with Client(server) as client:
        return client.get(target, *fields, **options)


@contextlib.contextmanager
def download(server, size=HUGE):
    """Start the download of a large file, and yield (client, path) long before the download is complete."""
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
    """Receive until EOF. Return how many bytes came, and whether all of them were zeros."""
    count, zeros = 0, True
    while data := socket.socket.recv(client, 1 << 20):
        count += len(data)
        zeros = zeros and not data.strip(b"\0")
    return count, zeros
