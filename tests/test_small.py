"""The small programs of the day's pages: each runs as it stands, and does what the page says of it.

A page shows the heart of a system or server before the real one, in a block that begins with ```python (small: NAME).
"""
import contextlib
import re
import socket
from pathlib import Path

import pytest
from harness import ROOT, Program, Wire, receive, wait_until

BLOCK = re.compile(r"^```python \(small: (\w+)\)\n((?:.*\n)*?)```$", re.MULTILINE)
LISTENING = "0A"                                   # the state in /proc/net/tcp (man 5 proc)


def blocks():
    """The small programs of all pages, by name."""
    found = [block for page in sorted(ROOT.glob("day*/README.md")) for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


@contextlib.contextmanager
def started(name, port, tmp_path):
    """Run a small program, with a free port in place of its own, which must stand in it; yield it, with its .port."""
    text = blocks()[name]
    assert text.count(str(port)) == 1
    script = tmp_path / f"{name}.py"
    script.write_text(text.replace(str(port), "0"), encoding="utf-8")
    with Program(script, cwd=tmp_path, stdin="") as program:
        program.port = None

        def has_port():
            program.port = port_of(program)
            return program.port or program.status is not None
        wait_until(has_port, lambda: f"{name} does not listen")
        yield program
        program.interrupt()
        program.wait()                             # how it ends is not its subject: that is one of the things it cannot do


def port_of(program):
    """The port at which it listens, or has bound for datagrams; None if there is none yet."""
    inodes = {what[len("socket:["):-1] for what in program.descriptors().values() if what.startswith("socket:[")}
    for protocol, states in (("tcp", {LISTENING}), ("udp", {"07"})):
        for line in Path(f"/proc/{program.pid}/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and fields[3] in states:
                return int(fields[1].rpartition(":")[2], 16)
    return None


def connect(program):
    conn = Wire(socket.AF_INET, socket.SOCK_STREAM)
    conn.connect(("127.0.0.1", program.port))
    return conn


@pytest.mark.parametrize("name", blocks())
def test_small_programs_are_small(name):
    """At most 25 lines, blank ones not counted."""
    assert len([line for line in blocks()[name].splitlines() if line.strip()]) <= 25
    assert max(map(len, blocks()[name].splitlines())) <= 80


def test_fork_server(tmp_path):
    with started("fork_server", 8888, tmp_path) as program, connect(program) as one, connect(program) as two:
        for conn, text in ((two, b"two"), (one, b"one")):              # the second is not kept waiting by the first
            conn.sendall(text)
            assert receive(conn, 3) == text
        assert len(program.children()) == 2


def test_chat(tmp_path):
    with started("chat", 8888, tmp_path) as program, member(program) as ann, member(program) as tom, member(program) as other:
        assert answer(ann, "L Ann") == "OK\n"
        assert answer(tom, "L Ann\n").startswith("NO ")                # as nc sends it, with the line end
        assert answer(tom, "L Tom\n") == "OK\n"
        assert hear(ann) == "Tom 进入了聊天室\n"
        tom.send("C 你好".encode())
        assert hear(ann) == "Tom：你好\n"
        for datagram in b"C I am Tom", b"Q", b"\xff\xfe", b"", b"X":   # from outside the room: nobody hears of it
            other.send(datagram)
        assert answer(other, "L Other") == "OK\n"
        assert [hear(ann), hear(tom)] == ["Other 进入了聊天室\n"] * 2   # and Tom has not heard himself
        tom.send(b"Q")
        assert [hear(ann), hear(other)] == ["Tom退出了聊天室\n"] * 2
        tom.send(b"C I have left")
        assert answer(tom, "L Tom") == "OK\n"                          # the name is free again
        assert hear(ann) == "Tom 进入了聊天室\n"


def member(program):
    conn = Wire(socket.AF_INET, socket.SOCK_DGRAM)
    conn.connect(("127.0.0.1", program.port))
    return conn


def answer(conn, text):
    conn.send(text.encode())
    return hear(conn)


def hear(conn):
    return conn.recv(2048).decode()



def test_file_server(tmp_path):
    """What the page shows of a session is what comes, and a file may contain what looks like an answer."""
    files = {path.name: path.read_bytes() for path in (ROOT / "day11/ftp/files").iterdir()}
    assert files["empty.txt"] == b"" and b"\n" in files["welcome.txt"]
    page = (ROOT / "day11/README.md").read_text(encoding="utf-8")
    session = re.search(r"^\$ nc 127\.0\.0\.1 2121\n((?:.*\n)*?)```$", page, re.MULTILINE)[1]
    with started("file_server", 2121, tmp_path) as program:
        (tmp_path / "file_server.py").unlink()     # it is in the folder that is served
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        with connect(program) as conn, conn.makefile("rb") as replies:
            commands = re.findall(r"^(?:LIST|RETR .*)$", session, re.MULTILINE)
            assert len(commands) == 3 and re.sub(r"^(?:LIST|RETR .*)\n", "", session, flags=re.MULTILINE) == "".join(
                ask(conn, replies, command) for command in commands)
            for name in [*files, *files]:
                conn.sendall(f"RETR {name}\r\n".encode())              # as some nc and telnet end a line
            for content in [*files.values()] * 2:  # asked all at once: the lengths keep them apart
                assert int(replies.readline()) == len(content) and replies.read(len(content)) == content
            assert ask(conn, replies, "DELE welcome.txt") == ask(conn, replies, "RETR .") == "-1\n"
        with connect(program) as conn, conn.makefile("rb") as replies:
            assert ask(conn, replies, "RETR empty.txt") == "0\n"


def ask(conn, replies, command):
    """Send a command; return its answer, with the length in front."""
    conn.sendall(f"{command}\n".encode())
    length = replies.readline()
    return (length + replies.read(max(0, int(length)))).decode()


def test_select_server(tmp_path):
    with started("select_server", 8888, tmp_path) as program, connect(program) as one, connect(program) as two:
        for conn, text in ((two, b"two"), (one, b"one"), (two, b"more")):     # none is kept waiting by another
            conn.sendall(text)
            assert receive(conn, len(text)) == text
        two.shutdown(socket.SHUT_WR)
        assert two.recv(1) == b""
        one.sendall(b"still here")
        assert receive(one, 10) == b"still here"
        [task] = Path(f"/proc/{program.pid}/task").iterdir()           # one thread serves them all
        assert not program.children()


def test_http(tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "index.html").write_text("<p>你好</p>", encoding="utf-8")
    (folder / "a b").write_bytes(b"x" * 1000)
    (folder / "out").symlink_to(tmp_path / "secret")
    with started("http", 8000, folder) as program:
        assert fetch(program, "GET / HTTP/1.0\r\n\r\n") == ("200 OK", "<p>你好</p>".encode())
        assert fetch(program, "GET /index.html HTTP/1.0\r\n\r\n") == ("200 OK", "<p>你好</p>".encode())
        assert fetch(program, "GET /a%20b HTTP/1.0\r\n\r\n") == ("200 OK", b"x" * 1000)
        for path in ("/nosuch", "/../secret", "/%2e%2e/secret", "/out", f"/{tmp_path}/secret", "/a%20b/"):
            assert fetch(program, f"GET {path} HTTP/1.0\r\n\r\n")[0] == "404 Not Found", path
        for request in ("POST / HTTP/1.0\r\n\r\n", "GET", "\xff\r\n"):
            assert fetch(program, request)[0] == "404 Not Found"
        with connect(program) as silent:
            silent.shutdown(socket.SHUT_WR)        # it sends nothing at all, as a browser may do
            assert receive(silent, 1000).startswith(b"HTTP/1.0 404 ")


def test_http_cannot_do_what_the_page_says(tmp_path):
    """So that the page stays true: pieces of a request, a client that holds up the others, a name that ends the server."""
    (tmp_path / "index.html").write_bytes(b"x")
    (tmp_path / ".hidden").write_bytes(b"hidden")
    with started("http", 8000, tmp_path) as program:
        assert fetch(program, "GET /.hidden HTTP/1.0\r\n\r\n") == ("200 OK", b"hidden")
        with connect(program) as silent, connect(program) as other:
            other.sendall(b"GET / HTTP/1.0\r\n\r\n")
            silent.sendall(b"GET /ind")            # a piece
            assert receive(silent, 1000).startswith(b"HTTP/1.0 404 ")
            assert receive(other, 1000).endswith(b"\r\n\r\nx")         # after the first, which had come before it
        with connect(program) as bad:
            bad.sendall(b"GET /%00 HTTP/1.0\r\n\r\n")
            program.wait()
        assert "ValueError" in program.stderr


def fetch(program, request):
    """Send a request, all at once; return the status and the content of the answer, whose length must be what its head says."""
    with connect(program) as conn:
        conn.sendall(request.encode("latin-1"))
        head, _, content = receive(conn, 1 << 20).partition(b"\r\n\r\n")
    status, length = re.fullmatch(r"HTTP/1\.0 (.+)\r\nContent-Length: (\d+)", head.decode()).groups()
    assert len(content) == int(length)
    return status, content
