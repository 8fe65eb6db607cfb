"""Shared by all tests of the FTP system: servers with their folders, and a client and a server that a test controls exactly.

Most tests of the server use one of two servers, which run during a whole test file: on "server", the user bob may do
everything; on "public", anonymous may add files. Each test begins with an empty folder. During each test, another client, the
witness, stays logged in and must get its replies. After each test, the server must have the same descriptors and threads as before.

A test file imports the fixtures that it uses by name, and also shared and shared_public, which start the servers.
"""
import contextlib
import ftplib
import hashlib
import os
import random
import re
import resource
import shutil
import socket
import sys
import threading

import harness
import pytest
from harness import ROOT, TIMEOUT, Wire, serve, wait_until

sys.path.append(str(ROOT / "day11/ftp"))            # so that tests can import ftpd and ftpclient
SERVER, CLIENT = "day11/ftp/ftp_server.py", "day11/ftp/ftp_client.py"
MIB = 1 << 20
BIG = 64 * MIB                                     # more bytes than all the buffers of a connection can hold
CONTENT = random.Random(3).randbytes(200_000)
TREE = {"a": b"a" * 1000, "empty": b"", "文 件": "内容".encode(), "one/two/three/deep": CONTENT, "one/two/b": b"b",
        "one/-x": b"x", "hollow": None}


# The servers and their folders

@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with started(tmp_path_factory, "--user", "bob:secret") as server:
        yield server


@pytest.fixture(scope="module")
def shared_public(tmp_path_factory):
    with started(tmp_path_factory) as server:
        yield server


@pytest.fixture
def server(shared):
    with watched(shared):
        yield shared


@pytest.fixture
def public(shared_public):
    with watched(shared_public):
        yield shared_public


@contextlib.contextmanager
def started(tmp_path_factory, *args):
    root = tmp_path_factory.mktemp("ftp") / "root"
    root.mkdir()
    with ftp_server(root, *args) as server:
        with Client(server, "anonymous"):          # what the server keeps after its first client is no leak
            pass
        wait_until(lambda: server.threads() == 1, lambda: "the first session does not end")
        server.before = state(server)
        yield server


@contextlib.contextmanager
def ftp_server(root, *args, script=SERVER, **options):
    with serve(script, "-d", root, *args, **options) as server:
        server.root = root
        yield server


@contextlib.contextmanager
def watched(server):
    with Client(server, "anonymous") as server.witness:
        yield
        assert server.witness.ask("NOOP") == 200
        assert server.witness.get("NLST /") is not None
        with Client(server, "anonymous") as newcomer:
            assert newcomer.ask("NOOP") == 200
    wait_until(lambda: state(server) == server.before, lambda: f"descriptors and threads were {server.before}, now they are {state(server)}")
    left = [name for name in os.listdir(server.root) if name.startswith(".upload-")]
    empty(server.root)
    assert not left


def state(server):
    """Return the descriptors and the number of threads of a server."""
    return server.descriptors(), server.threads()


def wait_until_alone(server):
    """Wait until only the session of the witness is left."""
    wait_until(lambda: server.threads() == server.before[1] + 1, lambda: "a session does not end")


