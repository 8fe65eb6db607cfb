"""The FTP server: what clients of all kinds get from it, what nobody gets, and what is left when one of them is cut off.
Then the client: what people get from it, and what no server can do to them.

Most tests share one of two servers: "server" with a user bob, who may do everything, and "public", to which anonymous may
add files. Each test begins with an empty folder. A witness is logged in all the while and gets its answers all the while;
and after the test the server has the same descriptors and threads as before.
"""
import concurrent.futures
import contextlib
import ftplib
import hashlib
import io
import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import stat
import struct
import sys
import threading

import harness
import pytest
from harness import ROOT, TIMEOUT, Program, Wire, assert_idle, has_ipv6, receive, reset, run, serve, wait_until

SERVER, CLIENT = "day11/ftp/ftp_server.py", "day11/ftp/ftp_client.py"
MIB = 1 << 20
BIG = 64 * MIB                                     # more than all the buffers on the way
ODD_NAMES = [
    "a b", " in front", "behind ", "中文 文件.txt", "-la", "--", "*", "?", "[ab]", 'say "hi"', '"', "back\\slash", "%41%2e%2e",
    "~", "~root", "...", "..a", ".hidden", "#;&|$(x)`", "e\u0301", "😀", "\xa0", "\u200b", "226 Transfer complete", "x" * 255,
]


# The servers and their folder

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
        with Client(server, "anonymous"):          # what it makes for its first client and keeps is no leak
            pass
        wait_until(lambda: server.threads() == 1, lambda: "the session does not end")
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
    wait_until(lambda: state(server) == server.before, lambda: f"it was {server.before}, it is {state(server)}")
    left = [name for name in os.listdir(server.root) if name.startswith(".upload-")]
    empty(server.root)
    assert not left


def state(server):
    """What a server holds when it has no client."""
    return server.descriptors(), server.threads()


def wait_until_alone(server):
    """Wait until no session is left but that of the witness."""
    wait_until(lambda: server.threads() == server.before[1] + 1, lambda: "a session does not end")


def empty(folder):
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


# A client that says exactly what a test wants it to say

class Client(Wire):
    """A control connection; bob and anonymous are logged in at once, and None is not."""

    def __init__(self, server, user="bob", source=None):
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        super().__init__(family, socket.SOCK_STREAM, name=f"control connection of {user}")
        self.server = server
        self.received = b""
        self.text = ""                             # of the last reply, all its lines
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
        """The code of the next reply. Raises EOFError if there is none."""
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
        """A data connection. options: SO_RCVBUF=4096 and the like."""
        assert self.ask("EPSV") == 229
        conn = Wire(self.family, socket.SOCK_STREAM, name="data connection")
        for name, value in options.items():
            conn.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        conn.connect((self.server.host, int(re.search(r"\|\|\|(\d+)\|", self.text)[1])))
        return conn

    @contextlib.contextmanager
    def begin(self, command, **options):
        """The data connection of a transfer that has begun."""
        with self.passive(**options) as conn:
            assert self.ask(command) == 150
            yield conn

    def get(self, command):
        """What RETR or a listing sends, or None if it is refused."""
        with self.passive() as conn:
            if self.ask(command) != 150:
                return None
            data = everything(conn)
        assert self.reply() == 226
        return data

    def put(self, command, data=b"data"):
        """The code of the reply in the end."""
        with self.passive(SO_SNDBUF=65536) as conn:
            if (code := self.ask(command)) != 150:
                return code
            with contextlib.suppress(ConnectionError):             # it may refuse the rest
                socket.socket.sendall(conn, data)
        return self.reply()


def everything(conn):
    return b"".join(iter(lambda: socket.socket.recv(conn, MIB), b""))


def send_some(conn):
    """Send so much of a file that the server has received a part of it, and not all that comes."""
    socket.socket.sendall(conn, bytes(8 * MIB))


def sparse(path, size=BIG):
    """A large file that costs nothing."""
    path.touch()
    os.truncate(path, size)


def files(folder):
    """What is there, by path: the content of a file, the target of a link, and None for what else there is."""
    def content(path):
        if path.is_symlink():
            return os.readlink(path)
        return path.read_bytes() if path.is_file() else None
    return {str(path.relative_to(folder)): content(path) for path in folder.rglob("*")}


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


# ftplib

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


def test_ftp_server_listens_on_every_address_and_names_the_one_that_the_client_uses(tmp_path):
    (tmp_path / "a").write_bytes(b"data")
    with serve(SERVER, "-d", tmp_path, "-b", "0.0.0.0") as server:
        server.host = "127.0.0.3"
        with Client(server, "anonymous") as client:
            assert client.ask("PASV") == 227
            assert "(127,0,0,3," in client.text
            assert client.get("RETR a") == b"data"


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
        ftp.storbinary("STOR new", io.BytesIO(b"xy"), rest=4)      # what comes after it is gone
        assert (server.root / "new").read_bytes() == content[:4] + b"xy"
        for offset in (0, 1, 150_000, 299_999, 300_000):
            assert fetch(ftp, "a", rest=offset) == content[offset:]
        assert fetch(ftp, "a") == content          # an offset is for one transfer
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
            assert ftp.mkd(name) == f"/{name}"     # in the reply each quote is doubled
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
        ftp.rename("c", "b")                       # and replaces it
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
    with Client(server) as client:                 # no UTF-8, and Telnet doubles its byte 255
        assert client.put(b"STOR \xc4\xff\xff\xfe") == 226
        assert os.listdir(os.fsencode(server.root)) == [b"\xc4\xff\xfe"]
        assert client.get("NLST") == b"\xc4\xff\xfe\r\n"
        assert client.get(b"RETR \xc4\xff\xff\xfe") == b"data"
        assert client.ask(b"DELE \xc4\xff\xff\xfe") == 250


def test_ftp_server_transfers_5_mib_unchanged(server):
    content = random.Random(2).randbytes(5 * MIB)
    with ftplib_client(server) as ftp:
        ftp.storbinary("STOR large", io.BytesIO(content), blocksize=MIB)
        assert digest(fetch(ftp, "large", blocksize=MIB)) == digest(content)
        ftp.voidcmd("TYPE A")                      # as it is stored, nevertheless
        data = []
        with ftp.transfercmd("RETR large") as conn:
            while more := conn.recv(MIB):
                data.append(more)
        ftp.voidresp()
        assert digest(b"".join(data)) == digest(content)


def digest(data):
    return hashlib.sha256(data).digest()


# Replies

