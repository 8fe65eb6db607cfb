"""Tests the HTTP server as a program: its log, its workers and its command line."""
import contextlib
import errno
import fcntl
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import harness
import pytest
from harness import ROOT, Program, assert_idle, has_ipv6, ready, run, serve, state_of, wait_until
from http_client import LARGE, SERVER, SMALL, Client, get, request, started, workers

sys.path.append(str(ROOT / "day12"))
import http_server  # noqa: E402
from httpd.log import AccessLog  # noqa: E402


# The log

LINE = re.compile(r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
                  r'"((?:[^"\\]|\\x[0-9a-f]{2})*)" (\d{3}) (\d+|-)')


def entries(stderr):
    """Return (request line, status, size) for each line of the log. Raises AttributeError if a line is malformed."""
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
            client.get('/"?\\\x7f'.replace("\x7f", "\xe9"))
            client.get("/api/status", method="OPTIONS")
            client.get("/", method="POST", body=b"x")
        server.expect('"POST / HTTP', stream="stderr")                 # the line is written at once, not only at the end
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
        (r"GET /\x22?\x5c\xc3\xa9 HTTP/1.1", "404", found[5][2]), ("OPTIONS /api/status HTTP/1.1", "204", "-"),
        ("POST / HTTP/1.1", "405", found[7][2])]
    assert [status for line, status, size in found[8:]] == ["400", "400", "414"]
    assert found[9][0] == r"\x1b[2J\x00"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", [1, 2])
def test_no_line_of_the_log_is_lost_or_mixed(tmp_path, signum, workers):
    """Every answered request is in the log, even if the server is ended right after the answers."""
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
def test_a_log_that_is_not_read(tmp_path, stderr):
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
        assert_idle(server)                        # the server waits until its log is read
        server.interrupt()
        server.finish()


PROGRAM = """if True:
        import contextlib, io, os, sys
        sys.path.insert(0, {folder!r})
        from http_server import HTTPServer
        {before}
        server = HTTPServer(("127.0.0.1", 0), directory={root!r})
        @server.route("/do")
        def do(request):
            {route}
            return "done"
        print("listening on {{}}:{{}}".format(*server.address), flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        {after}
    """


def program(tmp_path, before="", route="pass", after=""):
    """Write a script that runs a server with a log, and return its path.

    before, route, after: code that the script runs before it creates the server, in the route /do, and at its end.
    """
    (tmp_path / "site").mkdir()
    (tmp_path / "script.py").write_text(PROGRAM.format(folder=str(ROOT / "day12"), root=str(tmp_path / "site"), before=before,
                                                       route=route, after=after))
    return tmp_path / "script.py"


def test_the_log_never_gets_into_a_file_that_has_become_descriptor_2(tmp_path):
    """The log is written to the file that stderr was when the server was created."""
    data = tmp_path / "data"
    script = program(tmp_path, route=f"os.close(2); assert os.open({str(data)!r}, os.O_CREAT | os.O_WRONLY) == 2")
    with serve(script, stderr=r'.*"GET /a .*\n.*"GET /do .*\n.*"GET /b .*\n') as server:
        for target in "/a", "/do", "/b":
            assert get(server, target).status == (200 if target == "/do" else 404)
    assert data.read_bytes() == b""


def test_no_log_where_the_server_is_started_without_stderr(tmp_path):
    """A shell starts a program without stderr if it is given 2>&-. The next file that is opened then gets descriptor 2."""
    data = tmp_path / "data"
    script = program(tmp_path, before=f"assert os.open({str(data)!r}, os.O_CREAT | os.O_WRONLY) == 2")
    with Program("sh", "-c", f"exec {sys.executable} {script} 2>&-") as server:
        ready(server)
        assert get(server, "/a").status == 404
        server.interrupt()
        server.finish()
    assert data.read_bytes() == b""


def test_it_serves_where_it_is_started_without_stdout(monkeypatch):
    """A shell starts a program without stdout if it is given >&-. Then sys.stdout is None."""
    monkeypatch.setattr(sys, "stdout", None)
    http_server.announce(SimpleNamespace(address=("127.0.0.1", 8000)), quiet=False)


