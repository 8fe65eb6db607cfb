"""Tests of the FTP client on a terminal: Ctrl-C cancels, Tab completes, familiar words work, and git ignores downloads."""
import contextlib
import ftplib
import os
import shutil
import signal
import socket
import subprocess
import threading
from types import SimpleNamespace

import harness
import pytest
from ftp_harness import BIG, CLIENT, SERVER, FakeServer, ftp_server, grow, sends
from ftpclient import places, screen
from ftpclient.completion import Completer
from ftpclient.interrupt import Cancelled, Interrupt
from harness import ROOT, Program, serve, state_of, wait_until
from test_ftp_client import ftp_client, here, library  # noqa: F401


# Ctrl-C

@pytest.mark.parametrize("old", [None, "old"])
def test_ftp_client_ctrl_c_cancels_a_download_and_goes_on(here, old):
    def half(server):
        with server.data() as conn, contextlib.suppress(ConnectionError):
            conn.sendall(bytes(1000))
            conn.recv(1)                           # wait until the client has closed the connection
        server.replies["RETR"] = sends(bytes(2000))
        return "426 Broken off"
    if old:
        (here / "half").write_text(old)
    kept = "the old file is unchanged" if old else "nothing was saved"
    with FakeServer(RETR=half) as server, ftp_client(server, here, tty=True) as client:
        client.write("get half\r")
        client.expect(r" 50%|  0% \[\.+\]")
        while not any(path.stat().st_size == 1000 for path in here.iterdir()):
            os.sched_yield()
        client.wait_until_asleep()
        client.write("\x03")
        client.expect(f"! get half: cancelled; {kept}\n")
        client.expect("ftp> ")
        assert {path.name: path.read_text() for path in here.iterdir()} == ({"half": "old"} if old else {})
        client.write("get half\r")                 # this get receives its own replies
        client.expect("got half, 2,000 bytes\n")
        client.expect("ftp> ")
        client.write("quit\r")
        client.finish(status=1)


STOPS_AT_THE_FIRST_BYTES = """
import os, signal, socket
recv_into = socket.socket.recv_into
def receive_and_stop(*args):
    count = recv_into(*args)
    socket.socket.recv_into = recv_into
    os.kill(os.getpid(), signal.SIGSTOP)
    return count
socket.socket.recv_into = receive_and_stop
"""


def test_ftp_client_ctrl_c_cancels_an_upload_and_goes_on(library, here, tmp_path):
    """The real server keeps nothing of a cancelled upload, and accepts the next one.

    The server stops itself (SIGSTOP) when it has received the first bytes, so it cannot receive the whole file before Ctrl-C.
    """
    (tmp_path / "sitecustomize.py").write_text(STOPS_AT_THE_FIRST_BYTES)
    with open(here / "big", "wb") as file:
        file.truncate(BIG)
    (here / "small").write_bytes(b"small")
    with serve(SERVER, "-d", library, env={"PYTHONPATH": str(tmp_path)}) as server, ftp_client(server, here, tty=True) as client:
        client.expect("ftp> ")
        client.write("put big\r")
        client.expect(r"  \d% \[")
        wait_until(lambda: state_of(server.pid) == "T", lambda: "the server receives nothing")
        client.wait_until_asleep()
        client.write("\x03")
        client.expect(r"\^C")
        server.signal(signal.SIGCONT)
        client.expect("! put big: cancelled; the server has no file of that name\n")
        client.expect("ftp> ")
        client.write("put small\r")
        client.expect("put small, 5 bytes\n")
        client.write("quit\r")
        client.finish(status=1)
    assert (library / "small").read_bytes() == b"small" and "big" not in os.listdir(library)


def test_ftp_client_ctrl_c_before_the_data_waits_for_them(here):
    asked, goes_on = threading.Event(), threading.Event()

    def slow(server):
        asked.set()
        assert goes_on.wait(harness.TIMEOUT)
        with server.data() as conn, contextlib.suppress(ConnectionError):
            conn.recv(1)
        return "426 Broken off"
    with FakeServer(RETR=slow) as server, ftp_client(server, here, tty=True) as client:
        client.write("get f\r")
        assert asked.wait(harness.TIMEOUT)
        client.wait_until_asleep()
        client.write("\x03")
        client.expect(r"\^C")
        goes_on.set()
        client.expect("! get f: cancelled; nothing was saved\n")
        client.write("quit\r")
        client.finish(status=1)
    assert server.heard[-1] == "QUIT" and not os.listdir(here)


def test_ftp_client_a_second_ctrl_c_leaves(here):
    """The first Ctrl-C has no effect, because the server does not answer; the second one ends the client."""
    asked = threading.Event()

    def silent(server):
        asked.set()
        server.conn.recv(1, socket.MSG_PEEK)       # wait until the client has exited
    with FakeServer(RETR=silent) as server, ftp_client(server, here, tty=True) as client:
        client.write("get f\r")
        assert asked.wait(harness.TIMEOUT)
        for _ in range(2):
            client.wait_until_asleep()
            client.write("\x03")
            client.expect(r"\^C")
        client.finish(status=130)
    assert not os.listdir(here)


