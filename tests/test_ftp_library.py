"""Tests of the FTP server's library: no path and no link leads out of the served folder.

The first part tests the module library by itself, the second part tests it through the server.
"""
import contextlib
import errno
import os
import stat
import threading
from types import SimpleNamespace

import pytest
from ftp_harness import Client, everything, files, grow
from ftp_harness import server, shared  # noqa: F401
from ftpd import library as room
from ftpd.files import delete_file, rename_to
from ftpd.library import Library, Upload
from harness import TIMEOUT


# The module by itself

@pytest.fixture
def library(tmp_path):
    """Yield a Library with some files. Its folder is .folder_on_disk; secret.txt is next to that folder."""
    (tmp_path / "secret.txt").write_bytes(b"TOP SECRET")
    folder = tmp_path / "root"
    grow(folder, {"a": b"a", "b b": b"bb", "folder/inner": b"inner", "hollow": None})
    found = Library(folder)
    found.folder_on_disk = folder
    yield found
    os.close(found.root)
    assert files(tmp_path)["secret.txt"] == b"TOP SECRET" and set(os.listdir(tmp_path)) == {"secret.txt", "root"}


def names(library, path="/", pattern="*"):
    return [name for name, _ in library.list(path, pattern)]


def read(library, path):
    with library.open(path) as fd:
        return os.read(fd, 1000)


def test_ftp_library_opens_and_lists(library):
    assert read(library, "/a") == b"a" and read(library, "//folder//inner") == b"inner"
    assert names(library) == ["a", "b b", "folder", "hollow"]
    assert names(library, "/folder") == ["inner"] and names(library, "/hollow/") == []
    assert names(library, pattern="?") == ["a"] and names(library, pattern="[!a]*") == ["b b", "folder", "hollow"]
    assert library.stat("/b b").st_size == 2 and stat.S_ISDIR(library.stat("/").st_mode)
    for path, error in [("/none", FileNotFoundError), ("/a/b", NotADirectoryError), ("/none/a", FileNotFoundError),
                        ("/folder", PermissionError), ("/", PermissionError)]:
        with pytest.raises(error):
            read(library, path)


@pytest.mark.parametrize("path", ["/..", "/../secret.txt", "/folder/../../secret.txt", "/folder/..", "/../root/a", "..", "../root"])
def test_ftp_library_has_no_step_up(library, path):
    for attempt in (library.open, library.folder, library.parent):
        with pytest.raises(OSError), attempt(path) as opened:
            os.close(os.dup(opened if isinstance(opened, int) else opened[0]))
    for attempt in (library.stat, library.list):
        with pytest.raises(OSError):
            attempt(path)
    with pytest.raises(OSError):
        Upload(library, path, replace=True)


def test_ftp_library_follows_no_link(library):
    root = library.folder_on_disk
    for name, target in [("out", ".."), ("absolute", root.parent), ("file", "../secret.txt"), ("own", "a"), ("circle", "circle"),
                         ("inside", "folder")]:
        (root / name).symlink_to(target)
        for path in (f"/{name}", f"/{name}/secret.txt", f"/{name}/inner", f"/{name}/root/a"):
            for attempt in (library.open, library.folder):
                with pytest.raises(OSError) as caught, attempt(path):
                    pass
                assert caught.value.errno in (errno.ELOOP, errno.ENOTDIR)
            with pytest.raises(OSError):
                library.stat(path)
    assert names(library) == ["a", "b b", "folder", "hollow"]


def test_ftp_library_and_a_folder_that_becomes_a_link(library):
    """An open folder stays the same folder, even if it is moved and a link takes its name (no TOCTOU)."""
    root = library.folder_on_disk
    with library.folder("/folder") as fd, Upload(library, "/folder/new", replace=False) as upload:
        (root / "folder").rename(root / "moved")
        (root / "folder").symlink_to("..")
        assert os.listdir(fd) == ["inner"]
        os.write(upload.fd, b"new")
        upload.commit()
    assert (root / "moved/new").read_bytes() == b"new" and not (root.parent / "new").exists()


def test_ftp_library_shows_files_and_folders_only(library):
    root = library.folder_on_disk
    os.mkfifo(root / "pipe")
    os.mknod(root / "socket", stat.S_IFSOCK | 0o600)
    for name in (".upload-1", "line\nbreak", "\x1b[31m", "\x7f", "\x85", "\u2028"):
        (root / name).touch()
    (root / ".hidden").touch()
    assert names(library) == [".hidden", "a", "b b", "folder", "hollow"]
    for name in set(os.listdir(root)) - set(names(library)):
        with pytest.raises(FileNotFoundError):
            library.stat(f"/{name}")
    writer = os.open(root / "pipe", os.O_RDWR)     # with a writer, opening the pipe cannot block this test
    try:
        with pytest.raises(PermissionError):
            read(library, "/pipe")
    finally:
        os.close(writer)


@pytest.fixture(params=["unnamed", "named"])
def kind(request, monkeypatch):
    """Run a test twice: on a file system with unnamed files (O_TMPFILE), and as if it had none."""
    if request.param == "named":
        monkeypatch.setattr(room.os, "O_TMPFILE", os.O_DIRECTORY)      # os.open fails with EISDIR
    return request.param


def test_ftp_upload_appears_when_it_is_complete(library, kind):
    root = library.folder_on_disk
    before = files(root)
    for replace, path in [(False, "/new"), (True, "/new"), (True, "/folder/inner"), (True, "/folder/new")]:
        with Upload(library, path, replace) as upload:
            os.write(upload.fd, b"half")
            assert names(library) == sorted(name for name in files(root) if "/" not in name and ".upload-" not in name)
            assert len(files(root)) == len(before) + (kind == "named")
            os.write(upload.fd, b" and half")
            upload.commit()
        assert read(library, path) == b"half and half"
        before[path[1:]] = b"half and half"
        assert files(root) == before


