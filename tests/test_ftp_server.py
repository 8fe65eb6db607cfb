"""Tests of the FTP server as a program: its command line, its addresses, and how it ends."""
import contextlib
import os
import socket
from types import SimpleNamespace

import pytest
from ftp_harness import SERVER, Client, ftp_server, send_some, sparse
from harness import TIMEOUT, Program, receive, serve

import ftp_server as ftp_server_script             # after ftp_harness, which adds its folder to sys.path


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
                program.finish(status=2, stderr=message)
                assert program.stdout == ""
            except AssertionError as error:
                wrong.append(str(error))
        assert not wrong, "\n".join(wrong)
        with Client(server, "anonymous") as client:
            assert client.ask("NOOP") == 200


def test_ftp_server_that_gets_no_thread_refuses_and_keeps_its_slot(monkeypatch):
    def no_thread(**options):
        raise RuntimeError("can't start new thread")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients = [socket.create_connection(listener.getsockname(), TIMEOUT) for _ in range(3)]
        left = [listener.accept() for _ in clients]

        def accept():
            if not left:
                raise KeyboardInterrupt
            return left.pop()
        monkeypatch.setattr(ftp_server_script.threading, "Thread", no_thread)
        server = ftp_server_script.FTPServer(SimpleNamespace(accept=accept), None, {}, False, max_clients=1, timeout=1)
        with pytest.raises(KeyboardInterrupt):
            server.serve_forever()
    for client in clients:
        with client:
            assert client.recv(100).startswith(b"421 ")
    assert server.slots.acquire(blocking=False)


def test_ftp_server_serves_its_own_folder_by_default():
    with serve(SERVER) as server, Client(server, "anonymous") as client:
        assert client.get("NLST") is not None


def test_ftp_server_listens_on_every_address_and_names_the_one_that_the_client_uses(tmp_path):
    (tmp_path / "a").write_bytes(b"data")
    with serve(SERVER, "-d", tmp_path, "-b", "0.0.0.0") as server:
        server.host = "127.0.0.3"
        with Client(server, "anonymous") as client:
            assert client.ask("PASV") == 227
            assert "(127,0,0,3," in client.text
            assert client.get("RETR a") == b"data"


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
        # ftp_server() has checked the end of the server: status 0, and no output on stderr.
        with pytest.raises(EOFError):
            clients[3].reply()
        assert os.listdir(tmp_path) == ["big"]
        with ftp_server(tmp_path, port=server.port) as again, Client(again, "anonymous") as client:
            assert client.get("NLST") == b"big\r\n"
