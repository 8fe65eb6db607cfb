"""Verbs for folders and names: PWD CWD CDUP MKD RMD DELE RNFR RNTO.
目录与文件名的命令
"""
import os

from ftpd.commands import command


@command("PWD")
def working_folder(session, _):
    return 257, quoted(session.folder)


@command("CWD", argument=True)
def change_folder(session, argument):
    path = session.path(argument)
    with session.library.folder(path):
        session.folder = path
    return 250, f"Now in {path}"


@command("CDUP")
def change_to_parent(session, _):
    return change_folder(session, "..")


@command("MKD", argument=True)
def make_folder(session, argument):
    session.require(session.may_change)
    path = session.path(argument)
    with session.library.parent(path) as (folder, name):
        os.mkdir(name, dir_fd=folder)
    return 257, quoted(path)


@command("RMD", argument=True)
def remove_folder(session, argument):
    remove(session, argument, os.rmdir)
    return 250, "Folder removed"


@command("DELE", argument=True)
def delete_file(session, argument):
    remove(session, argument, os.unlink)
    return 250, "File deleted"


def remove(session, argument, action):
    """action: os.unlink or os.rmdir. Raises FileNotFoundError for what clients do not see."""
    session.require(session.may_change)
    path = session.path(argument)
    session.library.stat(path)
    with session.library.parent(path) as (folder, name):
        action(name, dir_fd=folder)


@command("RNFR", argument=True)
def rename_from(session, argument):
    session.require(session.may_change)
    path = session.path(argument)
    session.library.stat(path)
    session.rename_from = path
    return 350, "Send RNTO with the new name"


@command("RNTO", argument=True)
def rename_to(session, argument):
    if not session.rename_from:
        return 503, "Send RNFR first"
    source, session.rename_from = session.rename_from, None
    target = session.path(argument)
    library = session.library
    with library.parent(source) as (old, old_name), library.parent(target) as (new, new_name):
        os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)
    return 250, "Renamed"


def quoted(path):
    """A path as replies show it; a quote in it is doubled (RFC 959, appendix II)."""
    return '"{}"'.format(path.replace('"', '""'))
