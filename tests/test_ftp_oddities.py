"""Tests of the FTP server on unusual systems: no hard links, no /proc, link-local addresses, odd names, times and commands."""
import contextlib
import errno
import ftplib
import json
import os
import queue
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
from types import SimpleNamespace

import harness
import pytest
from ftp_harness import CLIENT, SERVER, Client, files, ftp_server, ftplib_client, grow
from ftp_harness import server, shared  # noqa: F401
from ftpd import library as room
from ftpd import listings, names, rename, watch
from ftpd.library import Library, Upload
from harness import ROOT, TIMEOUT, Program, ready, run, wait_until


# Systems and file systems that lack a feature of Linux

def refuse(number):
    def call(*args, **options):
        raise OSError(number, os.strerror(number))
    return call


NO_LINKS = [errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK]
FAULTS = {
    **{f"no links, {errno.errorcode[number]}": [("os", "link", refuse(number))] for number in NO_LINKS},
    "no links and no unnamed files": [("os", "link", refuse(errno.EPERM)), ("os", "O_TMPFILE", os.O_DIRECTORY)],
    "no links and no renameat2": [("os", "link", refuse(errno.EPERM)), ("rename", "renameat2", refuse(errno.EINVAL))],
    "none of them": [("os", "link", refuse(errno.EPERM)), ("os", "O_TMPFILE", os.O_DIRECTORY),
                     ("rename", "renameat2", refuse(errno.ENOSYS))],
    "no /proc": [("os.path", "exists", lambda path: False)],
}


@pytest.fixture(params=FAULTS)
def library(request, tmp_path, monkeypatch):
    """Yield a Library on a system that lacks a feature: each entry of FAULTS makes some functions fail."""
    grow(tmp_path / "root", {"old": b"old", "folder": None})
    found = Library(tmp_path / "root")
    found.folder_on_disk = tmp_path / "root"
    for where, name, fault in FAULTS[request.param]:
        monkeypatch.setattr({"os": room.os, "os.path": room.os.path, "rename": rename}[where], name, fault)
    yield found
    monkeypatch.undo()
    os.close(found.root)


def test_ftp_upload_where_links_are_refused(library):
    content = os.urandom(600_000)
    before = files(library.folder_on_disk)
    for replace, name in [(False, "new"), (True, "old"), (True, "newer"), (False, "folder/new")]:
        with Upload(library, f"/{name}", replace) as upload:
            os.write(upload.fd, content)
            assert {path: text for path, text in files(library.folder_on_disk).items() if ".upload-" not in path} == before
            upload.commit()
        before[name] = content
        assert files(library.folder_on_disk) == before


def test_ftp_upload_where_links_are_refused_never_overwrites(library):
    before = files(library.folder_on_disk)
    for name in ("old", "folder"):
        with Upload(library, f"/{name}", replace=False) as upload, pytest.raises(FileExistsError):
            os.write(upload.fd, b"half")
            upload.commit()
        assert files(library.folder_on_disk) == before
    with Upload(library, "/new", replace=False) as first, Upload(library, "/new", replace=False) as second:
        os.write(second.fd, b"second")
        second.commit()
        with pytest.raises(FileExistsError):
            first.commit()
    assert files(library.folder_on_disk) == {**before, "new": b"second"}


def test_ftp_upload_that_cannot_even_begin_says_why(tmp_path, monkeypatch):
    library = Library(tmp_path)
    open_ = os.open
    monkeypatch.setattr(room.os, "O_TMPFILE", os.O_DIRECTORY)
    monkeypatch.setattr(room.os, "open", lambda name, *args, **options: (
        refuse(errno.ENOSPC)() if ".upload-" in name else open_(name, *args, **options)))
    try:
        with pytest.raises(OSError) as caught:
            Upload(library, "/new", replace=False)
        assert caught.value.errno == errno.ENOSPC
    finally:
        monkeypatch.undo()
        os.close(library.root)


def test_ftp_rename_in_one_step_where_the_system_can(tmp_path, monkeypatch):
    """On ext4 and tmpfs, renameat2 renames in one step: no empty file claims the name first."""
    monkeypatch.setattr(rename, "claim_and_rename", None)
    grow(tmp_path, {"a": b"a", "b": b"b"})
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        rename.rename_new("a", "c", folder)
        with pytest.raises(FileExistsError):
            rename.rename_new("b", "c", folder)
    finally:
        os.close(folder)
    assert files(tmp_path) == {"c": b"a", "b": b"b"}


