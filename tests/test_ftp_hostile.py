"""Tests of the FTP server with hostile clients, and with many clients: it goes on serving all others."""
import contextlib
import os
import re
import resource
import select
import signal
import socket

from ftp_harness import CONTENT, Client, everything, files, ftp_server, limited, sparse
from ftp_harness import server, shared  # noqa: F401
from harness import TIMEOUT, Wire, assert_idle, state_of, wait_until


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

        assert client.ask("EPSV") == 229           # only another host connects, so nothing is stored
        port = int(re.search(r"\d{4,}", client.text)[0])
        with connect("127.0.0.2") as thief:
            client.say("STOR new")
            with contextlib.suppress(ConnectionError):
                thief.sendall(b"forged")
                assert thief.recv(1) == b""
        client.say("ABOR")
        assert client.reply() in (425, 426)
        assert client.reply() == 226

        stale = client.passive()                   # a connection of this client, but for an earlier EPSV
        with stale:
            assert client.get("RETR a") == b"a"
            with contextlib.suppress(ConnectionResetError):
                assert stale.recv(1) == b""
    assert files(server.root) == {"a": b"a"}


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
        # This client does not read its replies either.
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


def test_ftp_server_ends_idle_sessions_and_transfers(tmp_path):
    """The server is stopped while the clients send, so it finds all their commands at once, however slow the machine is.

    The transfers are in active mode: for those, a client needs to know no reply.
    """
    sparse(tmp_path / "big")
    with ftp_server(tmp_path, "--timeout", "0.5") as server, contextlib.ExitStack() as stack:
        def client(*commands):
            one = stack.enter_context(Client(server, None))
            one.sendall("\r\n".join(commands).encode())
            return one

        def port():
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            listener.settimeout(TIMEOUT)
            return listener, f"EPRT |1|127.0.0.1|{listener.getsockname()[1]}|"
        server.signal(signal.SIGSTOP)
        wait_until(lambda: state_of(server.pid) == "T", lambda: "the server does not stop")
        login = ("USER anonymous", "PASS secret")
        (_, here), (listener, there) = port(), port()
        silent, idle, slow = client(), client(*login, ""), client(*login, "NOO")
        reader, writer = client(*login, here, "RETR big", ""), client(*login, there, "STOR new", "")
        server.signal(signal.SIGCONT)
        with listener.accept()[0] as upload:
            upload.sendall(b"half")
            for one in (reader, writer):
                assert [one.reply() for _ in range(6)] == [220, 331, 230, 200, 150, 426]
        assert silent.reply() == 220
        for one in (idle, slow):
            assert [one.reply() for _ in range(3)] == [220, 331, 230]
        for one in (idle, slow, silent, reader, writer):
            assert one.reply() == 421
            assert one.recv(1) == b""
        assert os.listdir(tmp_path) == ["big"]


# Many clients

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
        wait_until(served, lambda: "a client has left, but a new client does not get its place")


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
    """Connected clients get errors and stay connected. New clients wait until a descriptor is free."""
    (tmp_path / "a").write_bytes(b"a")
    with ftp_server(tmp_path) as server, contextlib.ExitStack() as stack:
        here, prepared = [stack.enter_context(Client(server, "anonymous")) for _ in range(2)]
        data = stack.enter_context(prepared.passive())
        server.wait_until_asleep()                 # in accept, for which the kernel has already reserved a descriptor that is not listed
        numbers = server.descriptors()
        assert max(numbers) <= len(numbers), "some numbers below the highest descriptor are free"
        with limited(server, resource.RLIMIT_NOFILE, max(numbers) + 1):
            waiting = [stack.enter_context(Client(server, None)) for _ in range(3)]
            for _ in range(5):
                for command in ("PASV", "RETR a", "STOR new", "LIST", "MLSD", "SIZE a", "CWD /"):
                    code = here.ask(command)
                    assert 400 <= code < 600, (command, code)
                assert here.ask("NOOP") == 200
            assert prepared.ask("RETR a") >= 400
            assert len(select.select(waiting, [], [], 0)[0]) <= 1  # accept can use the reserved descriptor
            assert_idle(server)
        for client in waiting:
            assert client.reply() == 220
        data.close()
        for client in (here, prepared):
            assert client.get("RETR a") == b"a"
            assert client.ask("QUIT") == 221
    assert os.listdir(tmp_path) == ["a"]
