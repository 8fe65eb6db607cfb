"""Compares the speed of day11/ftp/ftp_server.py with that of pyftpdlib and vsftpd, if they are installed.

    make bench-ftp                         or: python tests/bench_ftp.py [--quick]

All servers serve the same folder. They take turns in each round, so a time when the machine is slow affects all of them. The
table shows medians of the rounds. If there are at least two cores, the server has one core and the load generator another.

The figures describe loopback on this machine, without a network and without a disk: the files are in the page cache. The
load generator is a Python program, so a server may be faster than its load. A difference of ten percent may be chance.
"""
import argparse
import contextlib
import ftplib
import importlib.util
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench import compare

SERVER = Path(__file__).resolve().parent.parent / "day11/ftp/ftp_server.py"
USER, PASSWORD = "bench", "bench"
PYFTPDLIB = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
import logging; logging.basicConfig(level=logging.ERROR)
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_user("bench", "bench", sys.argv[2], perm="elradfmwMT")
FTPServer(("127.0.0.1", int(sys.argv[1])), FTPHandler).serve_forever()
"""
VSFTPD = """listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\nno_anon_password=YES
anon_root={folder}\nanon_upload_enable=YES\nanon_other_write_enable=YES\nwrite_enable=YES\nanon_umask=022\nseccomp_sandbox=NO
run_as_launching_user=YES\nallow_writeable_chroot=YES\nconnect_from_port_20=NO\nmax_per_ip=0\n"""


def commands(folder, room):
    """Return {name: (command, user)} of the installed servers, and the names of the others. command: a function from a port."""
    found = {"ftp_server.py": (lambda port: [sys.executable, SERVER, port, "-d", folder, "--user", f"{USER}:{PASSWORD}"], USER)}
    missing = []
    if importlib.util.find_spec("pyftpdlib"):
        found["pyftpdlib"] = (lambda port: [sys.executable, "-c", PYFTPDLIB, port, folder], USER)
    else:
        missing.append("pyftpdlib")
    program = shutil.which("vsftpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

    def vsftpd(port):
        config = room / "vsftpd.conf"
        config.write_text(VSFTPD.format(port=port, folder=folder))
        return [program, config]
    if program:
        found["vsftpd"] = (vsftpd, "anonymous")
    else:
        missing.append("vsftpd")
    return found, missing


@contextlib.contextmanager
def session(port, user):
    with ftplib.FTP(timeout=20) as ftp:
        ftp.connect("127.0.0.1", port)
        ftp.login(user, PASSWORD)
        ftp.voidcmd("TYPE I")
        yield ftp


def download(port, user, size, times):
    """Download a large file several times, and discard the data; return MiB/s."""
    buffer = bytearray(1 << 20)
    with session(port, user) as ftp:
        began, count = time.perf_counter(), 0
        for _ in range(times):
            with ftp.transfercmd("RETR big") as conn:
                while received := conn.recv_into(buffer):
                    count += received
            ftp.voidresp()
        assert count == times * size, f"{count} bytes instead of {times * size}"
        return count / (1 << 20) / (time.perf_counter() - began)


def upload(port, user, size, times):
    """Upload a large file several times, each time over the last one; return MiB/s."""
    block = bytes(1 << 20)
    with session(port, user) as ftp:
        began = time.perf_counter()
        for _ in range(times):
            with ftp.transfercmd("STOR up") as conn:
                for _ in range(size // len(block)):
                    conn.sendall(block)
            ftp.voidresp()
        rate = times * size / (1 << 20) / (time.perf_counter() - began)
        ftp.delete("up")
        return rate


def small_files(port, user, number):
    """Download a file of 4 KiB again and again in eight sessions at once; return files/s. number: downloads in each session."""
    problems, start = [], threading.Barrier(9)

    def fetch():
        try:
            with session(port, user) as ftp:
                start.wait(20)
                for _ in range(number):
                    ftp.retrbinary("RETR small", lambda data: None)
        except Exception as problem:
            problems.append(problem)
            start.abort()
    threads = [threading.Thread(target=fetch, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        start.wait(20)
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return 8 * number / (time.perf_counter() - began)


def measure(args, room):
    folder = room / "files"
    folder.mkdir()
    size, times, number, rounds = (32 << 20, 1, 20, 1) if args.quick else (256 << 20, 8, 500, 5)
    with open(folder / "big", "wb") as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    (folder / "small").write_bytes(bytes(4096))
    servers, missing = commands(folder, room)
    print("".join(f"not installed: {name}\n" for name in missing), end="")
    compare(servers, {
        "download, MiB/s": lambda port, user: download(port, user, size, times),
        "upload, MiB/s": lambda port, user: upload(port, user, size, times),
        "8 sessions, files/s": lambda port, user: small_files(port, user, number),
    }, rounds)


def main():
    parser = argparse.ArgumentParser(description="Measure the course's FTP server beside others.")
    parser.add_argument("--quick", action="store_true", help="one round with little data")
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-ftp-") as room:
            os.chmod(room, 0o755)                  # vsftpd may run as somebody else
            measure(args, Path(room))
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, RuntimeError, AssertionError, *ftplib.all_errors) as error:
        sys.exit(f"bench_ftp: {error}")


if __name__ == "__main__":
    main()
