"""How fast is day11/ftp/ftp_server.py, beside pyftpdlib and vsftpd, where these are installed?

    make bench-ftp                         or: python tests/bench_ftp.py [--quick]

All servers serve the same folder, one after the other in every round, so that a slow minute of the machine strikes all alike;
the table shows medians of the rounds. Where there are two cores, the server has one and the load the other.
It tells about this machine's loopback only: there is no network and no disk (files are in the page cache), and the load
is a Python program, which may be the slower side. Differences of a few percent mean nothing.
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
    """For each server that is there: a function from a port to its command, the user; and the names of those missing."""
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


def download(port, user, size):
    """MiB/s of one big file; what comes is dropped."""
    buffer = bytearray(1 << 20)
    with session(port, user) as ftp:
        began, count = time.perf_counter(), 0
        with ftp.transfercmd("RETR big") as conn:
            while received := conn.recv_into(buffer):
                count += received
        ftp.voidresp()
        assert count == size, f"{count} bytes instead of {size}"
        return size / (1 << 20) / (time.perf_counter() - began)


def upload(port, user, size):
    block = bytes(1 << 20)
    with session(port, user) as ftp:
        began = time.perf_counter()
        with ftp.transfercmd("STOR up") as conn:
            for _ in range(size // len(block)):
                conn.sendall(block)
        ftp.voidresp()
        rate = size / (1 << 20) / (time.perf_counter() - began)
        ftp.delete("up")
        return rate


def small_files(port, user, number):
    """Files/s of eight sessions, each of which fetches a file of 4 KiB again and again."""
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
    size, rounds = (32 << 20, 1) if args.quick else (256 << 20, 3)
    with open(folder / "big", "wb") as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    (folder / "small").write_bytes(bytes(4096))
    servers, missing = commands(folder, room)
    print("".join(f"not here: {name}\n" for name in missing), end="")
    number = 20 if args.quick else 100
    compare(servers, {
        "download, MiB/s": lambda port, user: download(port, user, size),
        "upload, MiB/s": lambda port, user: upload(port, user, size),
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