def test_ftp_rename_that_fails_leaves_no_claim(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(FileNotFoundError):
            rename.claim_and_rename("none", "new", folder)
    finally:
        os.close(folder)
    assert files(tmp_path) == {}


def test_ftp_server_refuses_a_name_that_is_taken_before_the_data(tmp_path):
    grow(tmp_path, {"old": b"old"})
    with ftp_server(tmp_path) as server, Client(server, "anonymous") as client, client.passive():
        assert client.ask("STOR old") == 553


@pytest.fixture
def fat(tmp_path):
    """Mount a real FAT file system; yield its folder."""
    image, folder = tmp_path / "image", tmp_path / "stick"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    if os.geteuid() != 0 or not shutil.which("mkfs.vfat"):
        pytest.skip("needs root and mkfs.vfat")
    subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
    if subprocess.run(["mount", "-o", "loop,utf8", image, folder], capture_output=True).returncode:
        pytest.skip("FAT cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_ftp_server_on_fat(fat):
    with ftp_server(fat, "--user", "bob:secret") as server:
        for user in ("anonymous", "bob"):
            with Client(server, user) as client:
                code = client.put(f"STOR by {user}", b"data")
                assert code == (553 if user == "anonymous" else 226)
                assert user == "anonymous" or client.put("STOR by bob", b"more") == 226
    with ftp_server(fat) as server, Client(server, "anonymous") as client:
        assert client.put("STOR new", b"data") == 226 and client.put("STOR new", b"more") == 553
    assert files(fat) == {"by bob": b"more", "new": b"data"}


def test_ftp_server_without_proc(tmp_path):
    """Clients can upload even if the server has no /proc, as in a chroot; sitecustomize hides /proc from it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os\nexists, link = os.path.exists, os.link\n"
        "def gone(path):\n    return str(path).startswith('/proc')\n"
        "os.path.exists = lambda path: not gone(path) and exists(path)\n"
        "def link_(source, *args, **options):\n"
        "    if gone(source): raise FileNotFoundError(2, 'No such file or directory')\n"
        "    return link(source, *args, **options)\nos.link = link_\n")
    (tmp_path / "root").mkdir()
    with ftp_server(tmp_path / "root", env={"PYTHONPATH": str(tmp_path)}) as server, Client(server, "anonymous") as client:
        assert client.put("STOR new", b"data") == 226 and client.put("STOR new", b"more") == 553
    assert files(tmp_path / "root") == {"new": b"data"}


@pytest.mark.skipif(not os.path.exists("/sys/kernel/btf/vmlinux"), reason="needs a file that cannot be mapped with MAP_SHARED")
def test_ftp_server_sends_files_that_cannot_be_mapped_shared():
    with ftp_server("/sys/kernel/btf", "--read-only") as server, Client(server, "anonymous") as client:
        with open("/sys/kernel/btf/vmlinux", "rb") as file:
            assert client.get("RETR vmlinux") == file.read()


# Link-local addresses of IPv6: they are valid only together with their scope

LINK_LOCAL = """
import ftplib, json, subprocess, sys
sys.path.append(sys.argv[1])
from harness import run, serve
found = []
for bind in ("::", "fe80::1%lo"):
    with serve(sys.argv[2], "-d", sys.argv[4], "-b", bind) as server:
        for passive in (True, False):
            with ftplib.FTP(timeout=20) as ftp:
                ftp.connect("fe80::1%lo", server.port)
                ftp.login()
                ftp.set_pasv(passive)
                if passive:                        # ftplib itself forgets the scope
                    ftp.makepasv = lambda: ("fe80::1%lo", ftplib.parse229(ftp.sendcmd("EPSV"), ftp.sock.getpeername())[1])
                found.append(ftp.nlst())
        client = run(sys.argv[3], server.port, "-H", "fe80::1%lo", stdin="list\\nget a\\nput a\\n", status=1, stderr=".*553.*", cwd=sys.argv[5])
        found.append(client.stdout.splitlines()[-1])
print(json.dumps(found))
"""


def test_ftp_over_an_address_of_a_link(tmp_path):
    """Run server and clients in a new network namespace, whose loopback interface has a link-local address."""
    def isolated(*command, **options):
        return subprocess.run(["unshare", "-rn", "sh", "-c", "ip link set lo up && ip -6 addr add fe80::1/64 dev lo nodad && exec \"$@\"",
                               "sh", *map(str, command)], capture_output=True, text=True, timeout=3 * TIMEOUT, **options)
    if not shutil.which("unshare") or not shutil.which("ip") or isolated("true").returncode:
        pytest.skip("no network namespace, or no IPv6")
    (tmp_path / "a").write_bytes(b"data")
    here = tmp_path / "here"
    here.mkdir()
    done = isolated(sys.executable, "-c", LINK_LOCAL, ROOT / "tests", SERVER, ROOT / CLIENT, tmp_path, here)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [["a", "here"], ["a", "here"], "got a, 4 bytes"] * 2


# Names that are not UTF-8

NAMES = ["a", "课堂 笔记", "caf\udce9.txt", "\udcff\udcfe", "\\", "\\x41", "\\xe9", "a\\x5cxe9", "\\x5c", "\\\\xff", "\\x\udce9", "\udce9\\xe9",
         "\udcc3", "é\udcc3", "\\xE9"]


@pytest.mark.parametrize("name", NAMES)
def test_ftp_names_on_the_wire_are_utf8_and_mean_the_same_file(name):
    wire = names.to_wire(name).decode()            # raises an exception if the bytes are not UTF-8
    assert names.from_wire(wire) == name
    assert wire == name or not name.isascii() or "\\x" in name
    if not re.search(r"\\x", name):
        assert names.from_wire(name) == name       # a client may also send the bytes of the disk


def test_ftp_names_on_the_wire_are_different_if_the_files_are():
    assert len({names.to_wire(name) for name in NAMES}) == len(NAMES)


def test_ftp_names_cannot_smuggle_what_is_forbidden():
    assert names.from_wire("\\xc2\\x85") == "\x85"                     # so FORBIDDEN matches this character
    for text in ("\\x2f", "\\x00", "\\x0a", "\\x2e"):
        assert names.from_wire(text) == text


def test_ftp_server_and_names_that_are_not_utf8(server):
    strange = [b"caf\xe9.txt", "课堂.txt".encode("gbk"), b"a\\xe9", b"plain"]
    for name in strange:
        with open(os.path.join(os.fsencode(server.root), name), "wb") as file:
            file.write(name)
    os.mkdir(os.path.join(os.fsencode(server.root), b"d\xe9"))
    with ftplib_client(server) as ftp:                                 # ftplib raises an exception for bytes that are not UTF-8
        listed = ftp.nlst()
        assert sorted(name for name, _ in ftp.mlsd() if name != ".") == sorted(listed) and "caf\\xe9.txt" in listed
        assert len(listed) == len(strange) + 1
        contents = []
        for name in listed:
            if name != "d\\xe9":
                ftp.retrbinary(f"RETR {name}", contents.append)
                assert ftp.size(name) and ftp.nlst(name) == [name]
        assert sorted(contents) == sorted(strange)
        ftp.cwd("d\\xe9")
        assert ftp.pwd() == "/d\\xe9"
        ftp.cwd("..")
        ftp.rename("caf\\xe9.txt", "d\\xe9/x")
        assert ftp.nlst("d\\xe9/*") == ["d\\xe9/x"]
        with pytest.raises(ftplib.error_perm, match="501"):
            ftp.mkd("\\xc2\\x85")
    with Client(server) as client:                                     # a client may also send the bytes of the disk
        assert client.get(b"RETR d\xe9/x".decode("utf-8", "surrogateescape")) == b"caf\xe9.txt"


# Times

@pytest.mark.parametrize("seconds, text", [
    (2 ** 61, "99991231235959"), (2 ** 63, "99991231235959"), (1e300, "99991231235959"), (253402300800, "99991231235959"),
    (-2 ** 61, "10000101000000"), (-10 ** 11, "10000101000000"), (0, "19700101000000"), (253402300799, "99991231235959")])
def test_ftp_times_of_any_size(seconds, text):
    st = SimpleNamespace(st_mode=0o100644, st_dev=1, st_ino=1, st_size=1, st_nlink=1, st_mtime=seconds)
    assert listings.modified(st) == text and f"modify={text};" in listings.facts(SimpleNamespace(facts=listings.FACTS), st)
    client = SimpleNamespace(path=lambda argument: "/", is_folder=lambda argument: True, library=SimpleNamespace(list=lambda path: [("a", st)]))
    [line] = listings.long_lines(client, "")
    assert line.endswith(" a") and text[:4] in line


def test_ftp_server_lists_files_of_any_time(server):
    shm = "/dev/shm"
    if not os.access(shm, os.W_OK):
        pytest.skip("needs tmpfs, which stores any modification time")
    folder = os.path.join(shm, f"ftp-{os.getpid()}")
    os.mkdir(folder)
    try:
        for name, seconds in [("future", 2 ** 61), ("past", -2 ** 61), ("now", 1_700_000_000)]:
            with open(os.path.join(folder, name), "w"):
                pass
            with contextlib.suppress(OSError):
                os.utime(os.path.join(folder, name), (seconds, seconds))
        with ftp_server(folder) as odd, Client(odd, "anonymous") as client:
            for command in ("LIST", "MLSD", "NLST", "LIST future", "LIST past"):
                assert client.get(command).split()[-1] in (b"past", b"future"), command
            assert len(client.get("LIST").splitlines()) == 3 and client.ask("MDTM future") == client.ask("STAT") + 2 == 213
    finally:
        shutil.rmtree(folder)


def test_ftp_server_sets_times(server):
    (server.root / "a b").write_bytes(b"a")
    with Client(server) as client:
        assert client.ask("FEAT") == 211 and " MFMT" in client.text.split("\n")
        assert client.ask("MFMT 20200102030405 a b") == 213 and client.text == "213 Modify=20200102030405; /a b"
        assert client.ask("MDTM a b") == 213 and client.text == "213 20200102030405"
        assert (server.root / "a b").stat().st_mtime == 1577934245
        (server.root / "link").symlink_to("a b")
        assert client.ask("MFMT 20200102030406 link") == 550
        assert client.ask("MFMT 20200102030406.789 /a b") == 213


def test_ftp_server_lets_anonymous_set_the_time_of_its_own_upload(tmp_path):
    (tmp_path / "old").touch()
    with ftp_server(tmp_path) as server:
        with Client(server, "anonymous") as client:
            assert client.ask("MFMT 20200102030405 old") == 550
            assert client.put("STOR new") == 226
            assert client.ask("MFMT 20200102030405 new") == 213 and client.ask("MFMT 20200102030405 old") == 550
        with Client(server, "anonymous") as client:
            assert client.ask("MFMT 20200102030405 new") == 550        # another client may have uploaded this file


# Unusual commands of clients

def test_ftp_server_and_the_client_of_windows(server):
    """The ftp command of Windows sends only the older names of verbs (RFC 1123, 4.1.3.1)."""
    with Client(server) as client:
        for command, code in [("XPWD", 257), ("XMKD a", 257), ("XCWD a", 250), ("XPWD", 257), ("XCUP", 250), ("XRMD a", 250),
                              ("XRMD a", 550), ("XMKD", 501), ("XCWD none", 550)]:
            assert client.ask(command) == code, command
        assert client.ask("XPWD") == 257 and client.text == '257 "/"'
    with Client(server, None) as client:
        assert client.reply() == 220 and client.ask("XPWD") == client.ask("XMKD x") == 530


def test_ftp_server_and_options_of_ls(server):
    grow(server.root, {"folder/inner": b"", "-rf": b"-rf", "-l": b"-l", "-x y": b""})
    with Client(server) as client:
        assert client.get("NLST -rf") == b"-rf\r\n" and client.get("NLST -x y") == b"-x y\r\n"
        assert client.get("NLST -la folder") == b"inner\r\n" and client.get("NLST ./-l") == b"./-l\r\n"
        assert len(client.get("LIST -a").splitlines()) == 4            # -a is an option, so all four entries are listed
        assert client.ask("STAT -la folder") == 213 and client.text.split("\n")[1].endswith(" inner")
        assert client.ask("STAT -rf") == 213 and client.text.split("\n")[1].endswith(" -rf")


def test_ftp_server_never_answers_in_the_words_of_python(server):
    nonsense = ["127,0,0,1,1.1", "1,2", ",,,,,", "a,b,c,d,e,f", "|1|127.0.0.1.1|40|", "|1|x|40|", "|2|::g|4|", "9" * 5000, "\udcff", "\\xff",
                "a/" * 3000, "١٢٣", "|" * 5, "20200101000000", "99999999999999 a", "type;" * 50, "%s", "{0}", "-la", "a:b"]
    with Client(server) as client:
        for verb in "PORT EPRT EPSV REST ALLO TYPE OPTS MDTM MFMT SIZE MLST STAT CWD MKD RMD DELE RNFR USER".split():
            for argument in nonsense:
                client.ask(f"{verb} {argument}")
                said = client.text.replace(argument, "").replace(names.to_wire(argument).decode(), "")
                assert not re.search(r"invalid literal|appear|codec|must be [^y]|not a valid|object|Errno|int\(|Exception|Traceback|argument '", said), said
                if verb == "USER":
                    assert client.ask("USER bob") == 331 and client.ask("PASS secret") == 230


def test_ftp_server_on_ipv6_wants_epsv(tmp_path):
    with ftp_server(tmp_path, "-b", "::1") as server, Client(server, "anonymous") as client:
        assert client.ask("PASV") == 502 and client.get("NLST") == b""


# What the server prints on its terminal

def test_ftp_server_shows_what_clients_do(tmp_path):
    grow(tmp_path, {"a.txt": b"12345", "old": b"1"})
    with Program(SERVER, "0", "-v", "-d", tmp_path, "--user", "bob:secret", stdin="") as server:
        ready(server)
        with Client(server, "bob") as client:
            name = "127.0.0.1:{}".format(client.getsockname()[1])
            client.get("RETR a.txt")
            client.put("STOR new\u202e", b"123")
            client.put("STOR none/x")
            client.get("NLST")
            client.ask("DELE none")
            client.ask("NOOP")
            client.ask("RNFR old")
            client.ask("RNTO older")
            client.ask("USER bob\x1b[2J")
            client.ask("PASS guess\x1b")
            client.ask("QUIT")
        server.expect(f"{name} left\n")
        server.interrupt()
        server.finish()
    assert server.stdout.splitlines()[1:] == [f"{name} {line}" for line in [
        "connected", "logged in as bob", "RETR /a.txt, 5 bytes: Transfer complete", "STOR /new\ufffd, 3 bytes: Stored as new\ufffd",
        "STOR /none/x: No such file or directory", "NLST /: Transfer complete", "DELE /none: No such file or directory",
        "RNTO /older, which was /old: Renamed", "gave a wrong name or password", "left"]]
    assert "guess" not in server.stdout and "secret" not in server.stdout


def test_ftp_server_shows_what_broke_off(tmp_path):
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", 64 << 20)
    with Program(SERVER, "0", "-v", "--max-clients", "1", "-d", tmp_path, stdin="") as server:
        ready(server)
        with Client(server, "anonymous") as client:
            with Client(server, None) as other:
                assert other.reply() == 421
            server.expect(r":\d+ refused: too many clients\n")
            with client.begin("RETR big", SO_RCVBUF=4096):
                client.close()
                server.expect(r"RETR /big, 67,108,864 bytes: The client disconnected\n")
        server.expect(" left\n")
        # The session says that its client has left before it makes room for another one.
        wait_until(lambda: server.threads() == 2, lambda: "the session does not end")
        with Client(server, "anonymous") as client:
            with client.begin("RETR big", SO_RCVBUF=4096):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()                     # a reset, not EOF
                server.expect(r"RETR /big, 67,108,864 bytes: The client disconnected\n")
        server.expect(" left\n")
        server.interrupt()
        server.finish()


@pytest.mark.parametrize("options, tty, shown", [([], False, False), (["-v"], False, True), ([], True, True), (["--quiet"], True, False)])
def test_ftp_server_shows_it_on_a_terminal_or_if_asked(tmp_path, options, tty, shown):
    with Program(SERVER, "0", *options, "-d", tmp_path, tty=tty, stdin=None) as server:
        ready(server)
        with Client(server, "anonymous") as client:
            client.ask("QUIT")
            assert client.recv(1) == b""
        if shown:
            server.expect(" left\n")
        server.interrupt()
        server.finish()
    assert (" connected\n" in server.stdout) == shown


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_ftp_server_waits_for_no_terminal(tmp_path, kind):
    """The server's output is a pipe or a terminal that is not read, and soon full. A full terminal may still be called writable."""
    reader, writer = os.pipe() if kind == "pipe" else os.openpty()
    with os.fdopen(reader) as lines, subprocess.Popen([sys.executable, ROOT / SERVER, "0", "-v", "-d", tmp_path], stdout=writer) as process:
        os.close(writer)
        address = SimpleNamespace(host="127.0.0.1", port=int(lines.readline().rpartition(":")[2]))
        try:
            for _ in range(60):
                with Client(address, "anonymous") as client:
                    assert client.ask("NLST " + "x" * 5000) == 550 and client.ask("QUIT") == 221
            # As in Program.interrupt: a signal that comes just before accept would not end it.
            wait_until(lambda: harness.state_of(process.pid) == "S", lambda: "the server does not wait for clients")
            process.send_signal(signal.SIGINT)
            assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()


def test_ftp_server_keeps_a_bounded_number_of_lines_for_its_terminal(monkeypatch, impatient):
    monkeypatch.setattr(watch, "printer", "waits for the terminal")
    monkeypatch.setattr(watch, "lines", queue.Queue(watch.lines.maxsize))
    for number in range(1500):
        watch.say(f"line {number}")
    assert watch.lines.qsize() == 1000 and watch.lines.get() == "line 0\n"


def test_ftp_server_prints_what_its_terminal_takes_only_later(tmp_path):
    """The printing thread waits for a full pipe that does not block (O_NONBLOCK), and no line is cut or lost."""
    with Program(*harness.NARROW_OUTPUT, ROOT / SERVER, "0", "-v", "-d", tmp_path, stdin="") as server:
        ready(server)
        with Client(server, "anonymous") as client:
            for number in range(20):
                assert client.ask(f"NLST {number}" + "x" * 1000) == 550
            client.ask("QUIT")
        server.expect(" left\n")
        server.interrupt()
        server.finish()
    assert len(re.findall(r"(?m)^127\.0\.0\.1:\d+ NLST /\d+x{1000}: ", server.stdout)) == 20


def test_ftp_server_goes_on_when_its_terminal_is_gone(tmp_path):
    """The server's output is a pipe whose reader has closed it; the server still serves clients."""
    (tmp_path / "a").write_bytes(b"data")
    reader, writer = os.pipe()
    with os.fdopen(reader) as lines, subprocess.Popen(
            [sys.executable, ROOT / SERVER, "0", "-v", "-d", tmp_path], stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        address = SimpleNamespace(host="127.0.0.1", port=int(lines.readline().rpartition(":")[2]))
        lines.close()
        try:
            for _ in range(3):
                with Client(address, "anonymous") as client:
                    assert client.get("RETR a") == b"data" and client.ask("QUIT") == 221
        finally:
            process.terminate()
            assert process.stderr.read() == b""


@pytest.mark.parametrize("number, port, advice", [
    (errno.EADDRINUSE, 2121, "python day11/ftp/ftp_server.py 2122"), (errno.EADDRINUSE, 65535, "ftp_server.py 2121"),
    (errno.EACCES, 21, "python day11/ftp/ftp_server.py 2121"), (errno.EADDRNOTAVAIL, 2121, "127.0.0.1"), (errno.ENOENT, 2121, "Create that folder"),
    (errno.EACCES, 2121, ""), (errno.EACCES, 1024, ""), (errno.EACCES, 1023, "2121"), (errno.EACCES, 0, ""), (errno.ENOTDIR, 2121, "")])
def test_ftp_server_says_what_to_do(monkeypatch, number, port, advice):
    import ftp_server as script
    monkeypatch.setattr(sys, "argv", [SERVER])
    said = script.advice(OSError(number, "x"), SimpleNamespace(port=port))
    assert advice in said and bool(said) == bool(advice)


def test_ftp_server_names_the_next_step(tmp_path):
    with ftp_server(tmp_path) as server:
        program = run(SERVER, server.port, status=2, stderr=".*Address already in use.*")
        assert program.stderr.endswith(f"Try another port: python {ROOT / SERVER} {server.port + 1}\n")
    run(SERVER, "0", "-d", tmp_path / "none", status=2, stderr=".*No such file or directory.*Create that folder first.*\n")
