"""Download and upload files; with ftp_server.py, a cancelled transfer leaves no partial file.
下载与上传：服务器是 ftp_server.py 时，取消的传输不留下半截文件
"""
import contextlib
import ftplib
import os
import secrets
import socket
import stat
import struct

from ftpclient.errors import REFUSED, Failed, local
from ftpclient.interrupt import Cancelled, ctrl_c
from ftpclient.places import download_folder, find_upload
from ftpclient.screen import clean, progress, show, to_wire

# Maximum number of bytes in one call to send or recv.
BLOCK = 1 << 18


def get(ftp, name):
    """Download a file to the folder that places.py chooses.

    Raises Failed, or an exception from ftplib.
    """
    base = os.path.basename(name)
    with local():
        folder = download_folder()
        if folder:
            os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, base)
    if base in ("", ".", "..") or os.path.isdir(target):
        raise Failed("that is a folder" if base else "that is not the name of a file")
    try:
        with ctrl_c.transfer():
            received = download(ftp, name, target)
    except Cancelled:
        kept = "the old file is unchanged" if os.path.lexists(target) else "nothing was saved"
        raise Failed(f"cancelled; {kept}") from None
    where = f", in {os.path.relpath(folder)}" if folder else ""
    show(f"got {clean(base)}, {received:,} bytes{where}")


def download(ftp, name, target):
    """Download a file to the path target; return its size."""
    # TYPE I: send the bytes unchanged. Some servers reply to SIZE only after TYPE I.
    ftp.voidcmd("TYPE I")
    try:
        size = ftp.size(to_wire(name))
    except ftplib.error_perm:
        # Old servers do not know SIZE. If the file does not exist, RETR will say so.
        size = None
    # The file has a temporary name until it is complete, so a partial file never looks complete.
    temporary = os.path.join(os.path.dirname(target), f".download-{secrets.token_hex(8)}")
    try:
        with local():
            file = open(temporary, "xb", buffering=0)
        with file:
            received = receive(ftp, name, file, size)
        if size is not None and received != size:
            raise Failed(f"received {received:,} bytes instead of {size:,}")
        with local():
            os.replace(temporary, target)
    finally:
        # unlink fails if the file already has its final name, or could not be created.
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    return received


def receive(ftp, name, file, size):
    """Download into an open file; return the number of bytes. size: the expected size, or None."""
    buffer = memoryview(bytearray(BLOCK))
    with transfer(ftp, f"RETR {to_wire(name)}") as conn, progress(size) as advance:
        received = 0
        # No marker ends the file: the end of the data connection (EOF) does.
        while count := conn.recv_into(buffer):
            received += count
            if size is not None and received > size:
                raise Failed(f"received more than the {size:,} bytes of the file")
            data = buffer[:count]
            while data:
                with local():
                    data = data[file.write(data):]
            advance(count)
    return received


def put(ftp, path):
    """Upload a local file; the server stores it under the last part of the path.

    Raises Failed, or an exception from ftplib.
    """
    with local():
        path = find_upload(path)
        name = os.path.basename(path)
        mode = os.stat(path).st_mode
        # Opening a named pipe would wait for a process that writes to it.
        if not stat.S_ISREG(mode):
            raise Failed("that is a folder" if stat.S_ISDIR(mode) else "that is not a file")
        file = open(path, "rb", buffering=0)
    try:
        with file, ctrl_c.transfer():
            sent = upload(ftp, name, file)
    except Cancelled:
        raise Failed(f"cancelled; {what_is_there(ftp, name)}") from None
    show(f"put {clean(name)}, {sent:,} bytes")


def upload(ftp, name, file):
    """Upload an open file under this name; return the number of bytes sent."""
    size = os.fstat(file.fileno()).st_size
    ftp.voidcmd("TYPE I")
    # The server needs the size to recognize an incomplete file.
    with contextlib.suppress(*REFUSED):
        ftp.voidcmd(f"ALLO {size}")
    sent = 0
    with transfer(ftp, f"STOR {to_wire(name)}") as conn, progress(size) as advance:
        while data := read(file):
            conn.sendall(data)
            sent += len(data)
            advance(len(data))
    return sent


def what_is_there(ftp, name):
    """Return a message that says what the server has under a name after a cancelled upload."""
    try:
        return f"the server has a file of that name, {ftp.size(to_wire(name)) or 0:,} bytes"
    except ftplib.error_perm as error:
        if str(error).startswith("550"):
            return "the server has no file of that name"
        return "the server does not say whether it kept a file"


def read(file):
    with local():
        return file.read(BLOCK)


@contextlib.contextmanager
def transfer(ftp, command):
    """Open the data connection of a command and yield it; then wait for the server's confirmation.

    Raises an exception from ftplib if the server refuses the command or does not confirm the
    transfer.
    """
    conn = ftp.transfercmd(command)
    try:
        with ctrl_c.data():
            yield conn
    except BaseException as error:
        # An ordinary close would tell the server that the file is complete (EOF).
        # With SO_LINGER set to 0 seconds, close sends a reset (RST) instead.
        # 普通的 close 表示“文件到此结束”；这里用重置（RST）告诉服务器文件不完整
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
        # The server still replies. Read this reply, or the next command would mistake the reply for
        # its own.
        # After a connection error (OSError), voidresp raises an exception with the reply, which
        # explains more than the connection error does.
        if isinstance(error, Failed):
            with contextlib.suppress(*REFUSED):
                ftp.voidresp()
        elif isinstance(error, OSError):
            ftp.voidresp()
        raise
    conn.close()
    ftp.voidresp()