# By user and code: conversations, whose last reply has that code.
REPLIES = {
    # before login
    (None, 530): [
        "PWD", "LIST", "RETR file", "STOR x", "PASV", "EPSV", "PORT 127,0,0,1,200,1", "CWD /", "DELE file", "MKD x",
        "SIZE file", "STAT", "TYPE I", "REST 1", "RNFR file", "USER bob; PWD",
    ],
    (None, 503): ["PASS secret"],
    (None, 230): ["USER bob; USER anonymous; PASS x"],
    (None, 501): ["USER"],
    (None, 200): ["NOOP", "OPTS UTF8 ON"],
    (None, 215): ["SYST"],
    (None, 211): ["FEAT"],
    (None, 214): ["HELP"],
    (None, 221): ["QUIT"],
    ("bob", 530): ["REIN; PWD", "USER anonymous; PWD"],
    # not there, or not allowed
    ("bob", 550): [
        "USER anonymous; PASS x; DELE file", "RETR none", "RETR folder", "CWD none", "CWD file", "SIZE folder",
        "PASV; RETR none", "STOR none/x", "RMD none", "DELE none", "STAT none", "MLSD none",
    ],
    ("bob", 200): [
        "NOOP", "noop", "NoOp", "TYPE I", "TYPE A", "type a n", "TYPE L 8", "MODE S", "STRU F", "OPTS UTF8 ON",
        "OPTS MLST type;size;", "ALLO 100",
    ],
    ("bob", 215): ["SYST"],
    ("bob", 211): ["FEAT", "STAT"],
    ("bob", 214): ["HELP"],
    ("bob", 213): ["STAT folder", "SIZE file", "MDTM file"],
    ("bob", 202): ["ACCT x"],
    ("bob", 220): ["REIN"],
    ("bob", 257): ["PWD"],
    ("bob", 226): ["ABOR", "PASV; ABOR"],
    ("bob", 221): ["QUIT"],
    ("bob", 250): ["CWD folder", "CDUP", "MLST"],
    ("bob", 350): ["REST 3", "RNFR file"],
    ("bob", 227): ["PASV"],
    ("bob", 229): ["EPSV", "EPSV 1", "EPSV ALL; EPSV"],
    # not known
    ("bob", 500): ["XYZZY", "", " NOOP", "NOOP\0", "NÖOP", "_", "__class__", "do_NOOP", "220 Ready", "GET / HTTP/1.1"],
    # known, and not supported
    ("bob", 502): ["AUTH TLS", "PBSZ 0", "PROT P", "SITE CHMOD 777 file", "SMNT /", "LPRT 1", "XMKD x"],
    (None, 502): ["AUTH TLS"],
    # in the wrong order
    ("bob", 503): [
        "RNTO x", "RNFR file; NOOP; RNTO x", "RNFR none; RNTO x", "RNFR file; RNTO file; RNTO x", "REIN; PASS secret",
    ],
    # bad arguments
    ("bob", 501): [
        "TYPE", "MODE", "STRU", "PORT", "EPRT", "RETR", "STOR", "APPE", "DELE", "RNFR", "SIZE", "MDTM", "MKD", "RMD", "CWD",
        "REST", "OPTS", "OPTS XYZ", "REST x", "REST -1", "REST 1.5", "REST +1", "REST \u0661", "REST \u00b2",
        f"REST {10 ** 30}", "PORT x", "PORT 1,2,3", "PORT 127,0,0,1,200,256", "PORT 127,0,0,1,200,-1", "PORT 1,2,3,4,5,6,7",
        "PORT \u00b2,0,0,1,9,9", "EPRT x", "EPRT |1|127.0.0.1|", "EPRT |1|localhost|4000|", "EPRT |1||4000|",
        "EPRT |1|127.0.0.1|99999|", "EPSV ALL; PASV", "EPSV ALL; PORT 127,0,0,1,200,1", "SIZE a\0b", "DELE a\rb",
        "STOR .upload-1",
    ],
    # arguments that are not supported
    ("bob", 504): ["TYPE E", "TYPE L 36", "MODE B", "MODE C", "STRU R"],
    ("bob", 522): ["EPRT |2|::1|40000|", "EPRT |3|127.0.0.1|40000|", "EPSV 2"],
    # no data connection
    ("bob", 425): [
        "RETR file", "STOR new", "APPE new", "APPE file", "STOU", "LIST", "NLST", "MLSD", "PASV; ABOR; LIST",
        "PORT 127,0,0,1,255,255; LIST", "PASV; REIN; USER bob; PASS secret; LIST",
    ],
    ("bob", 553): ["STOR folder", "MKD folder"],
    ("bob", 554): ["REST 5; RETR file"],
}


def test_ftp_server_replies(server):
    (server.root / "file").write_bytes(b"1234")
    (server.root / "folder").mkdir()
    wrong = {}
    for (user, expected), conversations in REPLIES.items():
        for conversation in conversations:
            with Client(server, user) as client:
                if user is None:
                    assert client.reply() == 220
                code = [client.ask(command) for command in conversation.split("; ")][-1]
                if code != expected:
                    wrong[user, conversation] = client.text
    assert not wrong
    assert files(server.root) == {"file": b"1234", "folder": None}


def test_ftp_server_renames_right_after_rnfr_or_not_at_all(server):
    (server.root / "file").write_bytes(b"1234")
    with Client(server) as client:
        for between in ("NOOP", "PWD", "RNTO none/x", "RNTO .upload-1"):
            assert client.ask("RNFR file") == 350
            client.ask(between)
            assert client.ask("RNTO moved") == 503, between
        assert files(server.root) == {"file": b"1234"}


def test_ftp_server_says_what_it_can(server):
    with Client(server) as client:
        assert client.ask("FEAT") == 211
        features = client.text.split("\n")[1:-1]
        assert all(line.startswith(" ") for line in features)
        assert {line.split()[0] for line in features} >= {"EPRT", "EPSV", "MDTM", "MLST", "REST", "SIZE", "TVFS", "UTF8"}
        assert client.ask("OPTS MLST Size;none;type;") == 200 and client.text == "200 MLST OPTS type;size;"
        assert client.ask("FEAT") == 211 and " MLST type*;size*;modify;unique;" in client.text
        (server.root / "a").write_bytes(b"12345")
        assert client.ask("MLST a") == 250 and client.text.split("\n")[1] == " type=file;size=5; /a"
        assert client.get("MLSD") == b"type=cdir; .\r\ntype=file;size=5; a\r\n"
        assert client.ask("OPTS MLST") == 200 and client.text == "200 MLST OPTS"
        assert client.ask("MLST a") == 250 and client.text.split("\n")[1] == "  /a"
        assert client.ask("HELP") == 214
        known = set(" ".join(client.text.split("\n")[1:-1]).split())
        assert known >= set("USER PASS ACCT REIN QUIT NOOP SYST FEAT OPTS TYPE MODE STRU ALLO HELP STAT PASV EPSV PORT EPRT PWD "
                            "CWD CDUP LIST NLST MLSD MLST SIZE MDTM RETR STOR STOU APPE REST ABOR MKD RMD DELE RNFR RNTO".split())
        for verb in sorted(known - {"QUIT", "REIN", "USER", "PASS", "PASV", "EPSV"}):
            assert client.ask(verb) not in (500, 502), verb