def test_the_log_goes_to_what_the_program_has_put_in_place_of_stderr(tmp_path):
    script = program(tmp_path, before="stack = contextlib.ExitStack(); "
                     "log = stack.enter_context(contextlib.redirect_stderr(io.StringIO()))", after="print(log.getvalue())")
    with serve(script) as server:
        assert get(server, "/a").status == get(server, "/b").status == 404
    assert [line for line, status, size in entries(server.stdout.split("\n", 1)[1].strip())] == ["GET /a HTTP/1.1", "GET /b HTTP/1.1"]


def test_each_line_is_in_a_file_that_stands_for_stderr_when_its_turn_is_over(tmp_path):
    with serve(program(tmp_path, before=f"sys.stderr = open({str(tmp_path / 'log')!r}, 'w')",
                       after="sys.stderr.close()")) as server:
        assert get(server, "/a").status == 404
        wait_until(lambda: (tmp_path / "log").read_text().endswith("\n"), lambda: "the line stays in a buffer", timeout=3)
    assert [line for line, status, size in entries((tmp_path / "log").read_text())] == ["GET /a HTTP/1.1"]


@pytest.mark.parametrize("stream", ["object()", "io.StringIO(); sys.stderr.close()", "None", "sys.stderr; sys.stderr.close()"])
def test_nothing_about_the_log_ends_the_server(tmp_path, stream):
    with serve(program(tmp_path, before=f"sys.stderr = {stream}", after="sys.stderr = None")) as server:
        for _ in range(3):
            assert get(server, "/a").status == 404


def test_lines_of_several_workers_do_not_mix_however_small_the_pipe(tmp_path):
    """If a write has more than PIPE_BUF bytes, it may be cut where the pipe becomes full."""
    (tmp_path / "index.html").write_bytes(b"x")
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    names = [f"{one}-{'x' * 100}-{number}" for one in range(4) for number in range(200)]
    words = [sys.executable, str(ROOT / SERVER), "0", "-d", str(tmp_path), "-w", "2"]
    fifo = tmp_path / "log"
    os.mkfifo(fifo)
    os.close(reader)
    os.close(writer)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(reader, True)
    log = []
    with Program(sys.executable, "-c", f"import os; os.dup2(os.open({str(fifo)!r}, os.O_WRONLY), 2); "
                                       f"os.execv({words[0]!r}, {words!r})") as server:
        ready(server)
        thread = threading.Thread(target=lambda: log.extend(iter(lambda: os.read(reader, 4096), b"")))
        thread.start()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(server)) for _ in range(4)]
            for one, client in enumerate(clients):
                client.sendall(b"".join(request(f"/?{name}") for name in names[200 * one:200 * (one + 1)]))
            for client in clients:
                for _ in range(200):
                    assert client.answer().status == 200
        server.interrupt()
        server.finish()
        thread.join()
    os.close(reader)
    assert sorted(line for line, *_ in entries(b"".join(log).decode())) == sorted(f"GET /?{name} HTTP/1.1" for name in names)


def test_a_write_to_the_log_is_whole_lines_and_no_more_than_a_pipe_takes_at_once(monkeypatch):
    written = []
    monkeypatch.setattr("httpd.log.os.write", lambda fd, data: written.append(bytes(data)) or len(data))
    access_log = AccessLog(sys.__stderr__)
    try:
        access_log.set_time(0)
        targets = [*(f"/{number}" for number in range(200)), "/" + "x" * 2 * select.PIPE_BUF, "/last"]
        for target in targets:
            access_log.add("127.0.0.1", f"GET {target} HTTP/1.1", 200, 5)
        access_log.flush()
    finally:
        access_log.close()
    asked = [line.split()[1] for data in written for line, status, size in entries(data.decode())]
    assert asked == targets
    assert all(len(data) <= select.PIPE_BUF or data.count(b"\n") == 1 for data in written)
    assert len(written) < 20, "the log must use as few calls as possible"


