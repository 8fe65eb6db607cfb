"""Tests of the FTP server with common clients, if they are installed: curl, lftp, tnftp, ncftp, wget."""
import re
import shutil

import pytest
from ftp_harness import CONTENT, TREE, files, grow
from ftp_harness import server, shared  # noqa: F401
from harness import run


@pytest.fixture
def real(tmp_path):
    """Return a function that runs an installed client and returns its stdout; .work is the folder of the client."""
    def start(*argv, status=0, stdin=""):
        if not shutil.which(argv[0]):
            pytest.skip(f"{argv[0]} is not installed")
        return run(*argv, stdin=stdin, status=status, stderr=".*", cwd=work, env={"HOME": str(tmp_path / "home")}).stdout
    work = start.work = tmp_path / "work"
    for folder in (work, tmp_path / "home"):
        folder.mkdir()
    return start


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
    # Look for codes only at the beginning of a line: a port or a speed may contain the same digits.
    assert re.findall("^2(?:21|26)", said, re.MULTILINE) and not re.findall("^421", said, re.MULTILINE) and "Unknown" not in said
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