def test_ftp_server_obeys_commands_in_one_packet_one_after_the_other(server):
    with Client(server) as client:
        client.sendall(b"NOOP\r\nSYST\r\nMKD a\r\nCWD a\nPWD\r\nXYZZY\r\nNO")
        assert [client.reply() for _ in range(6)] == [200, 215, 257, 250, 257, 500]
        client.sendall(b"OP\r")
        client.sendall(b"\n")
        assert client.reply() == 200
        sparse(server.root / "big")
        with client.begin("RETR /big", SO_RCVBUF=4096) as conn:    # commands wait for the end of a transfer
            client.sendall(b"NOOP\r\nPWD\r\n")
            assert receive(conn, 1000)
            assert_idle(server)
            assert not select.select([client], [], [], 0)[0]
            reset(conn)
        assert [client.reply() for _ in range(3)] == [426, 200, 257]


def test_ftp_server_stores_unique_names(server):
    with Client(server) as client:
        names = set()
        for content in (b"one", b"two", b"three"):
            assert client.put("STOU", content) == 226
        names = files(server.root)
        assert sorted(names.values()) == [b"one", b"three", b"two"]


# Who may do what

def attempt(client):
    """The codes of every kind of change, asked for by a client."""
    codes = {"add": client.put("STOR new"), "unique": client.put("STOU"), "append to a new one": client.put("APPE new 2"),
             "replace": client.put("STOR there"), "append": client.put("APPE there")}
    assert client.ask("REST 2") == 350
    codes["resume"] = client.put("STOR there")
    for name, command in [("delete", "DELE there"), ("rename", "RNFR there"), ("make", "MKD made"), ("remove", "RMD folder")]:
        codes[name] = client.ask(command)
    if codes["rename"] == 350:
        codes["rename"] = client.ask("RNTO renamed")
    return {name for name, code in codes.items() if code in (226, 250, 257)}, codes


ADD = {"add", "unique", "append to a new one"}
ALL = ADD | {"replace", "append", "resume", "delete", "rename", "make", "remove"}


@pytest.mark.parametrize("args, user, allowed", [
    ([], "anonymous", ADD),
    ([], "ftp", ADD),
    (["--user", "bob:secret"], "anonymous", set()),
    (["--user", "bob:secret"], "bob", ALL - {"rename"}),           # what is to be renamed has been deleted by then
    (["--user", "bob:x", "--user", "ann:secret"], "ann", ALL - {"rename"}),
    (["--user", "bob:secret", "--read-only"], "bob", set()),
    (["--read-only"], "anonymous", set()),
])
def test_ftp_server_lets_everybody_do_what_they_may(tmp_path, args, user, allowed):
    (tmp_path / "there").write_bytes(b"1234")
    (tmp_path / "folder").mkdir()
    before = files(tmp_path)
    with ftp_server(tmp_path, *args) as server, Client(server, user) as client:
        assert client.get("RETR there") == b"1234"
        assert client.get("NLST") == b"folder\r\nthere\r\n"
        done, codes = attempt(client)
        assert done == allowed
        assert all(code in (550, 553) for name, code in codes.items() if name not in allowed)
    after = files(tmp_path)
    if not allowed:
        assert after == before
    if allowed == ADD:
        assert len(after) == 5 and {**after, **before} == after    # three new ones, and nothing else has changed


def test_ftp_server_refuses_a_wrong_password(server):
    wrong = [("bob", "wrong"), ("bob", ""), ("bob", "secret "), ("bob", "Secret"), ("Bob", "secret"), ("root", "secret"),
             ("bob", "密码"), ("bob", "\udcfe"), ("\udcfe", "secret"), ("bob", "secret\0")]
    with contextlib.ExitStack() as stack:          # all at once, as each answer takes its time
        clients = [stack.enter_context(Client(server, None)) for _ in wrong]
        for client, (user, password) in zip(clients, wrong):
            assert client.reply() == 220
            assert client.ask(f"USER {user}") == 331
            client.say(f"PASS {password}")
        for client in clients:
            assert client.reply() == 530
            assert client.ask("PWD") == 530
            assert client.ask("PASS secret") == 503
            assert client.ask("USER bob") == 331
            assert client.ask("PASS secret") == 230


def test_ftp_server_wants_a_name_before_each_password(server):
    with Client(server) as client:
        for password in "wrong", "secret":
            assert client.ask(f"PASS {password}") == 503
        assert client.ask("DELE none") == 550 and client.ask("STAT") == 211        # still bob


def test_ftp_server_ends_a_session_after_three_wrong_passwords(server):
    with Client(server, None) as client:
        assert client.reply() == 220
        codes = []
        for _ in range(3):
            assert client.ask("USER bob") == 331
            codes.append(client.ask("PASS wrong"))
        assert codes == [530, 530, 421]
        assert client.recv(1) == b""


def test_ftp_server_limits_its_clients(tmp_path):
    with ftp_server(tmp_path, "--max-clients", "2") as server, contextlib.ExitStack() as stack:
        one, two = [stack.enter_context(Client(server, "anonymous")) for _ in range(2)]
        for _ in range(3):
            with Client(server, None) as third:
                assert third.reply() == 421
                assert third.recv(1) == b""
        assert one.ask("NOOP") == two.ask("NOOP") == 200
        assert one.ask("QUIT") == 221
        assert one.recv(1) == b""

        def served():
            with Client(server, None) as third:
                return third.reply() == 220
        wait_until(served, lambda: "a place that became free is not given away")


def test_ftp_server_ends_idle_sessions_and_transfers(tmp_path):
    sparse(tmp_path / "big")
    with ftp_server(tmp_path, "--timeout", "0.5") as server:
        with contextlib.ExitStack() as stack:
            idle, slow, reader = [stack.enter_context(Client(server, "anonymous")) for _ in range(3)]
            slow.sendall(b"NOO")
            silent = stack.enter_context(Client(server, None))
            stack.enter_context(reader.begin("RETR big", SO_RCVBUF=4096))
            writer = stack.enter_context(Client(server, "anonymous"))
            with writer.begin("STOR new") as upload:
                socket.socket.sendall(upload, b"half")
                assert reader.reply() == 426
                assert writer.reply() == 426
            assert silent.reply() == 220
            for client in (idle, slow, silent, reader, writer):
                assert client.reply() == 421
                assert client.recv(1) == b""
        assert os.listdir(tmp_path) == ["big"]


# The world's clients

@pytest.fixture
def real(tmp_path):
    """Run a client that is installed: its stdout."""
    def start(*argv, status=0, stdin=""):
        if not shutil.which(argv[0]):
            pytest.skip(f"{argv[0]} is not installed")
        return run(*argv, stdin=stdin, status=status, stderr=".*", cwd=work, env={"HOME": str(tmp_path / "home")}).stdout
    work = start.work = tmp_path / "work"
    for folder in (work, tmp_path / "home"):
        folder.mkdir()
    return start


CONTENT = random.Random(3).randbytes(200_000)


