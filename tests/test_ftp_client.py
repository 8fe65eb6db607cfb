"""Tests of the FTP client: it does what its user types, and no faulty or hostile server can harm the user."""
import contextlib
import hashlib
import os
import random
import signal
import socket
import struct
import sys
import threading

import harness
import pytest
from ftp_harness import CLIENT, SERVER, FakeServer, ftp_server, sends
from harness import ROOT, Program, run, serve

FILES = ROOT / "day11/ftp/files"
EACH_BYTE = bytes(range(256)) * 5000 + b"\r\n\r\0\xff\xf4end"


@contextlib.contextmanager
def ftp_client(server, folder, *args, **options):
    """Start the client in a folder and yield its Program. server: an object with the attribute port."""
    with Program(ROOT / CLIENT, server.port, *args, cwd=folder, **options) as program:
        yield program


@pytest.fixture
def library(tmp_path):
    """Return a folder with some files, which the server serves."""
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"hello\n")
    (folder / "every byte").write_bytes(EACH_BYTE)
    (folder / "课堂 笔记.txt").write_text("你好\n")
    (folder / "empty").touch()
    (folder / "deep").mkdir()
    (folder / "deep" / "down.txt").write_bytes(b"down here\n")
    return folder


@pytest.fixture
def here(tmp_path):
    """Return an empty folder, in which the client runs."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


# In a pipe

def test_ftp_client_with_a_full_output_that_does_not_block(library, here):
    """Some programs start the client with a non-blocking standard output. While that is full, the client waits."""
    with serve(SERVER, "-d", library) as server:
        with Program(*harness.NARROW_OUTPUT, ROOT / CLIENT, server.port, stdin="list\n" * 300, cwd=here) as client:
            [output] = [fd for fd, name in client._outputs.items() if name == "stdout"]
            harness.wait_until(lambda: harness.unread(output) > 3900, lambda: "the output is not read, but it does not become full")
            client.finish()
    assert client.stdout.count("every byte") == 300


def test_ftp_client_in_a_pipe(library, here):
    with serve(SERVER, "-d", library) as server:
        with ftp_client(server, here, stdin="list\nget a.txt\nget every byte\n2 empty\nGET deep/down.txt\nquit\nget no more\n") as client:
            client.finish()
    assert {path.name: path.read_bytes() for path in here.iterdir()} == {
        "a.txt": b"hello\n", "every byte": EACH_BYTE, "empty": b"", "down.txt": b"down here\n"}
    listing, got = client.stdout.splitlines()[:5], client.stdout.splitlines()[5:]
    assert [line.split("  ")[-1] for line in listing] == ["a.txt", "deep/", "empty", "every byte", "课堂 笔记.txt"]
    assert len({line.index("  20") for line in listing}) == 1          # all dates begin in the same column
    assert listing[3].lstrip().startswith(f"{len(EACH_BYTE):,}  ")
    assert got == ["got a.txt, 6 bytes", f"got every byte, {len(EACH_BYTE):,} bytes", "got empty, 0 bytes", "got down.txt, 10 bytes"]


def test_ftp_client_lists_a_folder_and_an_empty_one(library, here):
    (library / "nothing").mkdir()
    with serve(SERVER, "-d", library) as server:
        with ftp_client(server, here, stdin="list deep\nlist nothing") as client:
            client.finish()
    assert client.stdout.splitlines()[0].endswith("  down.txt") and client.stdout.endswith("\n(empty)\n")


def test_ftp_client_the_library_of_the_course(here):
    names = sorted(path.name for path in FILES.iterdir())
    with serve(SERVER, "--read-only") as server:
        with ftp_client(server, here, stdin="".join(f"get {name}\n" for name in names)) as client:
            client.finish()
    assert len(names) >= 5 and any(" " in name for name in names) and not all(name.isascii() for name in names)
    assert {name: (here / name).read_bytes() for name in names} == {name: (FILES / name).read_bytes() for name in names}


def test_ftp_client_there_and_back(library, here):
    """A file that one client puts and another client gets is unchanged, whatever its name."""
    names = ["big", "two  spaces.bin", "课堂 照片.bin", "-l", os.fsdecode(b"not utf-8 \xff")]
    noise = random.Random(7)
    for name in names:
        (here / name).write_bytes(noise.randbytes(3_000_000 if name == "big" else 70_000))
    back = here.parent / "back"
    back.mkdir()
    with serve(SERVER, "-d", library) as server:
        lines = "".join(f"put {name}\n" for name in names)
        for folder, text in ((here, lines), (back, lines.replace("put", "get"))):
            with ftp_client(server, folder, stdin=None) as client:
                client.write(text.encode("utf-8", "surrogateescape"))
                client.close_stdin()
                client.finish()
    for name in names:
        wanted = hashlib.sha256((here / name).read_bytes()).digest()
        assert hashlib.sha256((library / name).read_bytes()).digest() == wanted
        assert hashlib.sha256((back / name).read_bytes()).digest() == wanted


def test_ftp_client_puts_under_the_base_name(library, here):
    (here / "folder").mkdir()
    (here / "folder" / "x.txt").write_text("x")
    with serve(SERVER, "-d", library) as server:
        with ftp_client(server, here, stdin="put folder/x.txt\nput ~/h.txt", env={"HOME": str(here / "folder")}) as client:
            client.finish(status=1, stderr="! put ~/h.txt: No such file or directory\n")
    assert (library / "x.txt").read_text() == "x"


def test_ftp_client_says_what_does_not_work_and_goes_on(library, here):
    (here / "folder").mkdir()
    (here / "a.txt").write_text("mine")
    (here / "deep").mkdir()
    os.mkfifo(here / "pipe")
    with serve(SERVER, "-d", library) as server:
        for line, complaint in [
            ("frobnicate", "unknown command; use list, get, put, cd, quit or help"), ("9", "unknown command; .*"),
            ("get", "which file\\? Type: get NAME"), ("3", "which file\\? Type: put FILE"),
            ("get nothing.txt", "550 .*"), ("get deep/", "that is not the name of a file"), ("get ..", "that is a folder"),
            ("get deep", "that is a folder"), ("get empty/x", "550 .*"), ("list nowhere", "550 .*"),
            ("put nothing.txt", "No such file or directory"), ("put folder", "that is a folder"),
            ("put pipe", "that is not a file"), ("put a.txt", "553 .*"), ("put a\0b", ".*null.*"), ("get a\0b", "550 .*|501 .*"),
        ]:
            with ftp_client(server, here, stdin=f"{line}\nget every byte\n") as client:
                client.finish(status=1, stderr=f"! [^\n]*: ({complaint})\n")
            assert client.stdout.startswith("got every byte")
            (here / "every byte").unlink()
    assert sorted(os.listdir(here)) == ["a.txt", "deep", "folder", "pipe"]
    assert (here / "a.txt").read_text() == "mine" and (library / "a.txt").read_bytes() == b"hello\n"


def test_ftp_client_replaces_a_file_of_that_name_and_no_link(library, here):
    elsewhere = here.parent / "elsewhere"
    elsewhere.write_text("keep me")
    (here / "a.txt").symlink_to(elsewhere)
    (here / "empty").write_text("old")
    with serve(SERVER, "-d", library) as server, ftp_client(server, here, stdin="get a.txt\nget empty") as client:
        client.finish()
    assert elsewhere.read_text() == "keep me" and (here / "a.txt").read_bytes() == b"hello\n" and (here / "empty").read_bytes() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_ftp_client_whose_output_nobody_reads(library, here):
    with serve(SERVER, "-d", library) as server:
        command = f"exec '{sys.executable}' '{ROOT / CLIENT}' {server.port} >/dev/full"
        with Program("sh", "-c", command, stdin="list\nget a.txt\n", cwd=here) as client:
            client.finish(status=1)
    assert not os.listdir(here)


# Logging in

def test_ftp_client_as_a_user(library, here):
    (here / "a.txt").write_text("new")
    with serve(SERVER, "-d", library, "--user", "安:pass word") as server:
        with ftp_client(server, here, "--user", "安", stdin="pass word\nput a.txt\n") as client:
            client.finish()
        assert (library / "a.txt").read_text() == "new"
        with ftp_client(server, here, "--user", "安", stdin="guess\nput a.txt\n") as client:
            client.finish(status=1, stderr="ftp_client: 127.0.0.1 port .*: 530 .*\n")
        with ftp_client(server, here, "--user", "安") as client:
            client.write("")
            client.close_stdin()
            client.finish(status=1, stderr="ftp_client: .*standard input has ended, but the first line must be the password\n")
        with ftp_client(server, here, "--user", "安", tty=True) as client:
            client.expect("Password: ")
            client.write("pass word\r")
            client.expect("ftp> ")
            client.write("quit\r")
            client.finish()
        assert "pass word" not in client.stdout


# On a terminal

def test_ftp_client_on_a_terminal(library, here):
    (here / "b.txt").write_text("b")
    with serve(SERVER, "-d", library) as server, ftp_client(server, here, tty=True) as client:
        client.expect("1  list .*\n.*2  get NAME .*\n.*3  put FILE.*\n.*4  quit .*\n.*5  help")
        client.expect("ftp> ")
        client.write("1\r")
        client.expect("课堂 笔记.txt\n")
        client.write("get every byte\r")
        client.expect(r"100% \[#+\] 1.2 MiB +[\d,.]+ [KMG]iB/s")
        client.expect("got every byte, .* bytes\nftp> ")
        client.write("3 b.txt\r")
        client.expect(r"100% \[#+\]")
        client.expect("put b.txt, 1 bytes\nftp> ")
        client.write("get 课堂 笔记.txt\r")
        client.expect("got 课堂 笔记.txt")
        client.write("help\r")
        client.expect("5  help.*\n\nftp> ")
        client.write("\x04")                       # Ctrl-D
        client.finish()
    assert (here / "every byte").read_bytes() == EACH_BYTE and (library / "b.txt").read_text() == "b"


def test_ftp_client_leaves_on_signals(library, here):
    with serve(SERVER, "-d", library) as server:
        for leave, status in [("\x03", 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), ("hang up", 129)]:
            with ftp_client(server, here, tty=True) as client:
                client.expect("ftp> ")
                client.write("half a li")
                client.expect("half a li")
                client.wait_until_asleep()         # as if a person pressed Ctrl-C: see harness.Program.interrupt
                if leave == "hang up":
                    client.hang_up()
                elif isinstance(leave, str):
                    client.write(leave)
                else:
                    client.signal(leave)
                client.finish(status=status)


def test_ftp_client_ctrl_c_in_a_download_leaves_nothing(here):
    def half(server):
        with server.data() as conn, contextlib.suppress(ConnectionError):
            conn.sendall(bytes(1000))
            conn.recv(1)                           # wait until the client has closed the connection
    with FakeServer(RETR=half) as server, ftp_client(server, here, stdin=None) as client:
        client.write("get half\n")
        while not any(path.stat().st_size == 1000 for path in here.iterdir()):
            os.sched_yield()
        client.interrupt()
        client.finish(status=130)
    assert not os.listdir(here)


def test_ftp_client_ctrl_c_in_an_upload_is_no_end_of_file(here):
    """The server must see a reset: an ordinary end of the data connection (EOF) would mean that the file is complete."""
    ends, started = [], threading.Event()

    def watch(server):
        with server.data() as conn:
            conn.recv(1, socket.MSG_PEEK)          # wait until the client sends; before that, Ctrl-C finds nothing to cancel
            started.set()
            server.conn.recv(1, socket.MSG_PEEK)   # wait until the client closes the control connection
            try:
                while conn.recv(1 << 20):
                    pass
                ends.append("end of file")
            except ConnectionResetError:
                ends.append("reset")
    with open(here / "big", "wb") as file:
        file.truncate(1 << 26)
    with FakeServer(STOR=watch) as server, ftp_client(server, here, stdin=None) as client:
        client.write("put big\n")
        assert started.wait(harness.TIMEOUT)
        client.interrupt()
        client.finish(status=130)
    assert ends == ["reset"]


# Servers that do not run, or that are faulty

def test_ftp_client_refused(here):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    command = f"{os.path.relpath(ROOT, here)}/day11/ftp/ftp_server.py {port}"
    run(ROOT / CLIENT, port, cwd=here, status=1, stderr=f"ftp_client: 127.0.0.1 port {port}: Connection refused. "
                                                        f"Start the server first, in another terminal: python {command}\n")
    run(CLIENT, "-H", "127.0.0..1", status=1, stderr="ftp_client: 127.0.0..1 port 2121: .*\n")
    for wrong in (["0"], ["65536"], ["x"], ["--nonsense"], ["1", "2"]):
        run(CLIENT, *wrong, status=2, stderr="usage: .*\nftp_client.py: error: [^\n]*\n")


def test_ftp_client_server_dies(library, here):
    with Program(SERVER, "0", "-d", library) as server:
        server.port = int(server.expect(r"listening on .*:(\d+)")[1])
        with ftp_client(server, here, stdin=None) as client:
            client.write("get a.txt\n")
            client.expect("got a.txt")
            server.signal(signal.SIGKILL)
            server.finish(status=-signal.SIGKILL)
            client.write("list\nget empty\n")
            client.finish(status=1, stderr=f"ftp_client: 127.0.0.1 port {server.port}: (the server closed the connection"
                                           "|Broken pipe|Connection reset by peer)\n")
    assert os.listdir(here) == ["a.txt"]


def test_ftp_client_last_words_of_a_server(here):
    with FakeServer(TYPE="421 Silent for too long") as server, ftp_client(server, here, stdin="get a\nget b\n") as client:
        client.finish(status=1, stderr="ftp_client: .*: 421 Silent for too long\n")
    with FakeServer(USER=lambda server: None) as server, ftp_client(server, here, stdin="get a\n") as client:
        client.finish(status=1, stderr="ftp_client: .*: the server closed the connection\n")
    with FakeServer(PASS="nonsense \x1b[2J") as server, ftp_client(server, here, stdin="get a\n") as client:
        client.finish(status=1, stderr="ftp_client: .*: nonsense \ufffd\\[2J\n")


def test_ftp_client_shows_the_whole_of_a_reply(here):
    """In UTF-8, 内 contains the byte 0x85, a line end for str.splitlines in Latin-1; the client must not cut the reply there."""
    with FakeServer(RETR="550 内部.txt: no") as server, ftp_client(server, here, stdin="get x\n") as client:
        client.finish(status=1, stderr="! get x: 550 内部.txt: no\n")


def test_ftp_client_without_stderr(library, here):
    with ftp_server(library) as server:
        command = f"exec '{sys.executable}' '{ROOT / CLIENT}' {server.port} 2>&-"
        with Program("sh", "-c", command, stdin="get a.txt\nget none\n", cwd=here) as client:
            client.finish(status=1)
    assert (here / "a.txt").read_bytes() == b"hello\n"


@pytest.mark.parametrize("answer, complaint", [
    (sends(b"x" * 1000), "received 1,000 bytes instead of 2,000"),
    (sends(b"x" * 1000, "426 Something broke"), "426 Something broke"),
    (sends(b"x" * 3000), "received more than the 2,000 bytes of the file"),
    (sends(b"x" * 2000, "451 The disk failed"), "451 The disk failed"),
])
def test_ftp_client_a_transfer_that_fails_leaves_nothing(here, answer, complaint):
    (here / "f").write_text("old")
    with FakeServer(RETR=answer) as server, ftp_client(server, here, stdin="get f\nget f\n") as client:
        client.finish(status=1, stderr=f"! get f: {complaint}\n" * 2)  # the session goes on, and the second get has its own replies
    assert os.listdir(here) == ["f"] and (here / "f").read_text() == "old"


def test_ftp_client_data_connection_reset(here):
    def reset(server):
        with server.data() as conn:
            conn.sendall(bytes(1000))
            while not any(path.stat().st_size == 1000 for path in here.iterdir()):
                os.sched_yield()
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return "426 It broke"
    with FakeServer(RETR=reset) as server, ftp_client(server, here, stdin="get f\nget f\n") as client:
        client.finish(status=1, stderr="! get f: 426 It broke\n" * 2)
    assert not os.listdir(here)


def test_ftp_client_both_connections_cut(here):
    with FakeServer(RETR=sends(bytes(1000), None)) as server, ftp_client(server, here, stdin="get f\nget f\n") as client:
        client.finish(status=1, stderr="ftp_client: .*: the server closed the connection\n")
    assert not os.listdir(here)


def test_ftp_client_an_upload_that_the_server_refuses_midway(here):
    def refuse(server):
        with server.data() as conn:
            conn.recv(1)                           # closing a socket with unread bytes sends a reset
        return "452 The disk is full"
    with open(here / "big", "wb") as file:
        file.truncate(1 << 25)
    with FakeServer(STOR=refuse) as server, ftp_client(server, here, stdin="put big\nput big\n") as client:
        client.finish(status=1, stderr="! put big: 452 The disk is full\n" * 2)


def test_ftp_client_promises_the_size(here):
    """The client sends ALLO with the size first, and uploads even if the server does not know ALLO."""
    def take(server):
        with server.data() as conn:
            server.heard.append(conn.recv(100, socket.MSG_WAITALL))
        return "226 Stored"
    (here / "f").write_bytes(b"12345")
    for reply in ("200 OK", "502 Not here"):
        with FakeServer(ALLO=reply, STOR=take) as server, ftp_client(server, here, stdin="put f\n") as client:
            client.finish()
        assert server.heard[server.heard.index("ALLO 5"):][-3:] == ["STOR f", b"12345", "QUIT"]


def test_ftp_client_a_full_disk_here(here):
    """A limit on the size of files takes the place of a full disk. The session goes on after the error."""
    with FakeServer(RETR=sends(b"x" * 2000)) as server:
        command = f"trap '' XFSZ; ulimit -f 1; exec '{sys.executable}' '{ROOT / CLIENT}' {server.port}"
        with Program("sh", "-c", command, stdin="get f\nget f\n", cwd=here) as client:
            client.finish(status=1, stderr="! get f: File too large\n" * 2)
    assert not os.listdir(here)


def test_ftp_client_asks_for_list_only_where_mlsd_is_not_known(here):
    """If MLSD fails because the folder does not exist, the client does not try LIST."""
    with FakeServer(MLSD="550 No such folder") as server, ftp_client(server, here, stdin="list none\n") as client:
        client.finish(status=1, stderr="! list none: .*No such folder\n")
    assert "MLSD none" in server.heard and not any(command.startswith("LIST") for command in server.heard)


def test_ftp_client_a_server_without_size_or_mlsd(here):
    listing = b"-rw-r--r-- 1 ftp ftp 3 Jan  1 00:00 x\x1b[2J\r\n"
    def no_mlsd(server):
        server.data_listener.accept()[0].close()
        return "502 No"
    with FakeServer(SIZE="502 No", RETR=sends(b"abc"), MLSD=no_mlsd, LIST=sends(listing)) as server:
        with ftp_client(server, here, stdin="get f\nlist\n") as client:
            client.finish()
    assert client.stdout == "got f, 3 bytes\n-rw-r--r-- 1 ftp ftp 3 Jan  1 00:00 x\ufffd[2J\n"
    assert (here / "f").read_bytes() == b"abc"


def test_ftp_client_a_foreign_address_for_the_data(here):
    """If the reply to PASV names another host, the client still connects to the server, and not to that host."""
    with socket.create_server(("127.0.0.2", 0)) as victim:
        victim.setblocking(False)
        with FakeServer(PASV=lambda server: server.passive("127.0.0.2"), RETR=sends(b"x" * 2000)) as server:
            with ftp_client(server, here, stdin="get f\n") as client:
                client.finish()
        with pytest.raises(BlockingIOError):
            victim.accept()
    assert (here / "f").stat().st_size == 2000


def test_ftp_client_does_not_trust_names_and_facts(here):
    lines = [b"type=file;size=1;modify=20260102030405; \x1b]0;title\x07\xc2\x9b2J\xe2\x80\xae.txt", b"type=file;size=\x1b[1m;modify=soon; odd",
             b"type=file;size=2;modify=00010101000000; \xff\xfe", b"type=dir; folder", b"type=cdir; /"]
    with FakeServer(MLSD=sends(b"\r\n".join([*lines, b""]))) as server, ftp_client(server, here, stdin="list\n") as client:
        client.finish()
    assert [line.split("  ")[-1].strip() for line in client.stdout.splitlines()] == [
        "\ufffd]0;title\ufffd\ufffd2J\ufffd.txt", "folder/", "odd", "\ufffd\ufffd"]


@pytest.mark.parametrize("port", ["999,999", "0,0"])
def test_ftp_client_nonsense_for_a_port(here, port):
    with FakeServer(PASV=f"227 (127,0,0,1,{port})") as server, ftp_client(server, here, stdin="list\n") as client:
        client.finish(status=1, stderr="ftp_client: 127.0.0.1 port [^\n]*\n")
