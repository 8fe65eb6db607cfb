"""Tests the files of the HTTP server: which files it finds, which it refuses, files that change, ranges and conditions."""
import contextlib
import email.utils
import errno
import itertools
import mimetypes
import mmap
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from types import SimpleNamespace

import pytest
from harness import ROOT, Program, ready, run, serve, wait_until
from http_client import FILES, HUGE, SERVER, SMALL, Client, download, get, request, rest
from http_client import server, shared  # fixtures

sys.path.append(str(ROOT / "day12"))
from httpd import conditions, files, media  # noqa: E402
from httpd.request import Refusal  # noqa: E402


# Files

@pytest.mark.parametrize("target, name, kind", [
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/index.html?x=1", "index.html", "text/html; charset=utf-8"),
    ("http://x:80/index.html", "index.html", "text/html; charset=utf-8"),
    ("http://x", "index.html", "text/html; charset=utf-8"),
    ("http://x?/y", "index.html", "text/html; charset=utf-8"),
    ("/small.bin", "small.bin", "application/octet-stream"),
    ("/large.bin", "large.bin", "application/octet-stream"),
    ("/empty.txt", "empty.txt", "text/plain; charset=utf-8"),
    ("/a%20b%2541.txt", "a b%41.txt", "text/plain; charset=utf-8"),
    ("/%E4%B8%AD%E6%96%87%20%E6%96%87%E4%BB%B6.txt", "\u4e2d\u6587 \u6587\u4ef6.txt", "text/plain; charset=utf-8"),
    ("/\u4e2d\u6587%20\u6587\u4ef6.txt", "\u4e2d\u6587 \u6587\u4ef6.txt", "text/plain; charset=utf-8"),
    ("/folder/", "folder/index.html", "text/html; charset=utf-8"),
    ("/folder/style.css", "folder/style.css", "text/css; charset=utf-8"),
    ("//folder//style.css", "folder/style.css", "text/css; charset=utf-8"),
    ("/bare/x.js", "bare/x.js", "(application|text)/javascript; charset=utf-8"),
    ("/x.tar.gz", "x.tar.gz", "application/gzip"),
    ("/noext", "noext", "application/octet-stream"),
    ("//[x.css", "[x.css", "text/css; charset=utf-8"),
])
def test_files(server, target, name, kind):
    with Client(server) as client:
        answer = client.get(target)
        assert (answer.status, answer.body) == (200, FILES[name])
        assert re.fullmatch(kind, answer["content-type"])
        assert answer["accept-ranges"] == "bytes" and answer["connection"] is None
        assert answer["cache-control"] == "no-cache"                   # so a browser asks each time whether the file has changed
        modified = email.utils.parsedate_to_datetime(answer["last-modified"]).timestamp()
        assert modified == int((server.root / name).stat().st_mtime)
        head = client.get(target, method="HEAD")   # the same head as for GET, without the body
        assert {**head.headers, "date": 0} == {**answer.headers, "date": 0} and head.status == 200
        assert client.get("/small.bin").body == SMALL                  # so no other bytes were sent before this answer


@pytest.mark.parametrize("target", [
    "/none", "/none/", "/index.html/", "/small.bin/x", "/bare/", "/.hidden", "/.dots/x", "/folder/../index.html", "/folder/.",
    "/..",
    "/../secret", "/%2e%2e/secret", "/%2E%2E%2Fsecret", "/..%2fsecret", "/folder/..%2f..%2fsecret", "/..\\secret",
    "/%5c..%5csecret",
    "//../secret", "/folder/%2e%2e/%2e%2e/secret", "/" + "x" * 300, "/" + "x/" * 3000, "/etc/passwd", "//etc/passwd",
    "/%2fetc%2fpasswd",
    "http://x/../secret", "file:/etc/passwd", "/fifo", "/device", "/out", "/out-folder", "/out-folder/", "/out-folder/secret",
    "/dangling", "/loop", "/to-hidden", "/.well-known", "/.well-known/.x", "/.well-known/../x", "/.well-known/../../secret",
    "/.well-known-not/x",
    "/%ff%fe", "/socket",
])
def test_nothing_else(server, target):
    with odd_files(server.root), Client(server) as client:
        for method in "GET", "HEAD":
            answer = client.get(target, method=method)
            assert answer.status == (400 if target.startswith("file:") or "\\" in target else 404)
            assert b"secret" not in answer.body and b"root:" not in answer.body
            if answer.status == 400:
                break