def test_ftp_server_and_curl(server, real):
    url = f"ftp://{server.host}:{server.port}"
    curl = ["curl", "-sS", "-u", "bob:secret"]
    (real.work / "mine").write_bytes(CONTENT)
    for mode in ([], ["--disable-epsv"], ["--ftp-port", "-"], ["--ftp-port", "-", "--disable-eprt", "--ftp-method", "singlecwd"]):
        real(*curl, *mode, "-T", "mine", f"{url}/新%20dir/a%20b", "--ftp-create-dirs")
        real(*curl, *mode, f"{url}/新%20dir/a%20b", "-o", "got")
        assert (real.work / "got").read_bytes() == CONTENT
        assert files(server.root) == {"新 dir": None, "新 dir/a b": CONTENT}
        assert real(*curl, *mode, "--list-only", f"{url}/新%20dir/") == "a b\n"
        assert real(*curl, *mode, f"{url}/新%20dir/").endswith(" a b\n")
        real(*curl, *mode, "-Q", "RNFR 新 dir/a b", "-Q", "RNTO x", "-Q", "-DELE x", "-Q", "-RMD 新 dir", f"{url}/")
        assert files(server.root) == {}
    (server.root / "a").write_bytes(CONTENT)
    for span, expected in [("10-19", CONTENT[10:20]), ("199990-", CONTENT[-10:]), ("-7", CONTENT[-7:]), ("0-0", CONTENT[:1])]:
        real(*curl, "-r", span, f"{url}/a", "-o", "got")
        assert (real.work / "got").read_bytes() == expected
    (real.work / "got").write_bytes(CONTENT[:5000])
    real(*curl, "-C", "-", f"{url}/a", "-o", "got")
    assert (real.work / "got").read_bytes() == CONTENT
    (server.root / "a").write_bytes(CONTENT[:5000])
    real(*curl, "-C", "-", "-T", "mine", f"{url}/a")
    assert (server.root / "a").read_bytes() == CONTENT
    real(*curl, "--append", "-T", "mine", f"{url}/a")
    assert (server.root / "a").read_bytes() == CONTENT * 2
    assert "Content-Length: 400000" in real(*curl, "-I", f"{url}/a")
    real("curl", "-sS", f"{url}/none", status=78)
    real("curl", "-sS", "-T", "mine", f"{url}/a", status=25)
    real("curl", "-sS", "-u", "bob:wrong", f"{url}/a", status=67)


TREE = {"a": b"a" * 1000, "empty": b"", "文 件": "内容".encode(), "one/two/three/deep": CONTENT, "one/two/b": b"b",
        "one/-x": b"x", "hollow": None}


def grow(folder, tree):
    for name, content in tree.items():
        (folder / name if content is None else (folder / name).parent).mkdir(parents=True, exist_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)


def test_ftp_server_and_lftp(server, real):
    def lftp(*commands):
        return real("lftp", "-u", "bob,secret", f"ftp://{server.host}:{server.port}", "-e", "; ".join(
            ["set net:max-retries 2", "set cmd:fail-exit yes", *commands, "bye"]))
    grow(real.work / "tree", TREE)
    lftp("mirror -R tree there", "mirror there back")
    assert files(server.root / "there") == files(real.work / "tree") == files(real.work / "back")
    (server.root / "there" / "a").unlink()
    (real.work / "tree" / "empty").unlink()
    lftp("set ftp:passive-mode off", "mirror -R --delete tree there", "mirror --delete there back")
    assert files(server.root / "there") == files(real.work / "tree") == files(real.work / "back")
    assert sorted(lftp("cls -1 there").split("\n")) == ["", *(f"there/{name}" for name in ("a", "hollow/", "one/", "文 件"))]
    (server.root / "up").write_bytes(CONTENT[:7777])
    (real.work / "up").write_bytes(CONTENT)
    (real.work / "down").write_bytes(CONTENT[:6666])
    lftp("set ftp:use-allo yes", "put -c up", "get -c up -o down",
         "pget -n 3 up -o parts", "mv up moved", "mkdir -p x/y/z", "rm -r there", "rmdir x/y/z")
    assert files(server.root) == {"moved": CONTENT, "x": None, "x/y": None}
    assert (real.work / "down").read_bytes() == (real.work / "parts").read_bytes() == CONTENT
    assert lftp("cat moved | wc -c").strip() == "200000"


def test_ftp_server_and_tnftp(server, real):
    (server.root / "there").write_bytes(CONTENT)
    (real.work / "mine").write_bytes(CONTENT)
    said = real("tnftp", "-n", "-i", "-v", server.host, str(server.port), stdin="\n".join([
        "user bob secret", "binary", "mkdir folder", "put mine folder/mine", "ls", "passive off", "ls folder", "get there got",
        "append mine folder/mine", "cd folder", "rename mine yours", "size yours", "modtime yours", "mget *", "restart 5",
        "reget yours", "delete yours", "cd ..", "rmdir folder", "status", "remotehelp", "system", "features", "quit", ""]))
    assert "421" not in said and "Unknown" not in said
    assert (real.work / "got").read_bytes() == CONTENT
    assert (real.work / "yours").read_bytes() == CONTENT * 2
    assert files(server.root) == {"there": CONTENT}
    real("tnftp", "-o", "again", f"ftp://{server.host}:{server.port}/there")
    real("tnftp", "-u", f"ftp://bob:secret@{server.host}:{server.port}/", "mine")
    assert (real.work / "again").read_bytes() == CONTENT
    assert files(server.root) == {"there": CONTENT, "mine": CONTENT}


def test_ftp_server_and_ncftp(server, real):
    login = ["-u", "bob", "-p", "secret", "-P", str(server.port)]
    grow(real.work / "tree", TREE)
    for mode in ("-E", "-F"):                      # active and passive
        real("ncftpput", "-R", "-m", mode, *login, server.host, "/there", "tree")
        assert files(server.root / "there" / "tree") == files(real.work / "tree")
        assert set(real("ncftpls", "-1", mode, *login, f"ftp://{server.host}/there/tree/").split("\n")) >= {"a", "empty", "文 件"}
        (real.work / "back").mkdir()
        real("ncftpget", "-R", mode, *login, server.host, "back", "/there/tree")
        assert files(real.work / "back" / "tree") == files(real.work / "tree")
        shutil.rmtree(real.work / "back")
        shutil.rmtree(server.root / "there")


def test_ftp_server_and_wget(server, real):
    wget = ["wget", "-q", "--tries=1", "--no-proxy"]
    url = f"ftp://{server.host}:{server.port}"
    grow(server.root, TREE)
    for mode in ([], ["--no-passive-ftp"]):
        real(*wget, *mode, "-r", "-nH", "-P", "got", f"{url}/")
        assert {**files(real.work / "got"), "hollow": None} == files(server.root)
        shutil.rmtree(real.work / "got")
    (real.work / "deep").write_bytes(CONTENT[:1234])
    real(*wget, "-c", f"{url}/one/two/three/deep")
    assert (real.work / "deep").read_bytes() == CONTENT
    real(*wget, f"{url}/none", status=8)


