"""Verbs for folders, file names and times: PWD CWD CDUP MKD RMD DELE RNFR RNTO MFMT.
目录、文件名与时间的命令
"""
import calendar
import os
import re
import time

from ftpd.commands import CODES, command
from ftpd.control import Reply

# Some clients, such as the Windows ftp command, still send older names: XPWD, XMKD, XRMD; XCWD and
# XCUP belong to the same set (RFC 1123, 4.1.3.1).

@command("PWD")
@command("XPWD")
def working_folder(session, _):
    return 257, quoted(session.folder)


@command("CWD", argument=True)
@command("XCWD", argument=True)
def change_folder(session, argument):
    path = session.path(argument)
    with session.library.folder(path):
        session.folder = path
    return 250, f"Now in {path}"


@command("CDUP")
@command("XCUP")
def change_to_parent(session, _):
    return change_folder(session, "..")


@command("MKD", argument=True, said=True)
@command("XMKD", argument=True, said=True)
def make_folder(session, argument):
    session.require(session.may_change)
    path = session.path(argument)
    with session.library.parent(path) as (folder, name):
        os.mkdir(name, dir_fd=folder)
    return 257, quoted(path)


@command("RMD", argument=True, said=True)
@command("XRMD", argument=True, said=True)
def remove_folder(session, argument):
    remove(session, argument, os.rmdir)
    return 250, "Folder removed"


@command("DELE", argument=True, said=True)
def delete_file(session, argument):
    remove(session, argument, os.unlink)
    return 250, "File deleted"


def remove(session, argument, action):
    """Remove a file (action: os.unlink) or a folder (action: os.rmdir).

    Raises FileNotFoundError if clients cannot see the file or folder.
    """
    session.require(session.may_change)
    path = session.path(argument)
    library = session.library
    library.stat(path)
    with library.parent(path) as (folder, name), library.replacing:
        action(name, dir_fd=folder)


@command("RNFR", argument=True)
def rename_from(session, argument):
    session.require(session.may_change)
    path = session.path(argument)
    session.library.stat(path)
    session.rename_from = path
    return 350, "Send RNTO with the new name"


@command("RNTO", argument=True, said=True, codes={**CODES, None: 553})
def rename_to(session, argument):
    if not session.rename_from:
        return 503, "Send RNFR first"
    source, session.rename_from = session.rename_from, None
    target = session.path(argument)
    session.note = f", which was {source}"
    library = session.library
    with library.parent(source) as (old, old_name), library.parent(target) as (new, new_name), \
            library.replacing:
        os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)
    return 250, "Renamed"


@command("MFMT", argument=True)
def set_time(session, argument):
    """MFMT 20261231235959 NAME: set the modification time, in UTC (draft-somers-ftp-mfxx)."""
    text, _, name = argument.partition(" ")
    if not name:
        return 501, "MFMT needs YYYYMMDDHHMMSS and a name"
    path = session.path(name)
    # Clients that mirror a folder set the time of each file after its upload, so anonymous clients
    # may set the time of their own last upload.
    session.require(session.may_change or path == session.added)
    seconds = parse_time(text)
    session.library.stat(path)
    with session.library.parent(path) as (folder, last):
        os.utime(last, (seconds, seconds), dir_fd=folder, follow_symlinks=False)
    return 213, f"Modify={text}; {path}"


def parse_time(text):
    """Return a time as seconds since 1970. Raises Reply if the text is not a time."""
    try:
        if re.fullmatch(r"\d{14}(\.\d+)?", text, re.ASCII):
            return calendar.timegm(time.strptime(text[:14], "%Y%m%d%H%M%S"))
    except (ValueError, OverflowError):
        pass
    raise Reply(501, "Write the time as YYYYMMDDHHMMSS")


def quoted(path):
    """Return a path in quotes for a reply; double each quote in the path (RFC 959, app. II)."""
    return '"{}"'.format(path.replace('"', '""'))
