"""The FTP server: nobody gets out of the folder that is served. First its room by itself, then through the server."""
import os
import stat

import pytest
from ftp_harness import Client, everything, files, grow
from ftp_harness import server, shared  # noqa: F401


# Through the server

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