@contextlib.contextmanager
def odd_files(root):
    os.mkfifo(root / "fifo")
    links = {"device": "/dev/zero", "out": "../secret", "out-folder": "..", "dangling": "nowhere", "loop": "loop",
             "to-hidden": ".hidden", "in": "small.bin", "in-folder": "folder", "self": "."}
    (root / "out-folderindex.html").write_bytes(b"not this one")
    for name, target in links.items():
        (root / name).symlink_to(target)
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            here = os.getcwd()
            os.chdir(root)                         # the path of a Unix socket must be short
            listener.bind("socket")
            os.chdir(here)
            yield
        finally:
            for name in ("fifo", "socket", "out-folderindex.html", *links):
                (root / name).unlink()


def test_links_that_stay_inside(server):
    with odd_files(server.root):
        assert get(server, "/in").body == SMALL
        assert get(server, "/in-folder/style.css").body == b"p {}\n"
        assert get(server, "/self")["location"] == "/self/" and get(server, "/self/").status == 200


def test_a_link_that_is_turned_around_while_clients_ask(server):
    """The server sends the public file or a 404, and never the secret file, at whatever moment the link changes."""
    link, stop = server.root / "turning", threading.Event()

    def turn():
        for number in itertools.count():
            if stop.is_set():
                return
            (server.root / "next").symlink_to("../secret" if number % 2 else "small.bin")
            os.rename(server.root / "next", link)
    link.symlink_to("small.bin")
    thread = threading.Thread(target=turn)
    thread.start()
    try:
        with Client(server) as client:
            answers = []
            # The other thread may be slow, so go on until the link has led to both places.
            while len(answers) < 2000 or len({answer.body == SMALL for answer in answers}) < 2:
                answers.append(client.get("/turning"))
    finally:
        stop.set()
        thread.join()
        link.unlink()
    assert {(answer.status, answer.body == SMALL) for answer in answers} == {(200, True), (404, False)}
    assert not any(b"secret" in answer.body for answer in answers)


@pytest.mark.parametrize("target, location", [
    ("/folder", "/folder/"), ("/folder?a=1&b", "/folder/?a=1&b"), ("//folder", "/folder/"), ("///folder", "/folder/"),
    ("/%66older", "/folder/"), ("/sp%20ace", "/sp%20ace/"), ("/%2ffolder", "/folder/"), ("http://x/folder", "/folder/"),
])
def test_a_folder_without_its_slash(server, target, location):
    """The redirection never leads to `//folder/`, which would be a host named folder."""
    (server.root / "sp ace").mkdir()
    try:
        answer = get(server, target)
        assert (answer.status, answer["location"]) == (301, location)
        assert answer["cache-control"] == "no-store"                   # otherwise a browser might remember the redirection for ever
    finally:
        (server.root / "sp ace").rmdir()


def test_a_folder_called_index_html(server):
    (server.root / "strange" / "index.html").mkdir(parents=True)
    try:
        assert get(server, "/strange/").status == 404
    finally:
        shutil.rmtree(server.root / "strange")


def test_two_redirects_in_the_same_turn_keep_their_own_query(server):
    with Client(server) as client:
        client.sendall(request("/folder?mine") + request("/folder?yours"))
        assert [client.answer()["location"] for _ in range(2)] == ["/folder/?mine", "/folder/?yours"]


NOBODY = """
import os, sys
sys.path.insert(0, {folder!r})
from http_server import HTTPServer
server = HTTPServer(("127.0.0.1", 0), directory={root!r}, log=False)
if os.geteuid() == 0:
    os.setuid(65534)
print("listening on {{}}:{{}}".format(*server.address), flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
"""


