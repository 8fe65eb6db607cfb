"""Tests of the FTP server's transfers: files and listings in both directions, uploads, and transfers that are cut off."""
import concurrent.futures
import ftplib
import io
import os
import random
import re
import resource
import signal
import socket
import sys
import threading

import pytest
from ftp_harness import (BIG, CONTENT, MIB, SERVER, Client, digest, everything, fetch, files, ftp_server, ftplib_client, limited,
                         send_some, sparse, wait_until_alone)
from ftp_harness import public, server, shared, shared_public  # noqa: F401
from harness import ROOT, TIMEOUT, Program, has_ipv6, receive, reset, wait_until

# Files and listings

ODD_NAMES = [
    "a b", " in front", "behind ", "中文 文件.txt", "-la", "--", "*", "?", "[ab]", 'say "hi"', '"', "back\\slash", "%41%2e%2e",
    "~", "~root", "...", "..a", ".hidden", "#;&|$(x)`", "e\u0301", "😀", "\xa0", "\u200b", "226 Transfer complete", "x" * 255,
]


@pytest.mark.parametrize("passive", [True, False], ids=["passive", "active"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_ftp_server_transfers_in_both_modes_and_families(tmp_path, host, passive):
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    content = random.Random(0).randbytes(100_000)
    with ftp_server(tmp_path, "--user", "bob:secret", "-b", host) as server, ftplib_client(server, passive=passive) as ftp:
        for size in (0, 1, 65536, 65537, 100_000):
            assert ftp.storbinary("STOR a", io.BytesIO(content[:size])).startswith("226")
            assert files(tmp_path) == {"a": content[:size]}
            assert fetch(ftp, "a") == content[:size]
            assert ftp.size("a") == size
        assert ftp.nlst() == ["a"]
        ftp.quit()


def test_ftp_server_lists(server):
    (server.root / "folder").mkdir()
    (server.root / "a.txt").write_bytes(b"12345")
    (server.root / "b.md").write_bytes(b"")
    (server.root / "folder" / "inner").write_bytes(b"x")
    os.mkfifo(server.root / "pipe")
    (server.root / "link").symlink_to("a.txt")
    (server.root / "line\nbreak").touch()
    os.utime(server.root / "a.txt", (0, 86400 * 365))
    with ftplib_client(server) as ftp:
        assert ftp.nlst() == ["a.txt", "b.md", "folder"]
        assert ftp.nlst("folder") == ["inner"]
        assert ftp.nlst("*.txt") == ftp.nlst("a.txt") == ["a.txt"]
        assert ftp.nlst("folder/*") == ["folder/inner"]
        assert ftp.nlst("-la") == ["a.txt", "b.md", "folder"]

        lines = []
        ftp.retrlines("LIST", lines.append)
        assert [(line[0], line.split()[4], line.split(maxsplit=8)[8]) for line in lines] == [
            ("-", "5", "a.txt"), ("-", "0", "b.md"), ("d", lines[2].split()[4], "folder")]
        assert lines[0].split()[5:8] == ["Jan", "01", "1971"]
        for argument in ("-la", "-a -l", ".", "/", "folder/.."):
            again = []
            ftp.retrlines(f"LIST {argument}", again.append)
            assert again == lines

        entries = dict(ftp.mlsd())
        assert {name: facts["type"] for name, facts in entries.items() if name in ("a.txt", "b.md", "folder")} == {
            "a.txt": "file", "b.md": "file", "folder": "dir"}
        assert len([facts for facts in entries.values() if facts["type"] not in ("cdir", "pdir")]) == 3
        assert entries["a.txt"]["size"] == "5" and entries["a.txt"]["modify"] == "19710101000000"
        assert ftp.sendcmd("MDTM a.txt") == "213 19710101000000"

        _, fact, _ = ftp.sendcmd("MLST a.txt").split("\n")
        assert re.fullmatch(r" type=file;size=5;modify=19710101000000;unique=[^;]+; /a.txt", fact)
        assert " type=dir;" in ftp.sendcmd("MLST folder").split("\n")[1]
        assert "a.txt" in ftp.sendcmd("STAT .") and "pipe" not in ftp.sendcmd("STAT .")
        for command in ("LIST none", "NLST none", "MLSD none", "MLSD a.txt"):
            with pytest.raises(ftplib.error_perm, match="550|501"):
                ftp.retrlines(command)
        for command in ("MLST none", "SIZE none", "MDTM none", "SIZE folder", "MLST pipe", "MLST link", "SIZE link", "MDTM pipe"):
            with pytest.raises(ftplib.error_perm, match="550"):
                ftp.sendcmd(command)


def test_ftp_server_resumes(server):
    content = random.Random(1).randbytes(300_000)
    with ftplib_client(server) as ftp:
        ftp.storbinary("STOR a", io.BytesIO(content[:100_000]))
        ftp.storbinary("STOR a", io.BytesIO(content[100_000:200_000]), rest=100_000)
        ftp.storbinary("APPE a", io.BytesIO(content[200_000:]))
        ftp.storbinary("APPE new", io.BytesIO(content[:10]))
        assert files(server.root) == {"a": content, "new": content[:10]}
        ftp.storbinary("STOR new", io.BytesIO(b"xy"), rest=4)      # the old bytes after the new ones are gone
        assert (server.root / "new").read_bytes() == content[:4] + b"xy"
        for offset in (0, 1, 150_000, 299_999, 300_000):
            assert fetch(ftp, "a", rest=offset) == content[offset:]
        assert fetch(ftp, "a") == content          # REST is valid for one transfer only
        with pytest.raises(ftplib.Error, match="55"):
            fetch(ftp, "a", rest=300_001)
        with pytest.raises(ftplib.Error, match="55"):
            ftp.storbinary("STOR a", io.BytesIO(b"x"), rest=300_001)
        with pytest.raises(ftplib.Error, match="55"):
            ftp.storbinary("STOR none", io.BytesIO(b"x"), rest=1)
        assert files(server.root) == {"a": content, "new": content[:4] + b"xy"}


def test_ftp_server_changes_folders_and_names(server):
    with ftplib_client(server) as ftp:
        for name in ("folder", 'the "folder"', '""', "文件夹"):
            assert ftp.mkd(name) == f"/{name}"     # the reply doubles each quote; ftplib undoes that
            ftp.cwd(name)
            assert ftp.pwd() == f"/{name}"
            assert ftp.mkd("inner") == f"/{name}/inner"
            ftp.cwd("inner")
            ftp.cwd("..")                          # CDUP
            ftp.rmd("inner")
            ftp.cwd("/")
        ftp.rmd("文件夹")
        ftp.storbinary("STOR folder/a", io.BytesIO(b"a"))
        ftp.storbinary("STOR b", io.BytesIO(b"b"))
        ftp.rename("folder/a", "c")
        assert files(server.root) == {"folder": None, 'the "folder"': None, '""': None, "c": b"a", "b": b"b"}
        ftp.rename("c", "b")                       # this replaces the old file b
        ftp.rename("folder", "moved")
        ftp.rename("b", "moved/b")
        assert files(server.root) == {"moved": None, 'the "folder"': None, '""': None, "moved/b": b"a"}
        for command in ("RMD moved", "DELE moved", "MKD moved", "RMD none", "DELE none", "RMD /", "DELE /", "RNFR none",
                        "RMD moved/b", "MKD none/inner"):
            with pytest.raises(ftplib.error_perm, match="55[03]"):
                ftp.sendcmd(command)
        with pytest.raises(ftplib.error_perm, match="55[03]"):
            ftp.rename("moved", "moved/inside")
        ftp.delete("moved/b")
        ftp.rmd("moved")
        assert files(server.root) == {'the "folder"': None, '""': None}


def test_ftp_server_knows_all_names(server):
    with ftplib_client(server) as ftp:
        for name in ODD_NAMES:
            assert ftp.storbinary(f"STOR {name}", io.BytesIO(name.encode())).startswith("226")
            assert ftp.size(name) == len(name.encode())
            assert fetch(ftp, name) == name.encode()
        assert files(server.root) == {name: name.encode() for name in ODD_NAMES}
        assert sorted(ftp.nlst()) == sorted(ODD_NAMES)
        listed = []
        ftp.retrlines("LIST", lambda line: listed.append(re.split(r"\d\d:\d\d ", line, maxsplit=1)[1]))
        assert sorted(listed) == sorted(ODD_NAMES)
        assert sorted(name for name, facts in ftp.mlsd() if facts["type"] == "file") == sorted(ODD_NAMES)
        for name in ODD_NAMES:
            ftp.rename(name, "renamed")
            ftp.rename("renamed", name)
            ftp.delete(name)
        with pytest.raises(ftplib.error_perm, match="55"):
            ftp.storbinary(f"STOR {'x' * 256}", io.BytesIO(b""))
    with Client(server) as client:                 # a name that is not UTF-8; FTP doubles its byte 255, like Telnet
        assert client.put(b"STOR \xc4\xff\xff\xfe") == 226
        assert os.listdir(os.fsencode(server.root)) == [b"\xc4\xff\xfe"]
        assert client.get("NLST") == b"\\xc4\\xff\\xfe\r\n"           # the server sends the name as UTF-8
        assert client.get(b"RETR \xc4\xff\xff\xfe") == client.get("RETR \\xc4\\xff\\xfe") == b"data"
        assert client.ask(b"DELE \xc4\xff\xff\xfe") == 250


def test_ftp_server_transfers_5_mib_unchanged(server):
    content = random.Random(2).randbytes(5 * MIB)
    with ftplib_client(server) as ftp:
        ftp.storbinary("STOR large", io.BytesIO(content), blocksize=MIB)
        assert digest(fetch(ftp, "large", blocksize=MIB)) == digest(content)
        ftp.voidcmd("TYPE A")                      # the file is sent as it is stored, even after TYPE A
        data = []
        with ftp.transfercmd("RETR large") as conn:
            while more := conn.recv(MIB):
                data.append(more)
        ftp.voidresp()
        assert digest(b"".join(data)) == digest(content)


def test_ftp_server_stores_unique_names(server):
    with Client(server) as client:
        names = set()
        for content in (b"one", b"two", b"three"):
            assert client.put("STOU", content) == 226
        names = files(server.root)
        assert sorted(names.values()) == [b"one", b"three", b"two"]


# Uploads

def test_ftp_server_holds_a_client_to_what_it_promised(server):
    with Client(server) as client:
        for promised, code in [(4, 226), (5, 426), (0, 226)]:
            assert client.ask(f"ALLO {promised}") in (200, 202)
            assert client.put(f"STOR {promised}") == code
        assert client.put("STOR 6") == 226         # ALLO is valid for one upload only
        for wrong in "x", "-5", "1_000", "\u0661", "1 R":
            assert client.ask(f"ALLO {wrong}") == 501
        assert client.ask("ALLO 100") == 200 and client.get("NLST") is not None
        assert client.put("STOR 7") == 226         # the listing has cancelled the ALLO
        assert client.ask("ALLO 8 R 80") == 200 and client.ask("REST 4") == 350    # with REST, ALLO counts the whole file, as in lftp
        assert client.put("STOR 4") == 226
        assert client.ask("ALLO 13") == 200
        assert client.put("APPE 4") == 426
        assert client.ask("REST 2") == 350         # neither APPE nor a later upload uses this offset
        assert client.put("APPE 4") == client.put("STOR 0", b"new") == 226
    assert files(server.root) == {**dict.fromkeys("67", b"data"), "4": b"datadatadata", "0": b"new"}


def test_ftp_server_and_a_full_disk(server):
    (server.root / "old").write_bytes(b"old")
    with Client(server) as client:
        with limited(server, resource.RLIMIT_FSIZE, 100_000):
            for command in ("STOR new", "STOR old", "APPE old", "STOU"):
                assert client.put(command, bytes(MIB)) == 552
                assert files(server.root) == {"old": b"old"}
            assert client.put("STOR fits", bytes(100_000)) == 226
        assert client.put("STOR new", bytes(MIB)) == 226
    assert len(files(server.root)["new"]) == MIB


def test_ftp_server_gives_a_name_that_two_want_to_one(public):
    with Client(public, "anonymous") as one, Client(public, "anonymous") as two, Client(public, "anonymous") as reader:
        with one.begin("STOR new") as first, two.begin("STOR new") as second:
            socket.socket.sendall(first, b"fir")
            socket.socket.sendall(second, b"second")
            assert reader.get("RETR new") is None and reader.get("NLST") == b"" and reader.ask("SIZE new") == 550
            second.close()
            assert two.reply() == 226
            assert reader.get("RETR new") == b"second"
            socket.socket.sendall(first, b"st")
        assert one.reply() == 553
        assert reader.get("RETR new") == b"second"
        assert one.put("STOR new", b"again") == 553
    assert files(public.root) == {"new": b"second"}


def test_ftp_server_gives_a_name_to_one_of_two_at_the_same_moment(public):
    rounds = 40
    barrier = threading.Barrier(2, timeout=TIMEOUT)

    def upload(who):
        codes = []
        with Client(public, "anonymous") as client:
            for number in range(rounds):
                barrier.wait()
                codes.append(client.put(f"STOR {number}", who * 1000))
        return codes
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ones, twos = pool.map(upload, [b"1", b"2"])
    assert all(sorted(pair) == [226, 553] for pair in zip(ones, twos))
    assert files(public.root) == {str(number): (b"1" if ones[number] == 226 else b"2") * 1000 for number in range(rounds)}


@pytest.mark.parametrize("old, codes, new", [
    (None, [226, 451], b"two"), (b"", [226, 451], b"two"), (b"old", [226, 451], b"oldtwo")], ids=["new", "empty", "old"])
def test_ftp_server_loses_nothing_of_two_who_append_at_once(server, old, codes, new):
    if old is not None:
        (server.root / "a").write_bytes(old)
    with Client(server) as one, Client(server) as two:
        with one.begin("APPE a") as first:
            socket.socket.sendall(first, b"one")
            assert [two.put("APPE a", b"two")] == codes[:1]
        assert [one.reply()] == codes[1:] and "try again" in one.text
        assert files(server.root) == {"a": new}
        assert one.put("APPE a", b"one") == 226
    assert files(server.root) == {"a": new + b"one"}


@pytest.mark.parametrize("other", ["STOR a", "APPE a", "DELE a"])
def test_ftp_server_continues_only_the_file_that_it_has_seen(server, other):
    (server.root / "a").write_bytes(b"0123456789")
    with Client(server) as one, Client(server) as two:
        assert one.ask("REST 5") == 350
        with one.begin("STOR a") as first:
            assert (two.ask(other) if other == "DELE a" else two.put(other, b"other")) in (226, 250)
            after = files(server.root)
            socket.socket.sendall(first, b"new")
        assert one.reply() == 451 and files(server.root) == after
        assert one.put("STOR a", b"whole") == 226          # a whole file may replace any other
    assert files(server.root) == {"a": b"whole"}


def test_ftp_server_continues_no_file_whose_time_was_set_back(server):
    path = server.root / "a"
    path.write_bytes(b"11111")
    os.utime(path, (0, 0))
    before = path.stat()

    def change():
        """Change the file as a program on this machine does; return False until the kernel's clock has ticked."""
        path.write_bytes(b"22222")
        os.utime(path, (0, 0))
        return path.stat().st_ctime_ns != before.st_ctime_ns
    with Client(server) as client:
        with client.begin("APPE a"):
            wait_until(change, lambda: "the clock of the file system stands still")
            after = path.stat()
        assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
        assert client.reply() == 451
    assert files(server.root) == {"a": b"22222"}


def test_ftp_server_appends_all_of_many_who_append_at_once(server):
    """Each repeats what was refused, until it is accepted: as many lines arrive as were acknowledged."""
    barrier = threading.Barrier(3, timeout=TIMEOUT)

    def append(who):
        accepted = 0
        with Client(server) as client:
            for _ in range(20):
                barrier.wait()
                accepted += client.put("APPE log", who) == 226
        return accepted
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        accepted = dict(zip((b"a", b"b", b"c"), pool.map(append, (b"a", b"b", b"c"))))
    [(name, data)] = files(server.root).items()
    assert {who: data.count(who) for who in accepted} == accepted and name == "log" and len(data) == sum(accepted.values()) >= 20


def test_ftp_server_replaces_a_file_in_one_step(server):
    versions = [bytes([number]) * 300_000 for number in range(20)]
    (server.root / "a").write_bytes(versions[0])
    done = threading.Event()

    def read():
        count = 0
        with Client(server) as client:
            while not done.is_set() or not count:
                assert client.get("RETR a") in versions
                assert client.ask("SIZE a") == 213 and client.text == "213 300000"
                count += 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            with Client(server) as client:
                for version in versions:
                    assert client.put("STOR a", version) == 226
        finally:
            done.set()
        for reader in readers:
            reader.result()
    assert files(server.root) == {"a": versions[-1]}


UPLOAD = """
import ftplib, sys
host, port, size = sys.argv[1:]
ftp = ftplib.FTP()
ftp.connect(host, int(port))
ftp.login("bob", "secret")
ftp.sendcmd(f"ALLO {2 * int(size)}")               # without ALLO, the server may take this end for the end of the file
conn = ftp.transfercmd("STOR new")
conn.sendall(bytes(int(size)))
print("half", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("size", [1000, 8 * MIB])
def test_ftp_server_and_a_client_that_is_killed(server, size):
    with Program(sys.executable, "-c", UPLOAD, server.host, server.port, size) as program:
        program.expect("half")
        program.signal(signal.SIGKILL)
        program.finish(status=-signal.SIGKILL)
    wait_until_alone(server)
    assert os.listdir(server.root) == []


def test_ftp_server_without_unnamed_files(tmp_path):
    """On a file system without unnamed files (O_TMPFILE), an upload has a temporary name that clients cannot see."""
    script = tmp_path / "old_system.py"
    script.write_text("import os, runpy, sys\n"
                      "os.O_TMPFILE = os.O_DIRECTORY\n"            # os.open then fails, as on old kernels
                      f"sys.path[0] = {str((ROOT / SERVER).parent)!r}\n"      # Python does the same for a script
                      f"runpy.run_path({str(ROOT / SERVER)!r}, run_name='__main__')\n")
    root = tmp_path / "root"
    root.mkdir()
    with ftp_server(root, "--user", "bob:secret", script=script) as server, Client(server) as client, Client(server) as other:
        assert client.put("STOR a", b"one") == client.put("STOR a", b"two") == client.put("APPE a", b"three") == 226
        with client.begin("STOR a", SO_SNDBUF=65536) as conn:
            send_some(conn)
            hidden, = set(os.listdir(root)) - {"a"}
            assert other.get("NLST") == b"a\r\n"
            assert b"upload" not in other.get("LIST -a") + other.get("MLSD")
            for verb in ("RETR", "SIZE", "DELE", "RNFR", "MLST", "STOR"):
                assert other.ask(f"{verb} {hidden}") in (501, 550), verb
            reset(conn)
            assert client.reply() == 426
        assert files(root) == {"a": b"twothree"}
    with ftp_server(root, script=script) as server, Client(server, "anonymous") as client:
        assert client.put("STOR a") == 553
        assert client.put("STOR b") == 226
    assert files(root) == {"a": b"twothree", "b": b"data"}


# Transfers that are cut off, and files that change

def plain_abort(client):
    client.sendall(b"ABOR\r\n")


def telnet_abort(client):
    client.sendall(b"\xff\xf4\xff")
    client.send(b"\xf2", socket.MSG_OOB)
    client.sendall(b"ABOR\r\n")


def urgent_abort(client):
    client.send(b"ABOR\r\n", socket.MSG_OOB)


def slow_abort(client):
    for byte in b"\xff\xf4\xff\xf2abor\r\n":
        client.sendall(bytes([byte]))
        assert client.server.witness.ask("NOOP") == 200


@pytest.mark.parametrize("abort", [plain_abort, telnet_abort, urgent_abort, slow_abort])
def test_ftp_server_aborts_a_transfer(server, abort):
    sparse(server.root / "big")
    (server.root / "small").write_bytes(b"small")
    with Client(server) as client:
        with client.begin("RETR big", SO_RCVBUF=4096) as conn:
            assert receive(conn, 1000)
            abort(client)
            assert [client.reply(), client.reply()] == [426, 226]
        assert client.get("RETR small") == b"small"
        with client.begin("STOR new", SO_SNDBUF=65536) as conn:
            send_some(conn)
            abort(client)
            assert [client.reply(), client.reply()] == [426, 226]
        assert client.ask("SIZE new") == 550
        with client.passive():
            pass
        assert client.ask("EPSV") == 229
        client.say("RETR small")                   # no data connection follows
        abort(client)
        assert client.reply() in (425, 426)
        assert client.reply() == 226
        abort(client)                              # there is no transfer to abort
        assert client.reply() in (225, 226)
        assert client.get("RETR small") == b"small"
    assert set(os.listdir(server.root)) == {"big", "small"}


@pytest.mark.parametrize("end", ["reset", "control closed", "control reset", "both reset"])
def test_ftp_server_and_clients_cut_off(server, end):
    sparse(server.root / "big")
    (server.root / "old").write_bytes(b"old")
    for command in ("RETR big", "STOR new", "STOR old", "APPE old"):
        with Client(server) as client, client.begin(command, SO_RCVBUF=4096, SO_SNDBUF=65536) as conn:
            if command == "RETR big":
                receive(conn, 1000)
            else:
                send_some(conn)
            if end == "control closed":
                client.close()
            if end in ("control reset", "both reset"):
                reset(client)
            if end in ("reset", "both reset"):
                reset(conn)
            if end == "reset":
                assert client.reply() == 426
                assert client.ask("NOOP") == 200
            else:
                wait_until_alone(server)
    assert set(os.listdir(server.root)) == {"big", "old"}
    assert (server.root / "old").read_bytes() == b"old"


def test_ftp_server_and_files_that_change_meanwhile(server):
    with Client(server) as client:
        (server.root / "a").write_bytes(CONTENT * 100)
        with client.begin("RETR a", SO_RCVBUF=4096) as conn:
            data = receive(conn, 1000)
            (server.root / "b").write_bytes(b"other")
            (server.root / "b").replace(server.root / "a")
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MIB)
            assert data + everything(conn) == CONTENT * 100        # the bytes of the old file, which the server had opened
        assert client.reply() == 226
        assert client.get("RETR a") == b"other"
        sparse(server.root / "big")
        assert len(client.get("RETR big")) == BIG
        with client.begin("RETR big", SO_RCVBUF=4096) as conn:
            assert receive(conn, 1000)
            os.truncate(server.root / "big", 0)
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MIB)
            assert len(everything(conn)) < BIG
        assert client.reply() == 451
        (server.root / "big").unlink()
        assert client.get("RETR a") == b"other"


def test_ftp_server_keeps_every_byte(server):
    """Eight clients make 300 transfers and cut some of them off: the server keeps the acknowledged files, complete, and no others."""
    def pack(content):
        return digest(content) + content

    def is_whole(data):
        return data is not None and digest(data[32:]) == data[:32]

    def work(number):
        order = random.Random(number)
        stored = {}
        client = Client(server)
        try:
            for step in range(38):
                data = pack(order.randbytes(order.choice([0, 1, 1000, 70_000, order.randrange(300_000)])))
                what = order.choice(["put", "put", "replace", "get", "get", "get common",
                                     "reset put", "reset get", "leave put", "leave get"])
                if what == "put" or what == "replace" and stored or what == "get" and not stored:
                    name = order.choice(list(stored)) if what == "replace" else f"{number}-{step}"
                    assert client.put(f"STOR {name}", data) == 226
                    stored[name] = data
                elif what == "replace":
                    assert client.put("STOR common", data) == 226
                elif what == "get":
                    name = order.choice(list(stored))
                    assert client.get(f"RETR {name}") == stored[name]
                elif what == "get common":
                    assert is_whole(client.get("RETR common"))
                else:
                    target = order.choice(["common", f"{number}-{step}"])
                    command = "RETR common" if what.endswith("get") else f"STOR {target}"
                    with client.begin(command) as conn:
                        amount = order.randrange(len(data))
                        if what.endswith("get"):
                            receive(conn, amount)
                        else:
                            socket.socket.sendall(conn, data[:amount])
                        if what.startswith("leave"):
                            client.close()
                        else:
                            reset(conn)
                    if what.startswith("leave"):
                        client = Client(server)
                    else:                          # the server may have sent the last byte of a download before the reset
                        assert client.reply() in ((426, 226) if what.endswith("get") else (426,))
        finally:
            client.close()
        return stored

    (server.root / "common").write_bytes(pack(b"first"))
    expected = {}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for stored in pool.map(work, range(8)):
            expected.update(stored)
    wait_until_alone(server)
    found = files(server.root)
    assert is_whole(found.pop("common"))
    assert set(found) == set(expected)
    assert found == expected