def test_a_line_that_was_cut_by_a_full_disk_is_completed_when_there_is_room_again(monkeypatch):
    log, room = bytearray(), 0

    def write(fd, data):
        """Write like the kernel: if there is room for a part of the data, write that part; an error follows with the next call."""
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = min(room, len(data))
        room -= count
        log.extend(data[:count])
        return count
    monkeypatch.setattr("httpd.log.os.write", write)
    access_log = AccessLog(sys.__stderr__)
    try:
        access_log.set_time(0)
        for number, room in enumerate([100, 0, 0, 10, 50, 1000]):
            access_log.add("127.0.0.1", f"GET /{number} HTTP/1.1", 200, 5)
            access_log.add("127.0.0.1", f"GET /{number}/more HTTP/1.1", 200, 5)
            access_log.flush()
    finally:
        access_log.close()
    asked = [line.split()[1] for line, status, size in entries(log.decode())]
    assert asked == ["/0", "/0/more", "/4", "/5", "/5/more"]


def test_a_client_that_sends_thousands_of_requests_at_once_lets_others_in(tmp_path):
    """The order of the log shows that the other client was served early.

    Both clients send their requests while the server is stopped, and the greedy client sends first.
    """
    (tmp_path / "index.html").write_bytes(b"x")
    with serve(SERVER, "-d", tmp_path, stderr=".*") as server, Client(server) as greedy, Client(server) as other:
        for client in greedy, other:
            assert client.get("/").status == 200
        server.wait_until_asleep()
        server.signal(signal.SIGSTOP)
        greedy.sendall(request("/?greedy") * 1500)
        other.sendall(request("/?other"))
        server.signal(signal.SIGCONT)
        assert other.answer().status == 200
        for _ in range(1500):
            assert greedy.answer().status == 200
    asked = [line.split()[1] for line, status, size in entries(server.stderr)]
    assert asked.index("/?other") < 100


def test_the_date_and_the_time_in_the_log_go_on(tmp_path):
    (tmp_path / "index.html").write_bytes(b"x")
    with serve(SERVER, "-d", tmp_path, stderr=".*") as server, Client(server) as client:
        first = client.get("/")["date"]
        wait_until(lambda: client.get("/")["date"] != first, lambda: "the Date does not change", timeout=3)
    assert len(set(re.findall(r"\[(.*?)\]", server.stderr))) > 1


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
        served = {}                                # PID of a worker -> its clients
        for stopped, pid in [(one, two), (two, one)]:
            os.kill(stopped, signal.SIGSTOP)       # so the other worker must serve these clients
            served[pid] = [stack.enter_context(Client(server)) for _ in range(10)]
            for client in served[pid]:
                assert client.get("/").status == 200
            os.kill(stopped, signal.SIGCONT)
        wait_until(lambda: workers(server) in ({one: 10, two: 11}, {one: 11, two: 10}), lambda: f"{workers(server)}")
        os.kill(one, signal.SIGKILL)
        assert harness.gone(one)
        for _ in range(100):                       # new clients do not notice it either
            assert get(server, "/").status == 200
        for client in served[two]:
            assert client.get("/").status == 200
        wait_until(lambda: one not in workers(server) and len(workers(server)) == 2, lambda: f"{workers(server)}")
        assert len(server.children()) == 2 and two in server.children()
        os.kill(two, signal.SIGTERM)
        # Until it has gone, it may accept a client, and close the connection before the request comes.
        assert harness.gone(two)
        wait_until(lambda: two not in workers(server) and len(workers(server)) == 2, lambda: f"{workers(server)}")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_workers_end_with_their_parent(tmp_path, signum):
    with several(tmp_path, "--timeout", 5) as server, Client(server) as client:
        assert client.get("/").status == 200
        server.signal(signum)
        server.wait()
        assert client.is_closed()


def test_ctrl_c_is_for_the_parent_of_the_workers(tmp_path):
    """Ctrl-C sends SIGINT to the whole group. The workers must ignore it, because the parent ends them."""
    with several(tmp_path) as server:
        wait_until(lambda: len(workers(server)) == 2, lambda: f"{workers(server)}")
        for worker in workers(server):
            ignored = re.search(r"^SigIgn:\s+(\w+)", Path(f"/proc/{worker}/status").read_text(), re.MULTILINE)[1]
            assert int(ignored, 16) & 1 << (signal.SIGINT - 1)