def test_ftp_client_interrupt():
    one = Interrupt()
    assert not one.press()                         # there is nothing to cancel
    with one.ignore():
        assert one.press()
    with one.transfer():
        assert one.press() and not one.press()     # the first one is recorded, the second one ends the client
        with pytest.raises(Cancelled), one.data():
            raise AssertionError("the transfer of data must not begin")
    with one.transfer():                           # the next transfer is not cancelled
        with one.data():
            pass
        with pytest.raises(Cancelled), one.data():
            one.press()
        assert not one.press()
    assert not one.press()


# Words

def test_ftp_client_knows_the_words_of_other_clients(library, here):
    lines = "ls\ndir deep\nls -la deep\nls -l\ncd deep\nget down.txt\nls\ncd ..\nget a.txt\ncd deep\ncd\ncd none\nbye\nget empty\n"
    with serve(SERVER, "-d", library) as server, ftp_client(server, here, stdin=lines) as client:
        client.finish(status=1, stderr="! cd none: 550 No such file or directory\n")
    shown = [line.split("  ")[-1] for line in client.stdout.splitlines()]
    every = ["a.txt", "deep/", "empty", "every byte", "课堂 笔记.txt"]
    assert shown == [*every, "down.txt", "down.txt", *every, "now in /deep", "got down.txt, 10 bytes", "down.txt", "now in /",
                     "got a.txt, 6 bytes", "now in /deep", "now in /"]
    for word in ("quit", "exit", "bye", "BYE", "4"):
        with FakeServer() as server, ftp_client(server, here, stdin=f"{word}\nfrobnicate\n") as client:
            client.finish()