# Nobody gets out of the folder

@pytest.fixture
def outside(server, tmp_path):
    """A folder beside the one that is served, and links to it."""
    folder = tmp_path / "outside"
    grow(folder, {"secret.txt": b"TOP SECRET", "folder/inner": b"TOP SECRET"})
    for name, target in [("out", folder), ("out2", folder / "folder"), ("file", folder / "secret.txt"), ("up", ".."), ("root", "/"),
                         ("new", folder / "created"), ("dangling", "nowhere"), ("circle", "circle"), ("inside", "own"),
                         ("inside-dir", "dir")]:
        (server.root / name).symlink_to(target)
    grow(server.root, {"own": b"own", "dir/x": b"x"})
    before = files(folder)
    yield folder
    assert files(folder) == before
    assert set(os.listdir(server.root.parent)) == {"root"}         # nor beside it


def test_ftp_server_has_no_way_out(server, outside):
    name = outside.name
    ways = ["../", "/../", "../../", "dir/../../", "..//", "./../", "/./..//../", f"../{name}/", f"{outside}/", "out/", "/out/",
            "out/folder/", "out/../", "out2/", "up/", f"up/{name}/", f"root{outside}/", "root/etc/", "dir/../out/", "//", "~/",
            "..\\"]
    paths = [f"{way}{tail}" for way in ways for tail in ("secret.txt", "inner", "passwd", "", "created")]
    paths += ["out", "out2", "file", "up", "root", "new", "dangling", "circle", "inside", "inside-dir", "inside-dir/x", "..", "/..",
              "../..", "/"]
    seen = b""
    with Client(server) as client:
        for path in paths:
            for verb in ("SIZE", "MDTM", "MLST", "STAT", "CWD"):
                code = client.ask(f"{verb} {path}")
                if verb == "CWD" and code == 250:
                    assert client.ask("PWD") == 257 and client.text in ('257 "/"', '257 "/dir"')
                elif verb != "CWD" or code != 250:
                    seen += os.fsencode(client.text.replace(path, ""))
                assert client.ask("CWD /") == 250
        for path in paths:
            for verb in ("RETR", "LIST", "NLST", "MLSD"):
                seen += client.get(f"{verb} {path}") or b""
        for secret in (b"TOP SECRET", b"inner", b"secret.txt", b"passwd", b"root:"):
            assert secret not in seen
        for path in paths:
            assert b"SECRET" not in (client.get(f"RETR {path}") or b"")        # nor of what has become of it
            for command in (f"DELE {path}", f"RMD {path}" if "dir" not in path else "NOOP", f"MKD {path}1", "RNFR own"):
                client.ask(command)
            if client.ask(f"RNTO {path}") == 250 and not (server.root / "own").exists():
                grow(server.root, {"own": b"own"})
            if path.rsplit("/")[-1] not in ("", "..", "."):
                client.put(f"STOR {path}")
                client.put(f"APPE {path}")
        # What is left of the links was never followed; and a link is nothing that can be entered, deleted or read.
        for path in ("root", "up"):
            assert client.ask(f"CWD {path}/etc") == 550


def test_ftp_server_shows_neither_links_nor_pipes(server, outside):
    os.mkfifo(server.root / "pipe")
    os.mknod(server.root / "socket", stat.S_IFSOCK | 0o600)
    there = sorted(os.listdir(server.root))
    with Client(server) as client:
        assert client.get("NLST") == b"dir\r\nown\r\n"
        for name in set(there) - {"dir", "own"}:
            for verb in ("RETR", "SIZE", "MDTM", "MLST", "CWD", "DELE", "RNFR", "RMD"):
                assert client.ask(f"{verb} {name}") == 550, (verb, name)
                if verb == "RETR" and (server.root / name).is_symlink():
                    assert client.text == "550 No such file or directory"          # as if there was nothing
    assert sorted(os.listdir(server.root)) == there


def test_ftp_server_notices_a_folder_that_became_a_link(server, outside):
    with Client(server) as client:
        assert client.ask("CWD dir") == 250
        with client.passive() as conn:
            (server.root / "dir").rename(server.root / "moved")
            (server.root / "dir").symlink_to(outside)
            for command in ("RETR secret.txt", "STOR new", "LIST", "MLSD", "NLST", "SIZE secret.txt", "DELE secret.txt", "MKD new",
                            "CWD .", "CWD folder", "RETR /dir/secret.txt", "RNFR secret.txt"):
                assert client.ask(command) == 550, command
            assert client.ask("RNFR /own") == 350
            assert client.ask("RNTO /dir/own") == 550
            assert client.ask("CWD /") == 250
            assert client.ask("RETR own") == 150
            assert everything(conn) == b"own"
        assert client.reply() == 226


