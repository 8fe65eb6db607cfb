"""The HTTP server as a program: its log, its workers, its command line."""
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import sys

import harness
import pytest
from harness import ROOT, Program, assert_idle, has_ipv6, ready, run, serve, wait_until
from http_client import LARGE, SERVER, SMALL, Client, get, request, started, workers


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
