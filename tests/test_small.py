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