def test_ftp_server_refuses_names_with_control_characters(server):
    with Client(server) as client:
        for char in ["\0", "\x01", "\t", "\r", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"]:
            for command in (f"MKD a{char}b", f"STOR a{char}b", f"RETR {char}", f"CWD {char}/x"):
                assert client.ask(command) == 501, command
        assert client.ask("RNFR x\x1b[31m") == 501
    assert files(server.root) == {}


# Hostile clients

def test_ftp_server_and_lines_without_measure(server):
    before = server.memory()
    with Client(server) as client:
        socket.socket.sendall(client, b"A" * MIB + b"\r\nNOOP\r\n")
        assert client.reply() == 500
        assert client.reply() == 200
        socket.socket.sendall(client, b"RETR " + b"a/" * 4000 + b"\r\n" + b"CWD " + b"../" * 2500 + b"\r\n")
        assert [client.reply(), client.reply()] == [550, 250]
        socket.socket.sendall(client, b"A" * (8 * MIB))            # and no newline
        assert server.witness.ask("NOOP") == 200
        assert server.memory() - before < 4096, "KiB"
        assert not select.select([client], [], [], 0)[0]


def test_ftp_server_and_binary_garbage(server):
    order = random.Random(4)
    for _ in range(3):
        with Client(server) as client:
            garbage = order.randbytes(50_000)
            socket.socket.sendall(client, garbage + b"\r\nQUIT\r\n")
            codes = set()
            while 221 not in codes:
                codes.add(client.reply())
            assert codes <= {500, 221}
    with Client(server) as client:                 # TLS, where FTP is spoken
        client.sendall(bytes.fromhex("16030100c8010000c40303") + bytes(194) + b"\n")
        assert client.reply() == 500
        assert client.ask("NOOP") == 200
    reset(Client(server, None))
    client = Client(server)
    client.sendall(b"LIST")
    reset(client)


def test_ftp_server_and_telnet(server):
    with Client(server) as client:
        for line in (b"\xff\xfb\x01NOOP", b"\xff\xfd\x03\xff\xf1NOOP", b"NO\xff\xf1OP", b"\xff\xf4\xff\xf2NOOP",
                     b"NOOP\xff\xfc\x18", b"NOOP \xff"):
            assert client.ask(line) == 200, line
        assert client.ask(b"MKD \xff\xff") == 257
        assert os.listdir(os.fsencode(server.root)) == [b"\xff"]
        assert client.ask(b"\xff\xff\xff") == 500
        client.send(b"NOOP\r\n", socket.MSG_OOB)
        assert client.reply() == 200


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
        client.say("RETR small")                   # for which no data connection comes
        abort(client)
        assert client.reply() in (425, 426)
        assert client.reply() == 226
        abort(client)                              # nothing
        assert client.reply() in (225, 226)
        assert client.get("RETR small") == b"small"
    assert set(os.listdir(server.root)) == {"big", "small"}


def test_ftp_server_connects_to_the_client_only(server):
    with socket.create_server(("127.0.0.2", 0)) as other, Client(server) as client:
        high, low = divmod(other.getsockname()[1], 256)
        for command in (
                f"PORT 127,0,0,2,{high},{low}", "PORT 8,8,8,8,200,1", "PORT 0,0,0,0,200,1", "PORT 127,0,0,1,0,22",
                "PORT 127,0,0,1,3,255", "PORT 127,0,0,1,0,0", f"EPRT |1|127.0.0.2|{other.getsockname()[1]}|",
                "EPRT |1|8.8.8.8|40000|", "EPRT |1|127.0.0.1|22|", "EPRT |1|127.0.0.1|1023|", "EPRT |1|127.0.0.1|0|",
                "EPRT |1|2130706433|40000|"):
            assert client.ask(command) in (500, 501, 504), command
            assert client.ask("LIST") == 425, command
        assert not select.select([other], [], [], 0)[0]
        assert client.ask("PORT 127,0,0,1,4,0") == 200


def test_ftp_server_uses_one_port_per_session(server):
    with Client(server) as client:
        before = len(server.descriptors())
        for _ in range(100):
            assert client.ask("PASV") == 227
        assert client.ask("EPSV") == 229
        assert len(server.descriptors()) <= before + 1
        assert client.get("NLST") == b""


def test_ftp_server_gives_data_to_nobody_else(server):
    (server.root / "a").write_bytes(b"a")
    with Client(server) as client, contextlib.ExitStack() as stack:
        def connect(source):
            conn = stack.enter_context(Wire(socket.AF_INET, socket.SOCK_STREAM, name=f"data connection from {source}"))
            conn.bind((source, 0))
            conn.connect((server.host, port))
            return conn
        assert client.ask("EPSV") == 229
        port = int(re.search(r"\d{4,}", client.text)[0])
        thieves = [connect("127.0.0.2") for _ in range(3)]
        client.say("RETR a")
        for thief in thieves:
            with contextlib.suppress(ConnectionResetError):
                assert thief.recv(1) == b""
        with connect("127.0.0.1") as conn:
            assert client.reply() == 150
            assert everything(conn) == b"a"
        assert client.reply() == 226

        assert client.ask("EPSV") == 229           # theirs is the only connection: nothing is stored
        port = int(re.search(r"\d{4,}", client.text)[0])
        with connect("127.0.0.2") as thief:
            client.say("STOR new")
            with contextlib.suppress(ConnectionError):
                thief.sendall(b"forged")
                assert thief.recv(1) == b""
        client.say("ABOR")
        assert client.reply() in (425, 426)
        assert client.reply() == 226

        stale = client.passive()                   # our own, but of an earlier PASV
        with stale:
            assert client.get("RETR a") == b"a"
            with contextlib.suppress(ConnectionResetError):
                assert stale.recv(1) == b""
    assert files(server.root) == {"a": b"a"}


@pytest.mark.parametrize("end", ["reset", "control closed", "control reset", "both reset"])
def test_ftp_server_and_clients_cut_off(server, end):
    sparse(server.root / "big")
    (server.root / "old").write_bytes(b"old")
    for command in ("RETR big", "STOR new", "STOR old", "APPE old"):
        with Client(server) as client, client.begin(command, SO_RCVBUF=4096, SO_SNDBUF=65536) as conn:
            receive(conn, 1000) if command == "RETR big" else send_some(conn)
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


def test_ftp_server_and_a_client_that_does_not_read(server):
    sparse(server.root / "big")
    (server.root / "a").write_bytes(CONTENT)
    before = server.memory()
    with Client(server) as silent, Client(server) as client, silent.begin("RETR big", SO_RCVBUF=4096):
        for number in range(10):
            assert client.put(f"STOR {number}", CONTENT) == 226
            assert client.get("RETR a") == CONTENT
        assert_idle(server)
        assert server.memory() - before < 4096, "KiB"
        # Nor does it read its replies.
        with Client(server) as mute:
            mute.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    assert socket.socket.send(mute, b"HELP\r\n" * 1000)
            assert client.get("RETR a") == CONTENT
            assert server.memory() - before < 4096, "KiB"


def test_ftp_server_and_patterns_meant_to_explode(server):
    name = "a" * 200
    (server.root / name).touch()
    with Client(server) as client:
        for pattern in ("*a" * 100 + "b", "*a" * 300, "a*" * 100 + "[!a]", "?*" * 200 + "b", "[" * 200, "[a-" * 100, "[z-a]*",
                        "[[a]*", "[a--b]*", "[a&&b]*", "[!]*", "[]", "*" * 5000, "[a||b]~~*", "\\*"):
            client.say(f"STAT {pattern}")
            assert server.witness.ask("NOOP") == 200
            assert client.reply() in (213, 550), pattern
        assert client.get("NLST *a" + "*a" * 20) == f"{name}\r\n".encode()
        assert client.get("NLST *b") == b""


# Uploads

def test_ftp_server_holds_a_client_to_what_it_promised(server):
    with Client(server) as client:
        for promised, code in [(4, 226), (5, 426), (0, 226)]:
            assert client.ask(f"ALLO {promised}") in (200, 202)
            assert client.put(f"STOR {promised}") == code
        assert client.put("STOR 6") == 226         # a promise is for one file
        for wrong in "x", "-5", "1_000", "\u0661", "1 R":
            assert client.ask(f"ALLO {wrong}") == 501
        assert client.ask("ALLO 100") == 200 and client.get("NLST") is not None
        assert client.put("STOR 7") == 226         # and not for long
        assert client.ask("ALLO 8 R 80") == 200 and client.ask("REST 4") == 350    # it is for the whole file, as lftp sees it
        assert client.put("STOR 4") == 226
        assert client.ask("ALLO 13") == 200
        assert client.put("APPE 4") == 426
        assert client.ask("REST 2") == 350         # which APPE does not use, and nobody after it
        assert client.put("APPE 4") == client.put("STOR 0", b"new") == 226
    assert files(server.root) == {**dict.fromkeys("67", b"data"), "4": b"datadatadata", "0": b"new"}


@contextlib.contextmanager
def limited(server, kind, soft):
    limits = resource.prlimit(server.pid, kind)
    resource.prlimit(server.pid, kind, (soft, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, kind, limits)


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
ftp.sendcmd(f"ALLO {2 * int(size)}")               # without, only luck would tell this end from that of a file
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
    """On a file system that has only files with names, an upload has one that nobody sees."""
    script = tmp_path / "old_system.py"
    script.write_text("import os, runpy, sys\n"
                      "os.O_TMPFILE = os.O_DIRECTORY\n"            # which an open for writing refuses as old kernels do
                      f"sys.path[0] = {str((ROOT / SERVER).parent)!r}\n"      # as python does for a script
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


def test_ftp_server_and_files_that_change_meanwhile(server):
    with Client(server) as client:
        (server.root / "a").write_bytes(CONTENT * 100)
        with client.begin("RETR a", SO_RCVBUF=4096) as conn:
            data = receive(conn, 1000)
            (server.root / "b").write_bytes(b"other")
            (server.root / "b").replace(server.root / "a")
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * MIB)
            assert data + everything(conn) == CONTENT * 100        # the file that was opened
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


# Many

def test_ftp_server_and_200_sessions(server):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server)) for _ in range(200)]
        for client in clients:
            client.sendall(b"EPSV\r\nNOOP\r\n")
        for client in clients:
            assert [client.reply(), client.reply()] == [229, 200]
        assert_idle(server)
        for number, client in enumerate(clients[::20]):
            assert client.put(f"STOR {number}", CONTENT) == 226


