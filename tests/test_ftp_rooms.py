"""Tests of the modules of the FTP system, without a server: the two connections, the verbs, the listings, the client."""
import contextlib
import os
import select
import socket
import threading
import time
from types import SimpleNamespace

import ftp_harness  # noqa: F401 (makes ftpd and ftpclient importable)
import pytest
from ftpclient import errors, screen
from ftpd import commands, login, session
from ftpd.control import MAX_LINE, Control, Gone, Reply
from ftpd.data import CHUNK, SMALL, DataConnection, DataPort
from ftpd.files import parse_time
from ftpd.listings import FACTS, facts, modified, send_lines, without_options
from harness import TIMEOUT, receive


@contextlib.contextmanager
def pair():
    """Yield the two ends of a new TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname(), TIMEOUT)
        far = listener.accept()[0]
    far.settimeout(TIMEOUT)
    with near, far:
        yield near, far


@pytest.fixture
def control():
    """Yield a Control. The test plays its client, on the socket .far."""
    with pair() as (near, far):
        near.setblocking(True)
        one = Control(near, TIMEOUT)
        one.far = far
        yield one


# The control connection

@pytest.mark.parametrize("received, lines", [
    (b"NOOP\r\n", ["NOOP"]),
    (b"NOOP\n", ["NOOP"]),
    (b"\r\n", [""]),
    (b"NOOP\r\nPWD\r\nQU", ["NOOP", "PWD"]),
    (b"RETR a b \r\n", ["RETR a b "]),
    (b"MKD \xff\xff\r\n", ["MKD \udcff"]),
    (b"\xff\xf4\xff\xf2ABOR\r\n", ["ABOR"]),
    (b"\xff\xfb\x01NOOP\r\nNOOP\xff\xfd\r\n", ["NOOP", "NOOP"]),
    ("MKD 中\r\n".encode(), ["MKD 中"]),
])
def test_ftp_control_cuts_lines(control, received, lines):
    for size in (1, 2, len(received)):
        found = []
        for start in range(0, len(received), size):
            control.far.sendall(received[start:start + size])
            control.receive()
            while (line := control.next_line()) is not None:
                found.append(line)
        assert found == lines
        control.buffer = b""


def test_ftp_control_and_a_line_that_is_too_long(control):
    control.buffer = b"A" * MAX_LINE + b"\r\nNOOP\r\n"
    with pytest.raises(Reply, match="too long"):
        control.next_line()
    assert control.next_line() == "NOOP"
    for _ in range(3):                             # a line without an end is not kept
        control.buffer += b"A" * (MAX_LINE + 1)
        assert control.next_line() is None and control.buffer == b""
    control.buffer = b"A\r\nNOOP\r\n"
    with pytest.raises(Reply, match="too long"):
        control.next_line()
    assert control.next_line() == "NOOP"


def test_ftp_control_sends_several_lines_as_one_reply(control):
    control.send(200, "OK")
    control.send(211, "Features:\n SIZE\nEnd")
    control.conn.shutdown(socket.SHUT_WR)
    assert receive(control.far, 1000) == b"200 OK\r\n211-Features:\r\n SIZE\r\n211 End\r\n"


def test_ftp_control_waits_for_a_transfer_and_for_the_client(control):
    with pair() as (data, peer):
        with pytest.raises(TimeoutError):          # the client is too slow
            control.wait(data, select.POLLIN, 0)
        peer.sendall(b"x")
        control.wait(data, select.POLLIN, TIMEOUT)
        data.recv(1)
        control.far.sendall(b"NOOP\r\n")           # a command waits in the buffer
        control.wait(data, select.POLLIN, TIMEOUT)
        assert control.buffer == b"NOOP\r\n" and control.next_line() == "NOOP"
        control.far.sendall(b"abor\r\n")
        with pytest.raises(Reply) as reply:
            control.wait(data, select.POLLIN, TIMEOUT)
        assert reply.value.args[0] == 226 and control.far.recv(100).startswith(b"426 ")
        control.buffer = b"ABOR\r\n"               # it has arrived together with the command before it
        with pytest.raises(Reply) as reply:
            control.wait(data, select.POLLIN, TIMEOUT)
        assert reply.value.args[0] == 226 and control.far.recv(100).startswith(b"426 ")
        control.buffer = b"NOOP\r\n" * MAX_LINE    # the buffer is full: no more is received
        control.far.sendall(b"ABOR\r\n")
        with pytest.raises(TimeoutError):
            control.wait(data, select.POLLIN, 0)
        control.receive()
        control.buffer = b""
        control.far.close()
        with pytest.raises(Gone):
            control.wait(data, select.POLLIN, TIMEOUT)


# The data connection

def test_ftp_listing_that_takes_long_says_so_first():
    """The reply 150 may wait for the next reply (MSG_MORE) only if the listing is sent in one piece."""
    asked = []

    @contextlib.contextmanager
    def open_data(what, small):
        asked.append(small)
        yield SimpleNamespace(send_bytes=lambda data: None)
    for size in (SMALL - 2, SMALL - 1):            # each line ends with two more bytes, CR and LF
        send_lines(SimpleNamespace(port=SimpleNamespace(open=open_data)), ["x" * size])
    assert asked == [True, False]


@pytest.mark.parametrize("there", [100, 100_000], ids=["small", "mapped"])
def test_ftp_data_of_a_file_that_has_grown_ends_where_it_was_to_end(control, there):
    """The server sends as many bytes as the reply 150 announced, and not the bytes that were added later."""
    fd, content = os.memfd_create("file"), os.urandom(there)
    try:
        os.write(fd, content + b"more")
        with pair() as (near, far):
            near.setblocking(False)
            DataConnection(near, control).send_file(fd, 7, there)
            near.shutdown(socket.SHUT_WR)
            assert receive(far, 2 * there) == content[7:]
    finally:
        os.close(fd)


def test_ftp_data_for_a_slow_reader(control):
    """When the send buffer is full, the rest is sent later, both of a long listing and of a mapped file."""
    text = os.urandom(1000) * 8000
    assert len(text) > 2 * CHUNK
    received = bytearray()

    def read(conn):
        while data := conn.recv(50_000):
            received.extend(data)
    fd = os.memfd_create("file")
    try:
        os.write(fd, text)
        for send in (lambda data: data.send_bytes(text), lambda data: data.send_file(fd, 5, len(text))):
            received.clear()
            with pair() as (near, far):
                near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
                near.setblocking(False)
                thread = threading.Thread(target=read, args=(far,))
                thread.start()
                try:
                    send(DataConnection(near, control))
                finally:
                    near.shutdown(socket.SHUT_WR)
                    thread.join()
            assert text.endswith(received) and len(received) in (len(text), len(text) - 5)
    finally:
        os.close(fd)


@pytest.mark.parametrize("there", [0, 100, 199_999])
def test_ftp_data_and_a_file_that_became_shorter_before_it_was_mapped(control, there):
    fd = os.memfd_create("file")
    try:
        os.truncate(fd, there)
        with pair() as (near, far), pytest.raises(Reply, match="shorter"):
            near.setblocking(False)
            DataConnection(near, control).send_file(fd, 0, 200_000)
    finally:
        os.close(fd)


def test_ftp_data_and_a_file_that_became_shorter_within_its_last_page(control):
    """The mapped page then has zeros after the end of the file, and send does not fail."""
    fd, sent = os.memfd_create("file"), []
    try:
        os.truncate(fd, 200_000)

        def send(data):
            os.truncate(fd, 199_999)
            sent.append(bytes(data))
            return len(data)
        with pytest.raises(Reply, match="shorter"):
            DataConnection(SimpleNamespace(send=send), control).send_file(fd, 0, 200_000)
        assert sum(map(len, sent)) == 200_000
    finally:
        os.close(fd)


def test_ftp_data_port_connects_to_the_client_only(control):
    port = DataPort(control)
    try:
        for host, number, code in [("127.0.0.1", 1024, 200), ("127.0.0.1", 65535, 200), ("127.0.0.1", 1023, 501),
                                   ("127.0.0.1", 65536, 501), ("127.0.0.2", 4000, 501)]:
            assert port.connect_to(host, number)[0] == code
        for nonsense in ("localhost", "127.0.0", ""):
            assert port.connect_to(nonsense, 4000)[0] == 501
        assert port.peer == ("127.0.0.1", 65535)   # the last address that was accepted
        port.only_epsv = True
        assert port.connect_to("127.0.0.1", 4000)[0] == 501
        host, number = port.listen()
        assert host == "127.0.0.1" and port.listen() == (host, number)
    finally:
        port.close()
    with pytest.raises(Reply, match="PASV or PORT"), port.open("a file"):
        pass


def test_ftp_data_port_is_for_one_transfer(control):
    port = DataPort(control)
    try:
        for _ in range(2):
            with socket.create_connection(port.listen(), TIMEOUT) as conn:
                with port.open("a file") as data:
                    data.send_bytes(b"data")
                assert receive(conn, 100) == b"data"
            with pytest.raises(Reply, match="PASV or PORT"), port.open("a file"):
                pass
    finally:
        port.close()


# The table of verbs

def test_ftp_verbs_say_what_they_need():
    verbs = {"login": set(), "argument": set(), "prepares": set()}
    for verb, command in commands.COMMANDS.items():
        for need in verbs:
            if getattr(command, need):
                verbs[need].add(verb)
    before_login = commands.COMMANDS.keys() - verbs["login"]
    assert before_login == set("USER PASS ACCT REIN QUIT NOOP SYST FEAT OPTS HELP".split())
    assert verbs["argument"] == set("USER CWD MKD RMD DELE RNFR RNTO SIZE MDTM OPTS PORT EPRT TYPE MODE STRU REST ALLO RETR STOR "
                                    "APPE MFMT XCWD XMKD XRMD".split())
    assert verbs["prepares"] == set("PASV EPSV PORT EPRT TYPE MODE STRU REST ALLO".split())
    assert not commands.COMMANDS.keys() & commands.UNSUPPORTED


def test_ftp_an_exception_of_python_is_no_reply(control, monkeypatch):
    monkeypatch.setitem(commands.COMMANDS, "ODD", None)
    @commands.command("ODD", login=False)
    def odd(client, argument):
        return 200, str(int(argument))
    one = session.Session(control.conn, SimpleNamespace(library=None, timeout=TIMEOUT))
    assert one.obey("ODD 5") == (200, "5") and one.obey("ODD x") == (501, "Invalid argument")


def test_ftp_a_new_verb_is_one_function(control, monkeypatch):
    monkeypatch.setitem(commands.COMMANDS, "TIME", None)           # so that monkeypatch removes the verb afterwards
    @commands.command("TIME", login=False, argument=True)
    def time_of_day(client, argument):
        return 200, f"{argument}: noon"
    one = session.Session(control.conn, SimpleNamespace(library=None, timeout=TIMEOUT))
    assert one.obey("time here, please") == (200, "here, please: noon")
    assert one.obey("TIME") == (501, "TIME needs an argument")
    assert " TIME" in one.obey("HELP")[1] and one.obey("TIM")[0] == 500 and one.obey("PWD")[0] == 530


@pytest.fixture
def client(control):
    """Yield a Session without a library, logged in as anonymous."""
    one = session.Session(control.conn, SimpleNamespace(library=None, users={}, read_only=False, timeout=TIMEOUT))
    assert one.obey("USER anonymous")[0] == 331 and one.obey("PASS x")[0] == 230
    yield one
    one.port.close()


def test_ftp_verbs_that_end_passive_mode(client):
    for verb in ("ABOR", "REIN"):
        assert client.obey("PASV")[0] == 227 and client.port.peer
        client.obey(verb)
        assert client.port.peer is None, verb
    assert client.port.listener is None and not client.logged_in


def test_ftp_verbs_for_the_next_transfer_only(client):
    """A wrong number, or any command that does not prepare the transfer too, cancels an earlier REST and ALLO."""
    for line in ("TYPE I", "EPSV", "MODE S", "PORT x"):
        assert client.obey("REST 5")[0] == 350 and client.obey("ALLO 7")[0] == 200
        client.obey(line)
        assert (client.offset, client.promised) == (5, 7), line
    assert client.obey("REST x")[0] == client.obey("ALLO x")[0] == 501
    assert (client.offset, client.promised) == (0, None)
    for line in ("NOOP", "CWD a\tb", "STAT"):
        client.obey("REST 5")
        client.obey("ALLO 7")
        client.obey(line)
        assert (client.offset, client.promised) == (0, None), line


@pytest.mark.parametrize("error, codes, text", [
    (FileExistsError(), (553, 553, 550), "A file with that name already exists"),
    (OSError(28, "No space left on device"), (452, 553, 550), "No space left on device"),
    (OSError(122, "Disk quota exceeded"), (452, 553, 550), "Disk quota exceeded"),
    (OSError(27, "File too large"), (552, 553, 550), "File too large"),
    (OSError(24, "Too many open files"), (451, 451, 451), "Too many open files"),
    (OSError(12, "Cannot allocate memory"), (451, 451, 451), "Cannot allocate memory"),
    (OSError(40, "Too many levels of symbolic links"), (553, 553, 550), "No such file or directory"),
    (PermissionError(13, "Permission denied"), (553, 553, 550), "Permission denied"),
    (OSError(), (553, 553, 550), "Failed"),
])
def test_ftp_errors_become_replies(error, codes, text):
    """Each verb has its own list of codes (RFC 959, 5.4): for example, MKD may not reply 553, and STOR may not reply 550."""
    for verbs, code in zip(("STOR APPE STOU", "RNTO", "MKD XMKD RMD DELE RNFR CWD RETR SIZE MDTM MFMT"), codes):
        for verb in verbs.split():
            assert session.reply_to(error, commands.COMMANDS[verb].codes) == (code, text), verb


def test_ftp_a_wrong_password_costs_a_second(monkeypatch):
    slept = []
    monkeypatch.setattr(login, "time", SimpleNamespace(sleep=slept.append))
    server = SimpleNamespace(users={"bob": "secret"}, read_only=False)
    client = SimpleNamespace(server=server, name="client", user="bob", logged_in=False, wrong_passwords=0, finished=False)
    assert login.password(client, "wrong")[0] == 530 and slept == [login.PENALTY] and login.PENALTY >= 1
    client.user = "bob"
    assert login.password(client, "secret")[0] == 230 and slept == [login.PENALTY]


# Listings

STAT = SimpleNamespace(st_mode=0o100644, st_dev=0x1f, st_ino=0xabc, st_size=5, st_mtime=86400 * 365)


def test_ftp_facts():
    client = SimpleNamespace(facts=FACTS)
    assert facts(client, STAT) == "type=file;size=5;modify=19710101000000;unique=1f-abc;"
    folder = SimpleNamespace(**{**vars(STAT), "st_mode": 0o40755})
    assert facts(client, folder) == "type=dir;modify=19710101000000;unique=1f-abc;"
    assert facts(client, folder, "cdir").startswith("type=cdir;modify=")
    client.facts = ["size", "unique"]
    assert facts(client, STAT) == "size=5;unique=1f-abc;"
    assert facts(client, folder) == "unique=1f-abc;"


@pytest.fixture
def shanghai(monkeypatch):
    """Set the local time to UTC+8, without summer time."""
    monkeypatch.setenv("TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_ftp_times_are_utc_on_the_wire_and_local_for_people(shanghai):
    assert modified(STAT) == "19710101000000" and parse_time("19710101000000") == 31536000
    assert screen.local_time("19710101000000") == screen.local_time("19710101000000.123") == "1971-01-01 08:00"
    assert screen.local_time("soon") == screen.local_time("") == screen.local_time("19719901000000") == ""


@pytest.mark.parametrize("argument, path", [
    ("", ""), ("-la", ""), ("-l -a", ""), ("-la a b", "a b"), ("a -l", "a -l"), ("-", ""), ("a", "a"), ("- a", "a"), ("-.x", "-.x"),
    ("-rf", "-rf"), ("-x", "-x"), ("-alx y", "-alx y"), ("-l -rf", "-rf"), ("./-l", "./-l"), ("-aF1", ""), ("-é", "-é"),
])
def test_ftp_options_of_ls_are_left_out(argument, path):
    assert without_options(argument) == path


# The client

def test_ftp_client_encodes_names_as_bytes():
    for name in ("a", "课堂 笔记", "\udcff\udcfe", "\xff"):
        wire = screen.to_wire(name)
        assert wire.isascii() == name.isascii() and max(map(ord, wire)) < 256
        assert screen.from_wire(wire.replace("\xff\xff", "\xff")) == name
    assert screen.to_wire("\udcff") == "\xff\xff"


@pytest.mark.parametrize("error, text", [
    (EOFError(), "the server closed the connection"),
    (FileNotFoundError(2, "No such file or directory"), "No such file or directory"),
    (ValueError(), "ValueError"),
    (errors.ftplib.error_perm("550-no\n550 \xe5\x86\x85 \x1b[2J"), "550 内 \ufffd[2J"),
])
def test_ftp_client_says_why(error, text):
    assert errors.reason(error) == text


@pytest.mark.parametrize("done, size, seconds, text", [
    (0, 100, 0, "  0% [....] 0 bytes  0 bytes/s"),
    (50, 100, 1, " 50% [##..] 50 bytes  50 bytes/s  1 s left"),
    (1345, 1345, 1e-4, "100% [####] 1.3 KiB"),                        # too small for a meaningful speed
    (2 << 20, 2 << 20, 2, "100% [####] 2.0 MiB  1.0 MiB/s"),
    (0, 0, 0, "100% [####] 0 bytes"),
    (3 << 20, None, 1, "3.0 MiB  3.0 MiB/s"),
    (5 << 40, None, 1, "5,120.0 GiB  5,120.0 GiB/s"),
])
def test_ftp_client_bar(monkeypatch, done, size, seconds, text):
    monkeypatch.setattr(screen.shutil, "get_terminal_size", lambda: os.terminal_size((54, 24)))
    assert screen.bar(done, size, seconds) == text