def empty(folder):
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextlib.contextmanager
def limited(server, kind, soft):
    limits = resource.prlimit(server.pid, kind)
    resource.prlimit(server.pid, kind, (soft, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, kind, limits)


# A client that sends exactly what a test wants

class Client(Wire):
    """A control connection. user: the name for the login (None: do not log in); source: the local address of the client."""

    def __init__(self, server, user="bob", source=None):
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        super().__init__(family, socket.SOCK_STREAM, name=f"control connection of {user}")
        self.server = server
        self.received = b""
        self.text = ""                             # all lines of the last reply
        if source:
            self.bind((source, 0))
        self.connect((server.host, server.port))
        if user:
            assert self.reply() == 220
            assert self.ask(f"USER {user}") == 331
            assert self.ask("PASS secret") == 230

    def say(self, command):
        self.sendall(os.fsencode(command) + b"\r\n")

    def reply(self):
        """Receive one reply and return its code. Raises EOFError if the server has closed the connection."""
        lines = [self.line()]
        assert re.match(r"\d{3}[ -]", lines[0]), lines
        while not lines[-1].startswith(lines[0][:3] + " "):
            lines.append(self.line())
        self.text = "\n".join(lines)
        return int(lines[0][:3])

    def line(self):
        while b"\n" not in self.received:
            data = self.recv(65536)
            if not data:
                raise EOFError("the server has closed the control connection")
            self.received += data
        line, _, self.received = self.received.partition(b"\n")
        assert line.endswith(b"\r")
        return os.fsdecode(line[:-1])

    def ask(self, command):
        self.say(command)
        return self.reply()

    def passive(self, **options):
        """Open a data connection and return it. options: socket options, such as SO_RCVBUF=4096."""
        assert self.ask("EPSV") == 229
        conn = Wire(self.family, socket.SOCK_STREAM, name="data connection")
        for name, value in options.items():
            conn.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        conn.connect((self.server.host, int(re.search(r"\|\|\|(\d+)\|", self.text)[1])))
        return conn

    @contextlib.contextmanager
    def begin(self, command, **options):
        """Begin a transfer with this command; yield its data connection."""
        with self.passive(**options) as conn:
            assert self.ask(command) == 150
            yield conn

    def get(self, command):
        """Return the data that the server sends for this command (RETR or a listing), or None if it refuses."""
        with self.passive() as conn:
            if self.ask(command) != 150:
                return None
            data = everything(conn)
        assert self.reply() == 226
        return data

    def put(self, command, data=b"data"):
        """Upload data with this command (such as STOR a); return the code of the last reply."""
        with self.passive(SO_SNDBUF=65536) as conn:
            if (code := self.ask(command)) != 150:
                return code
            with contextlib.suppress(ConnectionError):             # the server may refuse the rest
                socket.socket.sendall(conn, data)
        return self.reply()


def everything(conn):
    return b"".join(iter(lambda: socket.socket.recv(conn, MIB), b""))


def send_some(conn):
    """Send 8 MiB of an upload. When this returns, the server has received at least a part of them."""
    socket.socket.sendall(conn, bytes(8 * MIB))


# The standard client

@contextlib.contextmanager
def ftplib_client(server, user="bob", passive=True):
    with ftplib.FTP(timeout=TIMEOUT, encoding="utf-8") as ftp:
        ftp.connect(server.host, server.port)
        ftp.login(user, "secret")
        ftp.set_pasv(passive)
        yield ftp


def fetch(ftp, name, **options):
    data = []
    ftp.retrbinary(f"RETR {name}", data.append, **options)
    return b"".join(data)


# Files

def sparse(path, size=BIG):
    """Create a large file that takes no space on the disk. size: in bytes."""
    path.touch()
    os.truncate(path, size)


def files(folder):
    """Return path -> content for all that is in a folder: the bytes of a file, the target of a link, None for anything else."""
    def content(path):
        if path.is_symlink():
            return os.readlink(path)
        return path.read_bytes() if path.is_file() else None
    return {str(path.relative_to(folder)): content(path) for path in folder.rglob("*")}


def grow(folder, tree):
    for name, content in tree.items():
        (folder / name if content is None else (folder / name).parent).mkdir(parents=True, exist_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)


def digest(data):
    return hashlib.sha256(data).digest()


# A server that sends exactly what a test wants

class FakeServer(threading.Thread):
    """A server for one client. replies: verb -> the reply, or a function that takes this object and returns the reply (None: the
    server ends). The end of the with block waits for the server, and raises its exception in the test."""

    def __init__(self, **replies):
        super().__init__()
        self.replies = {"USER": "331 Password", "PASS": "230 Welcome", "TYPE": "200 OK", "QUIT": "221 Bye", "SIZE": "213 2000",
                        "PASV": FakeServer.passive, **replies}
        self.heard, self.problem = [], None
        self.listener, self.data_listener = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        self.port, self.data_port = (one.getsockname()[1] for one in (self.listener, self.data_listener))
        for one in (self.listener, self.data_listener):
            one.settimeout(harness.TIMEOUT)

    def passive(self, host="127.0.0.1"):
        return f"227 ({host.replace('.', ',')},{self.data_port >> 8},{self.data_port & 255})"

    def say(self, text):
        self.conn.sendall(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def data(self):
        """Send the reply 150; accept the data connection and return it."""
        self.say("150 Here it comes")
        conn = self.data_listener.accept()[0]
        conn.settimeout(harness.TIMEOUT)
        return conn

    def run(self):
        try:
            self.conn = self.listener.accept()[0]
            self.conn.settimeout(harness.TIMEOUT)
            with self.conn, self.conn.makefile("rb") as lines, contextlib.suppress(ConnectionError):
                self.say("220 Ready")
                for line in lines:
                    self.heard.append(line.decode().rstrip())
                    reply = self.replies.get(line.split()[0].decode(), "502 Not here")
                    reply = reply(self) if callable(reply) else reply
                    if reply is None:
                        return
                    self.say(reply)
        except BaseException as problem:
            self.problem = problem

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.join(harness.TIMEOUT)
        self.listener.close()
        self.data_listener.close()
        assert not self.is_alive()
        if self.problem and exception == (None, None, None):
            raise self.problem


def sends(data, reply="226 That was all"):
    """Return a function for FakeServer that sends data over the data connection, and then the reply."""
    def answer(server):
        with server.data() as conn, contextlib.suppress(ConnectionError):
            conn.sendall(data)
        return reply
    return answer
