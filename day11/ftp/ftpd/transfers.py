"""Verbs that transfer files: RETR STOR APPE STOU ABOR.
传输文件的命令
"""
import errno
import os
import posixpath
import secrets
import stat

from ftpd.commands import CODES, command
from ftpd.control import Reply
from ftpd.data import SMALL
from ftpd.library import ANY, Upload, copy

# If an upload fails, reply 452 (the disk is full), 552 (the file is too large), 451 (see CODES and
# Upload.commit), or else 553.
STORE_CODES = {**CODES, None: 553, errno.ENOSPC: 452, errno.EDQUOT: 452, errno.EFBIG: 552,
               errno.EBUSY: 451}


@command("RETR", argument=True, said=True)
def retrieve(session, argument):
    offset, path = session.offset, session.path(argument)
    with session.library.open(path) as fd:
        size = os.fstat(fd).st_size
        if offset > size:
            return 554, f"The file has only {size} bytes"
        left = size - offset
        session.note = f", {left:,} bytes"
        name = posixpath.basename(path)
        with session.port.open(f"{name} ({left} bytes)", small=left <= SMALL) as data:
            data.send_file(fd, offset, size)
    return 226, "Transfer complete"


@command("STOR", argument=True, said=True, codes=STORE_CODES)
def store(session, argument):
    return receive(session, session.path(argument), session.offset)


@command("APPE", argument=True, said=True, codes=STORE_CODES)
def append(session, argument):
    return receive(session, session.path(argument), None)


@command("STOU", said=True, codes=STORE_CODES)
def store_unique(session, argument):
    path = session.path(argument or "file")
    return receive(session, f"{path}.{secrets.token_hex(4)}", 0)


def receive(session, path, offset):
    """Receive a file. offset: how many bytes of the existing file stay before it; None: all."""
    st, name = session.find(path), posixpath.basename(path)
    session.require(session.may_change or session.may_add and not offset)
    if st and (not session.may_change or stat.S_ISDIR(st.st_mode)):
        raise FileExistsError
    with Upload(session.library, path, session.may_change) as upload:
        continued = ANY
        if offset is None and not st:
            continued, offset = None, 0
        elif offset != 0:
            continued, offset = keep(session, path, upload.fd, offset)
        try:
            with session.port.open(f"FILE: {name}") as data:
                data.receive_file(upload.fd, offset, session.promised)
        finally:
            session.note = f", {os.fstat(upload.fd).st_size - offset:,} bytes"
        upload.commit(continued)
    session.added = path
    return 226, f"Stored as {name}"


def keep(session, path, fd, offset):
    """Copy the first bytes of the existing file to fd. offset: how many; None: all.

    Return (the os.stat_result of the file, how many bytes were copied). Raises Reply.
    """
    with session.library.open(path) as old:
        st = os.fstat(old)
        if offset is None:
            offset = st.st_size
        if st.st_size < offset:
            raise Reply(554, f"The file is shorter than {offset} bytes")
        copy(old, fd, offset)
    return st, offset


@command("ABOR")
def abort(session, _):
    """Reply to ABOR when there is no transfer. During a transfer, Control.wait handles ABOR."""
    session.port.peer = None
    return 226, "No transfer to abort"