def test_ftp_server_out_of_descriptors(tmp_path):
    """Who is there gets an error and stays; who comes waits, and is served when there is a descriptor again."""
    (tmp_path / "a").write_bytes(b"a")
    with ftp_server(tmp_path) as server, contextlib.ExitStack() as stack:
        here, prepared = [stack.enter_context(Client(server, "anonymous")) for _ in range(2)]
        data = stack.enter_context(prepared.passive())
        server.wait_until_asleep()                 # in accept, which has its next descriptor already, and does not show it
        numbers = server.descriptors()
        assert max(numbers) <= len(numbers), "there are free ones between those that it has"
        with limited(server, resource.RLIMIT_NOFILE, max(numbers) + 1):
            waiting = [stack.enter_context(Client(server, None)) for _ in range(3)]
            for _ in range(5):
                for command in ("PASV", "RETR a", "STOR new", "LIST", "MLSD", "SIZE a", "CWD /"):
                    code = here.ask(command)
                    assert 400 <= code < 600, (command, code)
                assert here.ask("NOOP") == 200
            assert prepared.ask("RETR a") >= 400
            assert len(select.select(waiting, [], [], 0)[0]) <= 1  # for that descriptor
            assert_idle(server)
        for client in waiting:
            assert client.reply() == 220
        data.close()
        for client in (here, prepared):
            assert client.get("RETR a") == b"a"
            assert client.ask("QUIT") == 221
    assert os.listdir(tmp_path) == ["a"]


def test_ftp_server_keeps_every_byte(server):
    """Eight clients, 300 transfers, some of them cut off: what was acknowledged is there and complete, and nothing else."""
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
                        receive(conn, amount) if what.endswith("get") else socket.socket.sendall(conn, data[:amount])
                        if what.startswith("leave"):
                            client.close()
                        else:
                            reset(conn)
                    if what.startswith("leave"):
                        client = Client(server)
                    else:                          # of a download it may have sent the last byte before it noticed
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


# The server as a program

def test_ftp_server_command_line(tmp_path):
    (tmp_path / "file").touch()
    start = [SERVER, "0", "-d", tmp_path]
    with ftp_server(tmp_path) as server:
        programs = [(Program(*words, stdin=""), message) for words, message in [
            ([SERVER, server.port, "-d", tmp_path], r"ftp_server\.py: .*Address already in use.*\n"),
            ([SERVER, "70000", "-d", tmp_path], r"ftp_server\.py: .*0-65535.*\n"),
            ([SERVER, "ftp", "-d", tmp_path], r"usage: .*\nftp_server\.py: error: .*invalid int value: 'ftp'\n"),
            ([*start, "-b", "192.0.2.1"], r"ftp_server\.py: .*Cannot assign requested address.*\n"),
            ([SERVER, "0", "-d", tmp_path / "none"], r"ftp_server\.py: .*No such file or directory.*\n"),
            ([SERVER, "0", "-d", tmp_path / "file"], r"ftp_server\.py: .*Not a directory.*\n"),
            *[([*start, "--user", user], r"usage: .*\nftp_server\.py: error: argument --user: .*NAME:PASSWORD.*\n")
              for user in ("bob", ":x", "", "anonymous:x")],
            *[([*start, *words], r"(usage: .*\n)?ftp_server\.py: .*\n") for words in (
                ["--max-clients", "-1"], ["--max-clients", "x"], ["--timeout", "-1"], ["--timeout", "nan"], ["--timeout", "x"],
                ["--nonsense"])],
        ]]
        wrong = []
        for program, message in programs:
            try:
                program.finish(status=2, stderr=message, timeout=5)
                assert program.stdout == ""
            except AssertionError as error:
                wrong.append(str(error))
        assert not wrong, "\n".join(wrong)
        with Client(server, "anonymous") as client:
            assert client.ask("NOOP") == 200


def test_ftp_server_serves_its_own_folder_by_default():
    with serve(SERVER) as server, Client(server, "anonymous") as client:
        assert client.get("NLST") is not None


def test_ftp_server_ctrl_c_with_sessions_and_transfers_and_again_on_the_same_port(tmp_path):
    sparse(tmp_path / "big")
    with contextlib.ExitStack() as stack:
        with ftp_server(tmp_path) as server:
            clients = [stack.enter_context(Client(server, "anonymous")) for _ in range(4)]
            conn = stack.enter_context(clients[0].begin("RETR big", SO_RCVBUF=4096))
            assert receive(conn, 1000)
            conn = stack.enter_context(clients[1].begin("STOR new", SO_SNDBUF=65536))
            send_some(conn)
            stack.enter_context(clients[2].passive())
            assert clients[3].ask("NOOP") == 200
        # Status 0 and silent, or serve() would have failed.
        with pytest.raises(EOFError):
            clients[3].reply()
        assert os.listdir(tmp_path) == ["big"]
        with ftp_server(tmp_path, port=server.port) as again, Client(again, "anonymous") as client:
            assert client.get("NLST") == b"big\r\n"


# The client

FILES = ROOT / "day11/ftp/files"
EACH_BYTE = bytes(range(256)) * 5000 + b"\r\n\r\0\xff\xf4end"


@contextlib.contextmanager
def ftp_client(server, folder, *args, **options):
    """The client, in that folder. server: anything with a .port."""
    with Program(ROOT / CLIENT, server.port, *args, cwd=folder, **options) as program:
        yield program