@pytest.mark.parametrize("count, text", [
    (0, "0 bytes"), (1, "1 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1345, "1.3 KiB"), (1 << 20, "1.0 MiB"), (5 << 30, "5.0 GiB"),
    (3 << 41, "6,144.0 GiB"), (0.5, "0 bytes")])
def test_ftp_client_amounts(count, text):
    assert screen.amount(count) == text


# Tab

@pytest.fixture
def completer(tmp_path, monkeypatch):
    """Return a Completer. .asked: the folders that it asked its fake server for; .limits: the time limits that it set."""
    monkeypatch.chdir(tmp_path)
    grow(tmp_path, {"welcome home.txt": b"", "welcome too": b"", "sub dir/x.txt": b"", "sub dir/y": b""})
    asked = []

    def mlsd(folder):
        asked.append(folder)
        names = {"": [(".", "cdir"), ("a b.txt", "file"), ("a c.txt", "file"), ("deep", "dir"), ("\x1b[2J", "file")],
                 "deep": [("down", "file")], "odd": [(screen.to_wire("课堂"), "file")]}
        if folder not in names:
            raise ftplib.error_perm("550 none")
        return iter([(name, {"type": kind}) for name, kind in names[folder]])
    limits = []
    ftp = SimpleNamespace(sock=SimpleNamespace(settimeout=limits.append), timeout=30, mlsd=mlsd)
    one = Completer(ftp, {"ls": "list", "2": "get"})
    one.asked, one.limits = asked, limits
    return one


@pytest.mark.parametrize("line, found", [
    ("", ["cd ", "get ", "help", "list", "put ", "quit"]), ("g", ["get "]), ("x", []),
    ("get ", ["a b.txt", "a c.txt", "deep/"]), ("get a", ["a b.txt", "a c.txt"]), ("get a b", ["b.txt"]), ("2 d", ["deep/"]),
    ("get deep/", ["deep/down"]), ("get deep/d", ["deep/down"]), ("get none/", []), ("get odd/", ["odd/课堂"]), ("ls ", ["deep/"]), ("cd d", ["deep/"]),
    ("put ", ["sub dir/", "welcome home.txt", "welcome too"]), ("put welcome h", ["home.txt"]), ("put welcome ", ["home.txt", "too"]),
    ("put sub dir/", ["dir/x.txt", "dir/y"]), ("put none/", []), ("quit ", []), ("help x", []),
])
def test_ftp_client_completes(completer, line, found):
    assert completer.find(line, line.rpartition(" ")[2]) == found


def test_ftp_client_completion_asks_once_until_the_next_command(completer):
    for _ in range(3):
        completer.find("get a", "a")
    assert completer.asked == [""]
    completer.forget()
    completer.find("get a", "a")
    assert completer.asked == ["", ""]


def test_ftp_client_completion_is_less_patient_than_the_rest(completer):
    completer.find("get a", "a")
    assert completer.limits == [5, 30]
    completer.find("get none/", "none/")           # the server refuses this
    assert completer.limits == [5, 30, 5, 30]


def test_ftp_client_completion_keeps_an_error_for_the_menu(completer):
    error = ConnectionResetError()

    def broken(folder):
        raise error
    completer.ftp.mlsd = broken
    assert completer.find("get a", "a") == [] and completer.error is error


def test_ftp_client_completes_on_a_terminal(library, here):
    pytest.importorskip("readline")
    (here / "mine.txt").write_text("mine")
    with serve(SERVER, "-d", library) as server, ftp_client(server, here, tty=True) as client:
        client.expect("ftp> ")
        client.write("ge\tev\t\r")
        client.expect("got every byte, ")
        client.expect("ftp> ")
        client.write("get 课\t\r")
        client.expect("got 课堂 笔记.txt, ")
        client.write("put mi\t\r")
        client.expect("put mine.txt, 4 bytes")
        client.write("get mi\t\r")                # the completer asks again after each command
        client.expect("got mine.txt, 4 bytes")
        client.write("list de\t\r")
        client.expect("down.txt\n")
        client.write("quit\r")
        client.finish()


def test_ftp_client_without_readline(library, here, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['readline'] = None")
    with serve(SERVER, "-d", library) as server, ftp_client(server, here, tty=True, env={"PYTHONPATH": str(tmp_path)}) as client:
        client.expect("ftp> ")
        client.write("get a.txt\r")
        client.expect("got a.txt, 6 bytes")
        client.write("quit\r")
        client.finish()


def test_ftp_client_whose_server_dies_while_tab_asks(here):
    pytest.importorskip("readline")
    with FakeServer(PASV=lambda server: None) as server, ftp_client(server, here, tty=True) as client:
        client.expect("ftp> ")
        client.write("get \t")
        client.write("\r")
        client.expect("ftp_client: .*: the server closed the connection\n")
        client.finish(status=1)


# Where files go

@pytest.fixture
def course(tmp_path):
    """Return a copy of the course with only the FTP programs in it."""
    root = tmp_path / "clone"
    shutil.copytree(ROOT / "day11/ftp", root / "day11/ftp", ignore=shutil.ignore_patterns("__pycache__", "downloads"))
    (root / "day07").mkdir()
    return root


@pytest.mark.parametrize("folder, shown", [(".", "day11/ftp/downloads"), ("day07", "../day11/ftp/downloads"), ("day11/ftp", "downloads")])
def test_ftp_client_in_the_course_has_a_folder_for_downloads(library, course, folder, shown):
    (library / "课堂 笔记.txt").write_text("你好\n")
    with serve(SERVER, "-d", library) as server:
        with Program(course / CLIENT, server.port, cwd=course / folder, stdin="get 课堂 笔记.txt\nput 课堂 笔记.txt\nget none\n") as client:
            client.finish(status=1, stderr="! put 课堂 笔记.txt: 553 A file with that name already exists\n! get none: 550 .*\n")
    assert client.stdout == f"got 课堂 笔记.txt, 7 bytes, in {shown}\n"
    assert os.listdir(course / "day11/ftp/downloads") == ["课堂 笔记.txt"]
    assert sorted(os.listdir(course)) == ["day07", "day11"]


def test_ftp_client_elsewhere_uses_the_current_folder(library, course, here):
    copied = course.parent / "copied"
    shutil.copytree(course / "day11/ftp", copied)
    with serve(SERVER, "-d", library) as server:
        for script, folder in ((course / CLIENT, here), (copied / "ftp_client.py", copied), (copied / "ftp_client.py", here)):
            with Program(script, server.port, cwd=folder, stdin="get a.txt\n") as client:
                client.finish()
            assert (folder / "a.txt").exists() and client.stdout == "got a.txt, 6 bytes\n"
            (folder / "a.txt").unlink()


def test_ftp_client_downloads_and_uploads_are_ignored_by_git():
    """Git ignores downloads and uploads, but no file that belongs to the course."""
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, "-c", "core.quotePath=off", "-c", "safe.directory=*", *words], capture_output=True, text=True)
    if not shutil.which("git") or git("rev-parse").returncode:
        pytest.skip("this is not a git repository")
    for path in ("day11/ftp/downloads/x", "day11/ftp/files/upload.txt", "day11/ftp/files/folder/x", "day11/ftp/files/.upload-1"):
        assert git("check-ignore", "--no-index", path).returncode == 0, path
    shipped = git("ls-files", "day11/ftp").stdout.splitlines()
    assert len(shipped) > 20
    for path in shipped:
        assert git("check-ignore", "--no-index", path).returncode == 1, path


def test_ftp_client_start_it_first(here):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with Program(ROOT / CLIENT, port, cwd=ROOT, stdin="") as client:
        client.finish(status=1, stderr=f".*Start the server first, in another terminal: python day11/ftp/ftp_server.py {port}\n")


def test_ftp_client_places(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert places.download_folder() == "" and places.find_upload("x") == "x"
    monkeypatch.chdir(ROOT)
    assert places.download_folder() == str(ROOT / "day11/ftp/downloads")