def test_a_file_that_the_server_may_not_read():
    """Root may read every file, so as root, the server first changes to user 65534. This user must get into the folder."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name, mode in ("open", 0o644), ("locked", 0):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(b"x")
            os.chmod(path, mode)
        with Program(sys.executable, "-c", NOBODY.format(folder=str(ROOT / "day12"), root=folder)) as server:
            ready(server)
            assert get(server, "/open").body == b"x"
            assert get(server, "/locked").status == 404
            server.interrupt()
            server.finish()


# Files that change

def test_a_changed_file_is_never_served_as_it_was(server):
    path = server.root / "changing"
    with Client(server) as client, open(path, "wb") as file:
        for number in range(300):                  # each content has the same size, often in the same clock tick
            os.pwrite(file.fileno(), b"%5d" % number, 0)
            assert client.get("/changing").body == b"%5d" % number
        os.utime(path, (1, 1))                     # now it looks old, but its ctime says that it has just changed
        assert client.get("/changing")["last-modified"] == "Thu, 01 Jan 1970 00:00:01 GMT"
        os.pwrite(file.fileno(), b"after", 0)
        os.utime(path, (1, 1))
        assert client.get("/changing").body == b"after"
    path.unlink()
    assert get(server, "/changing").status == 404


def test_a_kept_file_that_changes_is_replaced_removed_or_becomes_something_else(server):
    path, other = server.root / "kept", server.root / "other"
    path.write_bytes(b"first")
    wait_until(lambda: not get(server, "/kept")["etag"].startswith("W/"), lambda: "the file is never cached")
    with Client(server) as client:
        tag, found = client.get("/kept")["etag"], path.stat()
        path.write_bytes(b"other")                 # the new content has the same size, inode and mtime
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
        answer = client.get("/kept", f"If-None-Match: {tag}")
        assert (answer.status, answer.body) == (200, b"other")
        other.write_bytes(b"again")                # the new file has the same size and mtime
        os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
        os.rename(other, path)
        answer = client.get("/kept")
        assert answer.body == b"again" and answer["etag"] != tag
        path.write_bytes(b"longer than before")
        assert client.get("/kept").body == b"longer than before"
        path.unlink()
        assert client.get("/kept").status == 404
        path.mkdir()
        assert client.get("/kept").status == 301
        path.rmdir()


def test_a_kept_file_whose_folder_moves_away(server):
    """The file itself does not change, but within about a second the server answers 404, as a new server would."""
    inside, outside = server.root / "moving", server.root.parent / "moved"
    inside.mkdir()
    (inside / "x").write_bytes(b"secret")
    (server.root / "way").symlink_to("moving")
    try:
        with Client(server) as client:
            wait_until(lambda: client.get("/way/x")["etag"].startswith('"'), lambda: "the file is never cached")
            inside.rename(outside)
            (server.root / "way").unlink()
            (server.root / "way").symlink_to(outside)
            wait_until(lambda: client.get("/way/x").status == 404, lambda: "the file is served for ever")
    finally:
        (server.root / "way").unlink()
        for folder in inside, outside:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("size", [0, 1, 4096, 5000, HUGE - 1, HUGE - 4097])
def test_a_file_that_shrinks_during_a_download(server, size):
    """The connection ends early, so the client sees that the file is not complete."""
    with download(server) as (client, path):
        os.truncate(path, size)
        assert rest(client)[0] < HUGE - 100_000


@pytest.mark.parametrize("what", ["removed", "replaced", "longer"])
def test_a_file_that_is_removed_or_replaced_or_grows_during_a_download(server, what):
    """The client gets the file as it was when the download began."""
    with download(server) as (client, path):
        if what == "longer":
            os.truncate(path, HUGE + 10_000)
        else:
            path.unlink()
        if what == "replaced":
            path.write_bytes(b"x" * HUGE)
        client.shutdown(socket.SHUT_WR)
        head = 400                                 # the approximate size of the head, in bytes
        count, zeros = rest(client)
        assert zeros and HUGE - 100_000 <= count <= HUGE - 100_000 + head


# Ranges and conditions

OLD, NEW = "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize("name", ["small.bin", "large.bin"])
def test_ranges_byte_for_byte(server, name):
    data, order = FILES[name], random.Random(3)
    size = len(data)
    numbers = [0, 1, 2, size // 2, size - 2, size - 1, size, size + 1, 10 * size, *(order.randrange(size) for _ in range(10))]
    with Client(server) as client:
        for first, last in itertools.product(numbers, numbers):
            answer = client.get(f"/{name}", f"Range: bytes={first}-{last}")
            if first > last or first >= size:
                assert (answer.status, answer["content-range"]) == (416, f"bytes */{size}")
            else:
                assert (answer.status, answer.body) == (206, data[first:last + 1])
                assert answer["content-range"] == f"bytes {first}-{min(last, size - 1)}/{size}"
        for number in numbers:
            answer = client.get(f"/{name}", f"Range: bytes={number}-")
            assert (answer.status, answer.body) == ((206, data[number:]) if number < size else (416, answer.body))
            answer = client.get(f"/{name}", f"Range: bytes=-{number}")
            assert (answer.status, answer.body) == ((206, data[-number:]) if number else (416, answer.body))


@pytest.mark.parametrize("value", ["bytes=0-1,3-4", "bytes=0-1, -1", "bytes=x,y", "bytes=,", "lines=0-1", "lines=x", "bytes 0-1",
                                   "bytes", "byte=0-1", "x-bytes=0-1"])
def test_ranges_that_are_ignored(server, value):
    """Several ranges, and every unit but bytes (RFC 9110, 14.2)."""
    answer = get(server, "/small.bin", f"Range: {value}")
    assert (answer.status, answer.body) == (200, SMALL)


@pytest.mark.parametrize("value", ["bytes=-", "bytes=", "bytes=a-b", "bytes=0-1x", "bytes=0-x", "bytes=x", "bytes=--1", "bytes=1",
                                   "bytes=1-0", "BYTES=1-0", "bytes=0-1 3-4", "bytes=0-1;3-4", "bytes=0 - 1", "bytes=+1-2",
                                   "bytes=0x1-2", "bytes=0-1-2", "bytes==0-1", "bytes=\xb2-", "bytes=0" + "0" * 200 + "-1",
                                   "bytes=" + "9" * 5000 + "-"])
def test_ranges_that_are_malformed(server, value):
    """They are refused (RFC 9110, 15.5.17), unless something else decides first."""
    with Client(server) as client:
        answer = client.get("/small.bin", f"Range: {value}")
        assert (answer.status, answer["content-range"]) == (416, "bytes */1000")
        for field in "If-Range: \"x\"", f"If-Range: {OLD}":
            assert (answer := client.get("/small.bin", f"Range: {value}", field)).status == 200 and answer.body == SMALL
        assert client.get("/small.bin", f"Range: {value}", "If-None-Match: *").status == 304
        assert client.get("/small.bin", f"Range: {value}", 'If-Match: "x"').status == 412
        assert client.get("/small.bin", f"Range: {value}", method="HEAD").status == 200
        assert client.get("/no-such-file", f"Range: {value}").status == 404


def test_ranges_of_an_empty_file_and_with_head(server):
    for value in "bytes=0-", "bytes=-1", "bytes=0-0":
        assert get(server, "/empty.txt", f"Range: {value}")["content-range"] == "bytes */0"
    answer = get(server, "/small.bin", "Range: bytes=0-1", method="HEAD")
    assert (answer.status, answer["content-length"]) == (200, "1000")
    assert get(server, "/small.bin", "range: BYTES= 0-1").body == SMALL[:2]


@pytest.mark.parametrize("fields, status", [
    (["If-None-Match: {tag}"], 304), (["If-None-Match: W/{tag}"], 304), (["If-None-Match: *"], 304),
    (['If-None-Match: "x", {tag}'], 304), (['If-None-Match: "x"', "If-None-Match: {tag}"], 304), (['If-None-Match: "x"'], 200),
    (["If-Modified-Since: {date}"], 304), ([f"If-Modified-Since: {NEW}"], 304), ([f"If-Modified-Since: {OLD}"], 200),
    (["If-Modified-Since: yesterday"], 200), (['If-None-Match: "x"', f"If-Modified-Since: {NEW}"], 200),
    (["If-Match: {tag}"], 200), (["If-Match: *"], 200), (['If-Match: "x"'], 412), (["If-Match: W/{tag}"], 412),
    ([f"If-Unmodified-Since: {OLD}"], 412), (["If-Unmodified-Since: {date}"], 200), (["If-Unmodified-Since: 1"], 200),
    (["If-Match: {tag}", f"If-Unmodified-Since: {OLD}"], 200), (["If-Match: {tag}", "If-None-Match: {tag}"], 304),
    (['If-Match: "x"', "If-None-Match: {tag}"], 412),
    (["Range: bytes=0-1", "If-Range: {tag}"], 206), (["Range: bytes=0-1", "If-Range: {date}"], 206),
    (["Range: bytes=0-1", 'If-Range: "x"'], 200), (["Range: bytes=0-1", "If-Range: W/{tag}"], 200),
    (["Range: bytes=0-1", f"If-Range: {OLD}"], 200), (["Range: bytes=0-1", "If-None-Match: {tag}"], 304),
    (["Range: bytes=0-1", 'If-Match: "x"'], 412), (["If-Modified-Since: Thu, 99 Foo 1970 00:00:00 GMT"], 200),
    (["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], 200), (["If-Modified-Since: Sun Nov  6 08:49:37 1994"], 200),
    (["If-Modified-Since: Friday, 01-Jan-60 00:00:00 GMT"], 304), (["If-Modified-Since: Fri Jan  1 00:00:00 2100"], 304),
    (["If-Modified-Since: Sun, 01 Jan 2100 00:00:02 +0200"], 200), ([f"If-Modified-Since: {NEW}", f"If-Modified-Since: {NEW}"], 200),
    (["If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 +0000"], 200),
])
def test_conditions(server, fields, status):
    with Client(server) as client:
        plain = client.get("/small.bin")
        assert re.fullmatch('"[^"]+"', plain["etag"])
        fields = [field.format(tag=plain["etag"], date=plain["last-modified"]) for field in fields]
        answer = client.get("/small.bin", *fields)
        assert answer.status == status
        if status != 412:
            assert (answer["etag"], answer["last-modified"]) == (plain["etag"], plain["last-modified"])
            assert answer["cache-control"] == "no-cache"
        if status == 304:
            assert answer["content-length"] is None and answer.body == b""
            assert answer["content-type"] is answer["accept-ranges"] is None
        head = client.get("/small.bin", *fields, method="HEAD")
        assert head.status == (200 if status == 206 else status)
        assert client.get("/small.bin", "Connection: keep-alive").body == SMALL


def test_a_file_of_this_second_has_a_weak_tag_and_whole_or_plain_ranges(server):
    path = server.root / "new"
    path.write_bytes(b"12345")
    with Client(server) as client:
        answer = client.get("/new")
        if answer["etag"].startswith("W/"):        # the tag is weak, unless a second has already passed
            assert client.get("/new", "Range: bytes=1-2").body == b"23"
            assert client.get("/new", "Range: bytes=1-2", f"If-Range: {answer['etag']}").body == b"12345"
            assert client.get("/new", f"If-None-Match: {answer['etag']}").status == 304
    path.unlink()


# files.py alone, without a server

LATER = 10                                         # seconds; a file that has not changed for so long is not new any more


@pytest.fixture
def site(tmp_path):
    for name, size in ("small", 5), ("large", files.MAX_CACHED_SIZE + 1):
        (tmp_path / "root").mkdir(exist_ok=True)
        (tmp_path / "root" / name).write_bytes(bytes(size))
    return files.Site(tmp_path / "root")


def refused(site, path, query=""):
    with pytest.raises(Refusal) as caught:
        site.find(path, query, time.time())
    return caught.value.status, caught.value.lines


def test_only_small_files_that_are_not_new_are_kept_and_not_too_many(site, tmp_path):
    changed = (tmp_path / "root" / "small").stat().st_ctime
    assert site.find("/small", "", changed + 0.9).tag.startswith("W/") and not site.file_cache
    first = site.find("/small", "", time.time() + LATER)
    assert not first.tag.startswith("W/") and list(site.file_cache) == ["/small"]
    assert site.find("/small", "", time.time() + LATER) is first
    assert len(site.find("/large", "", time.time() + LATER).body) == files.MAX_CACHED_SIZE + 1
    for number in range(files.MAX_CACHED_FILES + 10):
        (tmp_path / "root" / str(number)).touch()
        site.find(f"/{number}", "", time.time() + LATER)
    assert len(site.file_cache) == files.MAX_CACHED_FILES and "/large" not in site.file_cache


def test_a_folder_beside_the_root_whose_name_begins_alike(site, tmp_path):
    (tmp_path / "root-secret").mkdir()
    (tmp_path / "root-secret/x").write_bytes(b"secret")
    (tmp_path / "root/link").symlink_to("../root-secret/x")
    (tmp_path / "root/folder").symlink_to("../root-secret")
    assert refused(site, "/link") == refused(site, "/folder") == refused(site, "/folder/x") == (404, "")


def test_a_pipe_is_not_even_opened(site, tmp_path, monkeypatch, impatient):
    """The server must not open a FIFO: this would wake a program that waits for a reader of the FIFO."""
    os.mkfifo(tmp_path / "root/fifo")
    with monkeypatch.context() as patch:
        patch.delattr(os, "open")
        assert refused(site, "/fifo") == (404, "")
    # If a file is replaced by a FIFO after the check, load opens the FIFO before it can notice this.
    with pytest.raises(Refusal) as caught:
        site.load("/fifo", os.stat(tmp_path / "root/small"), time.time())
    assert caught.value.status == 404


def test_to_a_folder_with_its_slash_and_its_query(site, tmp_path):
    (tmp_path / "root/a b").mkdir()
    assert refused(site, "/a b", "x=1") == (301, "Location: /a%20b/?x=1\r\n")
    assert refused(site, "//a b") == (301, "Location: /a%20b/\r\n")


@pytest.mark.parametrize("value, part", [
    ("bytes=0-0", (0, 1)), ("bytes=0-9", (0, 10)), ("bytes=0-99", (0, 10)), ("bytes=9-", (9, 10)), ("bytes=-3", (7, 10)),
    ("bytes=-99", (0, 10)), ("", None), ("bytes=0-1,3-4", None), ("lines=0-1", None), ("bytes=10-", 416), ("bytes=-0", 416),
    ("bytes=2-1", 416), ("bytes=12-11", 416), ("bytes=-", 416), ("bytes=x", 416),
])
def test_byte_range(value, part):
    file = files.File(SimpleNamespace(st_mtime=5.9, st_ctime=5.9), bytes(10), '"x"', "", "")
    try:
        assert conditions.byte_range({"range": value}, file) == part
        assert conditions.byte_range({"range": value, "if-range": '"y"'}, file) is None
        assert conditions.byte_range({"range": value, "if-range": '"x"'}, file) == part
    except Refusal as refusal:
        assert refusal.status == part and refusal.lines == "Content-Range: bytes */10\r\n"


DATE = "Thu, 01 Jan 1970 00:00:05 GMT"


@pytest.mark.parametrize("mtime, ctime, tag, validator, is_same", [
    (5.2, 5.9, '"x"', DATE, True), (5.2, 5.9, '"x"', "Thu Jan  1 00:00:05 1970", True), (5.2, 6.1, '"x"', '"x"', True),
    # other dates, a file of this second, and a date that a program has set (cp -p, rsync)
    (5.2, 5.9, '"x"', "Thu, 01 Jan 1970 00:00:04 GMT", False), (5.2, 5.9, '"x"', "Thu, 01 Jan 1970 00:00:06 GMT", False),
    (5.2, 5.9, 'W/"x"', DATE, False), (5.2, 5.9, 'W/"x"', 'W/"x"', False), (5.2, 6.1, '"x"', DATE, False),
    (5.2, 5.9, '"x"', "5", False), (5.2, 5.9, '"x"', f"{DATE}, {DATE}", False),
])
def test_if_range_takes_only_a_date_that_is_certain(mtime, ctime, tag, validator, is_same):
    file = files.File(SimpleNamespace(st_mtime=mtime, st_ctime=ctime), bytes(10), tag, "", "")
    part = conditions.byte_range({"range": "bytes=1-2", "if-range": validator}, file)
    assert part == ((1, 3) if is_same else None)


def test_a_copy_with_the_date_of_the_file_is_another_version(site, tmp_path):
    """As cp -p and rsync make one: with a date of the past, which was the date of the file before."""
    path, later = tmp_path / "root/small", time.time() + LATER
    before = int(path.stat().st_mtime) - LATER

    def part(date):
        asked = {"range": "bytes=0-1", "if-range": email.utils.formatdate(date, usegmt=True)}
        return conditions.byte_range(asked, site.find("/small", "", later))

    assert part(before + LATER) == (0, 2) and part(before) is None
    os.utime(path, (before, before))
    assert f"Last-Modified: {email.utils.formatdate(before, usegmt=True)}" in site.find("/small", "", later).lines
    assert part(before) is part(before + LATER) is None


@pytest.mark.parametrize("path, kind", [
    ("/x.html", "text/html; charset=utf-8"), ("/x.txt.gz", "application/gzip"), ("/x", "application/octet-stream"),
    ("/x.png", "image/png"),
])
def test_content_type(path, kind):
    assert media.describe_content(path, b"", True) == f"Content-Type: {kind}\r\n"


GBK = "\u4f60\u597d".encode("gbk")
UTF8 = "\u4f60\u597d".encode()


@pytest.mark.parametrize("path, body, kind", [
    ("/x.html", b'<meta charset="gbk">' + GBK, "text/html"),
    ("/x.htm", b'<META HTTP-EQUIV="Content-Type" content="text/html; charset=gb2312">' + GBK, "text/html"),
    ("/x.html", b'<meta charset="utf-8">' + UTF8, "text/html"),
    ("/x.html", UTF8, "text/html; charset=utf-8"), ("/x.html", GBK, "text/html"),
    ("/x.html", b" " * 1100 + b'<meta charset="gbk">', "text/html; charset=utf-8"),        # browsers look only at the first bytes
    ("/x.css", b'@charset "gbk"; p::before { content: "' + GBK + b'" }', "text/css"), ("/x.css", UTF8, "text/css; charset=utf-8"),
    ("/x.css", b'p {} @charset "gbk";', "text/css; charset=utf-8"),
    ("/x.txt", b'<meta charset="gbk">' + UTF8, "text/plain; charset=utf-8"),               # browsers look only in HTML
    ("/x.txt", GBK, "text/plain"), ("/x.txt", UTF8[:-1], "text/plain"), ("/x.txt", "x".encode("utf-16"), "text/plain"),
    ("/x.js", GBK, "(application|text)/javascript"), ("/x.js", UTF8, "(application|text)/javascript; charset=utf-8"),
    ("/x.py", GBK, "text/x-python"), ("/x.md", UTF8, "text/markdown; charset=utf-8"),
    ("/x.png", UTF8, "image/png"), ("/x.json", UTF8, "application/json"),
])
def test_a_charset_is_said_only_where_it_is_certain(path, body, kind):
    lines = media.describe_content(path, body, True)
    assert re.fullmatch(f"Content-Type: {kind}\r\n", lines), lines


def test_a_page_that_declares_its_encoding_is_served_as_it_is(server):
    large = "\u4f60".encode() * files.MAX_CACHED_SIZE         # the examined beginning ends within a character
    pages = {"gbk.html": (b'<meta charset="gbk">' + GBK, "text/html"), "large.html": (large, "text/html; charset=utf-8"),
             "gbk-large.txt": (GBK * files.MAX_CACHED_SIZE, "text/plain")}
    for name, (body, kind) in pages.items():
        (server.root / name).write_bytes(body)
        answer = get(server, f"/{name}")
        assert (answer.body, answer["content-type"]) == (body, kind)
        (server.root / name).unlink()


def test_xml_that_declares_its_encoding():
    declared = media.describe_content("/x.xml", b'<?xml version="1.0" encoding="gbk"?>' + GBK, True)
    assert "charset" not in declared and "xml" in declared


@pytest.mark.parametrize("name, kind", [
    ("x.webp", "image/webp"), ("x.woff2", "font/woff2"), ("x.md", "text/markdown; charset=utf-8"), ("x.OGG", "audio/ogg"),
    ("x.m4a", "audio/mp4"), ("x.flac", "audio/(x-)?flac"), ("x.ics", "text/calendar; charset=utf-8"),
])
def test_types_where_the_system_has_no_table_of_them(name, kind, monkeypatch):
    """The types are known even without /etc/mime.types, which small containers lack."""
    monkeypatch.setattr(mimetypes, "knownfiles", [])
    monkeypatch.setattr(mimetypes, "_db", None)
    monkeypatch.setattr(mimetypes, "inited", False)
    mimetypes.init()
    try:
        assert re.fullmatch(f"Content-Type: {kind}\r\n", media.describe_content(f"/{name}", b"", True))
    finally:
        monkeypatch.undo()
        mimetypes.init()


def test_a_compressed_picture_is_shown(server):
    (server.root / "x.svgz").write_bytes(b"\x1f\x8b")
    answer = get(server, "/x.svgz")
    assert (answer["content-type"], answer["content-encoding"]) == ("image/svg+xml", "gzip")
    (server.root / "x.svgz").unlink()


def test_types_that_the_program_has_added_stay(tmp_path):
    (tmp_path / "script.py").write_text(f"""if True:
        import mimetypes, sys
        sys.path.insert(0, {str(ROOT / "day12")!r})
        from httpd import files, media
        mimetypes.add_type("text/x-course", ".course")
        files.Site(".")
        assert media.describe_content("/x.course", b"", True) == "Content-Type: text/x-course; charset=utf-8\\r\\n"
        assert mimetypes.guess_type("x.course")[0] == "text/x-course"
    """)
    run(tmp_path / "script.py")


def test_a_directory_that_is_a_link_is_followed_when_it_leads_elsewhere(site, tmp_path):
    """A new release is installed: the link is changed to the new directory, and the old directory is removed."""
    for release in "1", "2":
        (tmp_path / release).mkdir()
        (tmp_path / release / "x").write_text(release)
    (tmp_path / "current").symlink_to("1")
    site = files.Site(tmp_path / "current")
    assert site.find("/x", "", time.time() + LATER).body == b"1"
    (tmp_path / "next").symlink_to("2")
    os.rename(tmp_path / "next", tmp_path / "current")
    shutil.rmtree(tmp_path / "1")
    site.look_again()
    assert site.find("/x", "", time.time() + LATER).body == b"2"


def test_a_link_is_followed_by_a_server_that_runs(tmp_path):
    for release in "1", "2":
        (tmp_path / release).mkdir()
        (tmp_path / release / "x").write_text(release)
    (tmp_path / "current").symlink_to("1")
    with serve(SERVER, "-d", tmp_path / "current", "--quiet") as server, Client(server) as client:
        assert client.get("/x").body == b"1"
        (tmp_path / "next").symlink_to("2")
        os.rename(tmp_path / "next", tmp_path / "current")
        wait_until(lambda: client.get("/x").body == b"2", lambda: "the old release is served for ever", timeout=5)
        shutil.rmtree(tmp_path / "1")
        assert client.get("/x").body == b"2"


def test_a_directory_by_a_relative_path_stays_what_it_was(tmp_path, monkeypatch):
    (tmp_path / "here/site").mkdir(parents=True)
    (tmp_path / "here/site/x").write_bytes(b"x")
    monkeypatch.chdir(tmp_path / "here")
    site = files.Site("site")
    monkeypatch.chdir(tmp_path)
    site.look_again()
    assert site.find("/x", "", time.time()).body == b"x"


@pytest.mark.parametrize("number, status", [
    (errno.EIO, 503), (errno.ESTALE, 503), (errno.EMFILE, 503), (errno.ENODEV, 503), (errno.ENOENT, 404), (errno.EACCES, 404),
    (errno.ELOOP, 404), (errno.ENAMETOOLONG, 404),
])
@pytest.mark.parametrize("module, name", [(os, "stat"), (os, "open"), (mmap, "mmap")])
def test_an_error_looks_like_no_such_file_only_if_it_is_one(site, monkeypatch, module, name, number, status):
    def fail(*args, **options):
        raise OSError(number, os.strerror(number))
    with monkeypatch.context() as patch:
        patch.setattr(module, name, fail)
        with pytest.raises(Refusal) as caught:
            site.find("/large", "", 0)
    assert caught.value.status == status


def test_a_large_file_where_shared_maps_are_refused(site, monkeypatch):
    """Some file systems, such as FUSE with direct_io, refuse shared maps."""
    real = mmap.mmap

    def refuse_shared(fd, length, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ, **options):
        if flags & mmap.MAP_SHARED or options:
            raise OSError(errno.ENODEV, "no shared maps here")
        return real(fd, length, flags, prot)
    monkeypatch.setattr(mmap, "mmap", refuse_shared)
    assert len(site.find("/large", "", time.time()).body) == files.MAX_CACHED_SIZE + 1


def test_what_is_known_of_large_files_is_forgotten_too(site, tmp_path):
    (tmp_path / "root/large.txt").write_bytes(GBK * files.MAX_CACHED_SIZE)
    assert "charset" not in site.find("/large.txt", "", time.time()).lines and site.known_content
    site.look_again()
    assert not site.known_content


BTF = "/sys/kernel/btf"


@pytest.mark.skipif(not os.access(f"{BTF}/vmlinux", os.R_OK), reason="this kernel has no readable BTF file")
def test_a_large_file_of_the_kernel():
    assert len(files.Site(BTF).find("/vmlinux", "", time.time()).body) == os.stat(f"{BTF}/vmlinux").st_size


def test_a_file_of_the_future_was_last_modified_now(site, tmp_path):
    """Last-Modified must never be later than the Date of the answer (RFC 9110, 8.8.2.1)."""
    (tmp_path / "root/future").write_bytes(b"x")
    now = time.time()
    os.utime(tmp_path / "root/future", (now + 86400, now + 86400))
    assert f"\r\nLast-Modified: {email.utils.formatdate(now, usegmt=True)}\r\n" in site.find("/future", "", now).lines


def test_what_is_for_all_to_see_though_it_begins_with_a_dot(site, tmp_path):
    (tmp_path / "root/.well-known/acme").mkdir(parents=True)
    (tmp_path / "root/.well-known/acme/x").write_bytes(b"x")
    (tmp_path / "root/.well-known/.y").write_bytes(b"y")
    (tmp_path / "root/.hidden").write_bytes(b"no")
    (tmp_path / "root/.well-known/link").symlink_to("../.hidden")
    assert site.find("/.well-known/acme/x", "", time.time()).body == b"x"
    for path in "/.well-known/.y", "/.well-known/link", "/.hidden", "/.well-known/../.hidden", "/.well-known/..":
        assert refused(site, path) == (404, "")


@pytest.mark.parametrize("text, date", [
    ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
    ("Sun Nov  6 08:49:37 1994", 784111777), ("Sun Nov 06 08:49:37 1994", 784111777), ("Sun Nov 16 08:49:37 1994", 784975777),
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Friday, 01-Jan-60 00:00:00 GMT", 2840140800), ("Sat, 29 Feb 2020 00:00:00 GMT", 1582934400),
])
def test_dates(text, date):
    assert conditions.parse_date(text) == date


def test_dates_of_two_digits_are_at_most_fifty_years_in_the_future():
    """RFC 9110, 5.6.7"""
    this_year = time.gmtime().tm_year
    for years, meant in ((0, 0), (50, 50), (51, 51 - 100), (99, 99 - 100)):
        text = f"Friday, 02-Jan-{(this_year + years) % 100:02} 00:00:00 GMT"
        assert time.gmtime(conditions.parse_date(text)).tm_year == this_year + meant


@pytest.mark.parametrize("text", [
    None, "", "0", "yesterday", "Sun, 01 Jan 2036 00:00:02 +0200", "Sun, 01 Jan 2036 00:00:02", "Sun, 01 Jan 2036 00:00:02 UTC",
    "Sun, 01 Jan 2036 00:00:02 GMT, Sun, 01 Jan 2036 00:00:02 GMT", "Xyz, 01 Jan 2036 00:00:02 GMT", "01 Jan 2036 00:00:02 GMT",
    "Sun, 1 Jan 2036 00:00:02 GMT", "Sun, 01 jan 2036 00:00:02 GMT", "Sun, 01 Jan 36 00:00:02 GMT", "Sun, 01-Jan-2036 00:00:02 GMT",
    "Sun, 01 Jan 2036 0:00:02 GMT", "Sun, 01 Jan 2036 00:00 GMT", "Sun, 31 Jun 2036 00:00:02 GMT", "Sun, 01 Jan 2036 24:00:00 GMT",
    "Sun, 00 Jan 2036 00:00:00 GMT", "Sun, 01 Jan 0000 00:00:00 GMT", "Sun Nov  6 08:49:37 1994 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
    " Sun, 01 Jan 2036 00:00:02 GMT", "Sun, 01 Jan 2036 00:00:02 GMT ", "Sun,  01 Jan 2036 00:00:02 GMT", "2036-01-01T00:00:02Z",
])
def test_what_is_no_date_has_no_effect(text):
    date = conditions.parse_date(text)
    assert date != date                            # NaN