SLOW = """if True:
    import os, signal, sys
    sys.path.insert(0, {folder!r})
    from http_server import HTTPServer, stop_on_signals, supervise
    server = HTTPServer(("127.0.0.1", 0), directory={root!r}, log={log})
    @server.route("/pid")
    def pid(request):
        return [os.getpid()]
    @server.route("/slow")
    def slow(request):
        with open({fifo!r}) as fifo:
            return fifo.read()
    stop_on_signals(server)
    print("listening on {{}}:{{}}".format(*server.address), flush=True)
    supervise(server, 2)
"""


@pytest.fixture
def slow(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "script.py").write_text(SLOW.format(folder=str(ROOT / "day12"), root=str(tmp_path), log=False,
                                                    fifo=str(tmp_path / "fifo")))
    return tmp_path / "script.py"


@pytest.mark.parametrize("whom", ["the parent", "the group", "the worker"])
def test_sigterm_while_a_route_works_lets_it_answer(slow, whom):
    """SIGTERM may be sent to the parent, to a worker, or to the whole group, as systemd does."""
    with Program(slow) as server:
        ready(server)
        with Client(server) as client:
            [worker] = json.loads(client.get("/pid").body)
            client.sendall(request("/slow"))
            with open(slow.parent / "fifo", "w") as fifo:              # the route waits for us
                if whom == "the group":
                    os.killpg(server.pid, signal.SIGTERM)
                else:
                    os.kill(worker if whom == "the worker" else server.pid, signal.SIGTERM)
                fifo.write("answered")
            assert client.answer().body == b"answered"
            assert client.is_closed()
        if whom == "the worker":
            wait_until(lambda: get(server, "/pid").status == 200, lambda: "the server does not answer any more")
            server.signal(signal.SIGTERM)
        server.finish()


def test_clients_are_shared_among_workers(tmp_path):
    """Clients are shared even if they come one by one, so that one worker could serve all of them."""
    with several(tmp_path) as server, contextlib.ExitStack() as stack:
        for _ in range(32):
            wait_until(lambda: all(harness.state_of(pid) == "S" for pid in server.children()), lambda: "the workers never wait")
            assert stack.enter_context(Client(server)).get("/").status == 200
            # Both workers wait again, so each of them could accept the next client.
            wait_until(lambda: {state_of(pid) for pid in server.children()} == {"S"}, lambda: "a worker does not wait")
        counts = workers(server).values()
        assert sum(counts) == 33 and min(counts) >= 10, counts


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
                ([server.port, "-d", tmp_path],
                 rf"http_server\.py: .*Address already in use.*\n.*try {server.port + 1} · .*试试 {server.port + 1}\n"),
                ([70000, "-d", tmp_path], r"http_server\.py: .*0-65535.*\n"),
                ([0, "-d", tmp_path, "-b", "192.0.2.1"], r"http_server\.py: .*Cannot assign requested address.*\n-b takes .*\n"),
                ([0, "-d", tmp_path, "-b", "no.such.host.invalid"], r"http_server\.py: .*\n-b takes .*\n"),
                ([0, "-d", tmp_path / "none"], r"http_server\.py: .*No such file or directory.*\n-d takes .*-d \.\n"),
                ([0, "-d", tmp_path / "file"], r"http_server\.py: .*Not a directory.*\n-d takes .*-d \.\n"),
                (["http"], r"usage: .*\nhttp_server\.py: error: .*invalid int value: 'http'\n"),
                ([0, "-w", 0], r"usage: .*error: --workers.*\n"), ([0, "-w", 65], r"usage: .*error: --workers.*\n"),
                ([0, "--timeout", "nan"], r"usage: .*error: .*--timeout.*\n")]:
            # A server of names that does not answer makes a program sleep for longer than usual.
            assert run(SERVER, *args, status=2, stderr=message, still=harness.TIMEOUT).stdout == ""


def test_the_next_step_after_an_error():
    def refused(number, *args):
        return OSError(number, os.strerror(number), *args)
    assert "try 8000" in http_server.next_step(refused(errno.EACCES), 80)
    assert http_server.next_step(refused(errno.EACCES, "/root/x"), 8000) == ""             # we may not read this folder
    assert "try 8000" in http_server.next_step(refused(errno.EADDRINUSE), 65535)
    assert http_server.next_step(OverflowError("port"), 70000) == ""