def test_ftp_upload_that_is_broken_off_leaves_nothing(library, kind):
    before = files(library.folder_on_disk)
    for replace in (True, False):
        with contextlib.suppress(ZeroDivisionError), Upload(library, "/a", replace) as upload:
            os.write(upload.fd, b"half")
            raise ZeroDivisionError
        assert files(library.folder_on_disk) == before
        with pytest.raises(OSError), Upload(library, "/none/new", replace):
            pass


def test_ftp_upload_replaces_only_if_it_may(library, kind):
    before = files(library.folder_on_disk)
    for path in ("/a", "/folder"):
        with Upload(library, path, replace=False) as upload, pytest.raises(FileExistsError):
            upload.commit()
    with Upload(library, "/folder", replace=True) as upload, pytest.raises(OSError):
        upload.commit()                            # a file cannot replace a folder
    assert files(library.folder_on_disk) == before
    with Upload(library, "/new", replace=False) as first, Upload(library, "/new", replace=False) as second:
        os.write(second.fd, b"second")
        second.commit()
        with pytest.raises(FileExistsError):
            first.commit()
    assert files(library.folder_on_disk) == {**before, "new": b"second"}


@pytest.mark.parametrize("change", ["upload", "RNTO", "DELE"])
def test_ftp_upload_checks_and_replaces_in_one_step(library, monkeypatch, change):
    path, arrived, ends, real = library.folder_on_disk / "a", threading.Event(), [], Upload.replaced
    session = SimpleNamespace(library=library, rename_from="/b b", may_change=True, require=bool, path="/".__add__)

    class Lock:
        def __init__(self):
            self.real = threading.Lock()

        def __enter__(self):
            if threading.current_thread() is thread:
                arrived.set()
            self.real.acquire()

        def __exit__(self, *exception):
            self.real.release()

    def change_second():
        try:
            if change == "upload":
                second.commit(path.stat())
            elif change == "RNTO":
                rename_to(session, "a")
            else:
                delete_file(session, "a")
            ends.append("changed")
        except OSError as error:
            ends.append(error.errno)
        arrived.set()

    def replaced(upload):
        st = real(upload)
        if upload is first:
            thread.start()
            assert arrived.wait(TIMEOUT)           # the second one waits for the lock now, or has changed the file
            ends.append("checked")
        return st
    monkeypatch.setattr(library, "replacing", Lock())
    monkeypatch.setattr(Upload, "replaced", replaced)
    with Upload(library, "/a", replace=True) as first, Upload(library, "/a", replace=True) as second:
        thread = threading.Thread(target=change_second)
        first.commit(path.stat())
        thread.join(TIMEOUT)
    assert ends == ["checked", errno.EBUSY if change == "upload" else "changed"]


def test_ftp_library_copies(library):
    source, target = os.memfd_create("source"), os.memfd_create("target")
    try:
        content = os.urandom(600_000)
        os.write(source, content)
        os.lseek(source, 0, os.SEEK_SET)
        room.copy(source, target, 500_000)
        assert os.pread(target, 1_000_000, 0) == content[:500_000]
        with pytest.raises(OSError, match="shorter"):
            room.copy(source, target, 500_000)
    finally:
        os.close(source)
        os.close(target)


def test_ftp_library_writes_what_is_left(library, monkeypatch):
    """os.write may write only a part of the bytes, for example if the disk is nearly full."""
    write = os.write
    monkeypatch.setattr(room.os, "write", lambda fd, data: write(fd, data[:3]))
    with Upload(library, "/new", replace=False) as upload:
        room.write_all(upload.fd, memoryview(b"0123456789"))
        upload.commit()
    assert read(library, "/new") == b"0123456789"


# Through the server

@pytest.fixture
def outside(server, tmp_path):
    """Create a folder outside the served folder, and links that lead out; yield the outside folder."""
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
    assert set(os.listdir(server.root.parent)) == {"root"}         # and nothing was created next to the served folder


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
            assert b"SECRET" not in (client.get(f"RETR {path}") or b"")        # nor after the commands below, which may have changed files
            for command in (f"DELE {path}", f"RMD {path}" if "dir" not in path else "NOOP", f"MKD {path}1", "RNFR own"):
                client.ask(command)
            if client.ask(f"RNTO {path}") == 250 and not (server.root / "own").exists():
                grow(server.root, {"own": b"own"})
            if path.rsplit("/")[-1] not in ("", "..", "."):
                client.put(f"STOR {path}")
                client.put(f"APPE {path}")
        # The links that are left are still not followed: no folder behind them can be entered.
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
                    assert client.text == "550 No such file or directory"          # the reply does not reveal that there is a link
    assert sorted(os.listdir(server.root)) == there


def test_ftp_server_notices_a_folder_that_became_a_link(server, outside):
    with Client(server) as client:
        assert client.ask("CWD dir") == 250
        with client.passive() as conn:
            (server.root / "dir").rename(server.root / "moved")
            (server.root / "dir").symlink_to(outside)
            for command in ("RETR secret.txt", "STOR new", "LIST", "MLSD", "NLST", "SIZE secret.txt", "DELE secret.txt", "MKD new",
                            "CWD .", "CWD folder", "RETR /dir/secret.txt", "RNFR secret.txt"):
                assert client.ask(command) == (553 if command == "STOR new" else 550), command
            assert client.ask("RNFR /own") == 350
            assert client.ask("RNTO /dir/own") == 553
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