@pytest.fixture
def library(tmp_path):
    """A folder with files to serve."""
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
    """The folder that the client is in."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


class FakeServer(threading.Thread):
    """A server for one client, that says what the test wants: for each verb a reply, or a function of this object that returns
    one. Its end is waited for; what went wrong in it is raised in the test."""

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
        """Say 150, and return the data connection."""
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
    """An answer to a command that sends these bytes."""
    def answer(server):
        with server.data() as conn, contextlib.suppress(ConnectionError):
            conn.sendall(data)
        return reply
    return answer


# In a pipe

def test_ftp_client_in_a_pipe(library, here):
    with serve(SERVER, "-d", library) as server:
        with ftp_client(server, here, stdin="list\nget a.txt\nget every byte\n2 empty\nGET deep/down.txt\nquit\nget no more\n") as client:
            client.finish()
    assert {path.name: path.read_bytes() for path in here.iterdir()} == {
        "a.txt": b"hello\n", "every byte": EACH_BYTE, "empty": b"", "down.txt": b"down here\n"}
    listing, got = client.stdout.splitlines()[:5], client.stdout.splitlines()[5:]
    assert [line.split("  ")[-1] for line in listing] == ["a.txt", "deep/", "empty", "every byte", "课堂 笔记.txt"]
    assert len({line.index("  20") for line in listing}) == 1          # in columns
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
    """What is put, and got again by another client in another folder, is the same, whatever its name."""
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
            ("frobnicate", "unknown; the commands are list, get, put, quit and help"), ("9", "unknown; .*"),
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


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
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
            client.finish(status=1, stderr="ftp_client: .*no line with the password\n")
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
        client.expect(r"100% \[#+\] 1.3 MB +[\d,.]+ MB/s")
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
                client.wait_until_asleep()         # as a person does: see harness.Program.interrupt
                if leave == "hang up":
                    client.hang_up()
                elif isinstance(leave, str):
                    client.write(leave)
                else:
                    client.signal(leave)
                client.finish(status=status)


@pytest.mark.parametrize("tty", [True, False])
def test_ftp_client_ctrl_c_in_a_download_leaves_nothing(here, tty):
    def half(server):
        with server.data() as conn, contextlib.suppress(ConnectionError):
            conn.sendall(bytes(1000))
            conn.recv(1)                           # until the client is gone
    with FakeServer(RETR=half) as server, ftp_client(server, here, tty=tty, stdin=None) as client:
        client.write("get half\n")
        if tty:
            client.expect(r" 50%|  0% \[\.+\]")
        while not any(path.stat().st_size == 1000 for path in here.iterdir()):
            os.sched_yield()
        client.wait_until_asleep()
        if tty:
            client.write("\x03")
        else:
            client.interrupt()
        client.finish(status=130)
    assert not os.listdir(here)


def test_ftp_client_ctrl_c_in_an_upload_is_no_end_of_file(here):
    """The server must see a reset: the end of the data connection would mean that this was the whole file."""
    ends, started = [], threading.Event()

    def watch(server):
        with server.data() as conn:
            started.set()
            server.conn.recv(1, socket.MSG_PEEK)   # the end of the control connection
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


# Servers that are not there, or not good

def test_ftp_client_refused(here):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    run(CLIENT, port, status=1, stderr=f"ftp_client: 127.0.0.1 port {port}: Connection refused\n")
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
            client.finish(status=1, stderr=f"ftp_client: 127.0.0.1 port {server.port}: (the server has closed the connection"
                                           "|Broken pipe|Connection reset by peer)\n")
    assert os.listdir(here) == ["a.txt"]


def test_ftp_client_last_words_of_a_server(here):
    with FakeServer(TYPE="421 Silent for too long") as server, ftp_client(server, here, stdin="get a\nget b\n") as client:
        client.finish(status=1, stderr="ftp_client: .*: 421 Silent for too long\n")
    with FakeServer(USER=lambda server: None) as server, ftp_client(server, here, stdin="get a\n") as client:
        client.finish(status=1, stderr="ftp_client: .*: the server has closed the connection\n")
    with FakeServer(PASS="nonsense \x1b[2J") as server, ftp_client(server, here, stdin="get a\n") as client:
        client.finish(status=1, stderr="ftp_client: .*: nonsense \ufffd\\[2J\n")


def test_ftp_client_shows_the_whole_of_a_reply(here):
    """In UTF-8, 内 has a byte that would be the end of a line."""
    with FakeServer(RETR="550 内部.txt: no") as server, ftp_client(server, here, stdin="get x\n") as client:
        client.finish(status=1, stderr="! get x: 550 内部.txt: no\n")


def test_ftp_client_without_stderr(library, here):
    with ftp_server(library) as server:
        command = f"exec '{sys.executable}' '{ROOT / CLIENT}' {server.port} 2>&-"
        with Program("sh", "-c", command, stdin="get a.txt\nget none\n", cwd=here) as client:
            client.finish(status=1)
    assert (here / "a.txt").read_bytes() == b"hello\n"


@pytest.mark.parametrize("answer, complaint", [
    (sends(b"x" * 1000), "1,000 bytes came instead of 2,000"),
    (sends(b"x" * 1000, "426 Something broke"), "426 Something broke"),
    (sends(b"x" * 3000), "more than its 2,000 bytes came"),
    (sends(b"x" * 2000, "451 The disk failed"), "451 The disk failed"),
])
def test_ftp_client_a_transfer_that_fails_leaves_nothing(here, answer, complaint):
    (here / "f").write_text("old")
    with FakeServer(RETR=answer) as server, ftp_client(server, here, stdin="get f\nget f\n") as client:
        client.finish(status=1, stderr=f"! get f: {complaint}\n" * 2)  # twice: the session goes on, in step
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
        client.finish(status=1, stderr="ftp_client: .*: the server has closed the connection\n")
    assert not os.listdir(here)


def test_ftp_client_an_upload_that_the_server_refuses_midway(here):
    def refuse(server):
        with server.data() as conn:
            conn.recv(1)                           # closed with bytes unread: a reset
        return "452 The disk is full"
    with open(here / "big", "wb") as file:
        file.truncate(1 << 25)
    with FakeServer(STOR=refuse) as server, ftp_client(server, here, stdin="put big\nput big\n") as client:
        client.finish(status=1, stderr="! put big: 452 The disk is full\n" * 2)


def test_ftp_client_a_full_disk_here(here):
    """A limit on the size of files stands for the disk. The session goes on."""
    with FakeServer(RETR=sends(b"x" * 2000)) as server:
        command = f"trap '' XFSZ; ulimit -f 1; exec '{sys.executable}' '{ROOT / CLIENT}' {server.port}"
        with Program("sh", "-c", command, stdin="get f\nget f\n", cwd=here) as client:
            client.finish(status=1, stderr="! get f: File too large\n" * 2)
    assert not os.listdir(here)


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
    """A server that names somebody else's address gets its own port knocked at, and nobody else is bothered."""
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