def test_a_signal_wakes_the_loop_up_once_and_no_descriptor_of_somebody_else_later():
    """When the second Ctrl-C comes, the descriptor number of the self-pipe may already belong to another file."""
    run(sys.executable, "-c", """if True:
        import http_server, os, signal, socket
        from types import SimpleNamespace as Object
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        called = []
        http_server.stop_on_signals(Object(shutdown_writer=writer, shutdown=lambda: called.append("shutdown")))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, http_server.STOP_SIGNALS)
        os.kill(os.getpid(), signal.SIGINT)
        assert reader.recv(10) == bytes([signal.SIGINT]) and called == ["shutdown"]
        assert signal.set_wakeup_fd(-1) == -1
        reader.close()
        writer.close()
        """, cwd=ROOT / "day12", env={"PYTHONDONTWRITEBYTECODE": "1"})


def test_on_a_terminal_there_is_an_address_to_click(tmp_path):
    for args, url in [((), True), (["-b", "0.0.0.0"], True), (["--quiet"], False)]:
        with Program(SERVER, 0, "-d", tmp_path, *args, tty=True) as server:
            server.expect(r"listening on [\d.]+:\d+\r?\n")
            if url:
                port = re.search(r":(\d+)", server.stdout)[1]
                server.expect(rf"http://127\.0\.0\.1:{port}/\r?\n")
            server.interrupt()
            server.wait()
            assert ("http://" in server.stdout) == url
    with serve(SERVER, "-d", tmp_path) as server:
        pass
    assert server.stdout.count("\n") == 1


WINDOWS = """import os, select, signal, sys
for name in list(vars(select)):
    if name.lower().startswith(("epoll", "poll")): delattr(select, name)
for name in "fork", "O_DIRECTORY", "O_NONBLOCK", "O_NOCTTY", "getppid", "killpg", "pread", "WNOHANG": delattr(os, name)
for name in "SIGCHLD", "pthread_sigmask", "sigwait", "sigtimedwait", "SIGKILL": delattr(signal, name)
for name in "fcntl", "termios", "resource": sys.modules[name] = None
"""


@pytest.mark.parametrize("args, without, word", [
    ([], WINDOWS, "select.epoll"), ([], "import select; del select.epoll", "select.epoll"),
    (["-w", "2"], "import os; del os.fork", "os.fork"),
    ([], "import os; real = os.path.exists; os.path.exists = lambda path: not str(path).startswith('/proc') and real(path)", "/proc"),
], ids=["windows", "epoll", "fork", "proc"])
def test_it_says_in_one_line_what_it_needs(tmp_path, args, without, word):
    (tmp_path / "sitecustomize.py").write_text(without)
    program = run(SERVER, 0, *args, status=2, stderr=r"[^\n]+\n", env={"PYTHONPATH": str(tmp_path)})
    assert word in program.stderr and program.stdout == ""


def test_without_fork_one_process_serves(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os; del os.fork")
    with serve(SERVER, "-d", tmp_path, "--quiet", env={"PYTHONPATH": str(tmp_path)}) as server:
        assert get(server, "/sitecustomize.py").status == 200


def test_all_addresses_of_both_kinds(tmp_path):
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    (tmp_path / "index.html").write_bytes(b"x")
    with serve(SERVER, "-d", tmp_path, "-b", "::", stderr=r'::1 - - .*\n127\.0\.0\.1 - - .*\n') as server:
        for server.host in "::1", "127.0.0.1":
            assert get(server, "/").body == b"x"


def test_an_address_that_needs_its_network(monkeypatch):
    """A link-local IPv6 address is complete only with the number of its network interface."""
    monkeypatch.setattr(http_server.HTTPServer.__init__.__globals__["socket"], "create_server",
                        lambda address, **options: (address, options["family"]))
    listen = http_server.HTTPServer.__init__.__globals__["listen"]
    (host, *rest), family = listen("fe80::1%lo", 80)
    assert (host.partition("%")[0], rest, family) == ("fe80::1", [80, 0, socket.if_nametoindex("lo")], socket.AF_INET6)
    assert listen("", 80) == (("0.0.0.0", 80), socket.AF_INET)


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
