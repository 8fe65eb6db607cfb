"""Tests of the FTP server's replies to each command, of the order of commands, and of permissions."""
import contextlib
import os
import random
import select
import socket

import pytest
from ftp_harness import MIB, Client, files, ftp_server, sparse
from ftp_harness import server, shared  # noqa: F401
from harness import assert_idle, receive, reset


# (user, code) -> conversations: commands, separated by "; ", the last of which gets this code. The user None is not logged in.
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
    # the file does not exist, or the client may not do this
    ("bob", 550): [
        "USER anonymous; PASS x; DELE file", "RETR none", "RETR folder", "CWD none", "CWD file", "SIZE folder",
        "PASV; RETR none", "RMD none", "DELE none", "STAT none", "MLSD none", "MKD folder", "MKD file", "XMKD folder",
        "MKD none/x", "RMD file", "MFMT 20200101000000 none",
    ],
    ("bob", 200): [
        "NOOP", "noop", "NoOp", "TYPE I", "TYPE A", "type a n", "TYPE L 8", "MODE S", "STRU F", "OPTS UTF8 ON",
        "OPTS MLST type;size;", "ALLO 100",
    ],
    ("bob", 215): ["SYST"],
    ("bob", 211): ["FEAT", "STAT"],
    ("bob", 214): ["HELP"],
    ("bob", 213): ["STAT folder", "SIZE file", "MDTM file", "STAT -la", "STAT -la folder", "MFMT 20200101000000 file"],
    ("bob", 202): ["ACCT x"],
    ("bob", 220): ["REIN"],
    ("bob", 257): ["PWD", "XPWD"],
    ("bob", 226): ["ABOR", "PASV; ABOR"],
    ("bob", 221): ["QUIT"],
    ("bob", 250): ["CWD folder", "CDUP", "MLST", "XCWD folder", "XCUP"],
    ("bob", 350): ["REST 3", "RNFR file"],
    ("bob", 227): ["PASV"],
    ("bob", 229): ["EPSV", "EPSV 1", "EPSV ALL; EPSV"],
    # unknown verbs
    ("bob", 500): ["XYZZY", "", " NOOP", "NOOP\0", "NÖOP", "_", "__class__", "do_NOOP", "220 Ready", "GET / HTTP/1.1"],
    # verbs that the server knows, but does not support
    ("bob", 502): ["AUTH TLS", "PBSZ 0", "PROT P", "SITE CHMOD 777 file", "SMNT /", "LPRT 1"],
    (None, 502): ["AUTH TLS"],
    # commands in the wrong order
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
        "STOR .upload-1", "PORT 127,0,0,1,1", "PORT 127,0,0,1,1.1", "PORT 127,0,0,1,1_0,1", "PORT \u0661\u0662\u0667,0,0,1,9,9", "EPRT |1|127.0.0|4000|",
        "MFMT", "MFMT file", "MFMT x file", "MFMT 20201301000000 file", "MFMT 99999999999999 file", "MLSD file",
    ],
    # valid arguments that the server does not support
    ("bob", 504): ["TYPE E", "TYPE L 36", "MODE B", "MODE C", "STRU R"],
    ("bob", 522): ["EPRT |2|::1|40000|", "EPRT |3|127.0.0.1|40000|", "EPSV 2"],
    # no data connection
    ("bob", 425): [
        "RETR file", "STOR new", "APPE new", "APPE file", "STOU", "LIST", "NLST", "MLSD", "PASV; ABOR; LIST",
        "PORT 127,0,0,1,255,255; LIST", "PASV; REIN; USER bob; PASS secret; LIST",
    ],
    ("bob", 553): ["STOR folder", "STOR none/x", "APPE none/x", "RNFR file; RNTO none/x", "USER anonymous; PASS x; STOR x"],
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
        for between in ("NOOP", "PWD", "XYZZY", "AUTH TLS", "SIZE", "RNTO none/x", "RNTO .upload-1"):
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
        with client.begin("RETR /big", SO_RCVBUF=4096) as conn:    # commands that arrive during a transfer wait for its end
            client.sendall(b"NOOP\r\nPWD\r\n")
            assert receive(conn, 1000)
            assert_idle(server)
            assert not select.select([client], [], [], 0)[0]
            reset(conn)
        assert [client.reply() for _ in range(3)] == [426, 200, 257]


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


def test_ftp_server_and_lines_without_measure(server):
    before = server.memory()
    with Client(server) as client:
        socket.socket.sendall(client, b"A" * MIB + b"\r\nNOOP\r\n")
        assert client.reply() == 500
        assert client.reply() == 200
        socket.socket.sendall(client, b"RETR " + b"a/" * 4000 + b"\r\n" + b"CWD " + b"../" * 2500 + b"\r\n")
        assert [client.reply(), client.reply()] == [550, 250]
        socket.socket.sendall(client, b"A" * (8 * MIB))            # a line without an end
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
    with Client(server) as client:                 # a client that speaks TLS instead of FTP
        client.sendall(bytes.fromhex("16030100c8010000c40303") + bytes(194) + b"\n")
        assert client.reply() == 500
        assert client.ask("NOOP") == 200
    reset(Client(server, None))
    client = Client(server)
    client.sendall(b"LIST")
    reset(client)


# Permissions

def attempt(client):
    """Try every kind of change; return the set of those that succeed, and a dict with the code of each."""
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
    (["--user", "bob:secret"], "bob", ALL - {"rename"}),           # attempt() deletes the file before it renames it
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
        assert len(after) == 5 and {**after, **before} == after    # three new files, and no other change


def test_ftp_server_refuses_a_wrong_password(server):
    wrong = [("bob", "wrong"), ("bob", ""), ("bob", "secret "), ("bob", "Secret"), ("Bob", "secret"), ("root", "secret"),
             ("bob", "密码"), ("bob", "\udcfe"), ("\udcfe", "secret"), ("bob", "secret\0")]
    with contextlib.ExitStack() as stack:          # all at the same time, because each reply takes a second
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
        assert client.ask("DELE none") == 550 and client.ask("STAT") == 211        # the client is still logged in as bob


def test_ftp_server_ends_a_session_after_three_wrong_passwords(server):
    with Client(server, None) as client:
        assert client.reply() == 220
        codes = []
        for _ in range(3):
            assert client.ask("USER bob") == 331
            codes.append(client.ask("PASS wrong"))
        assert codes == [530, 530, 421]
        assert client.recv(1) == b""
