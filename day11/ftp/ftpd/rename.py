"""Rename a file in one step; unlike os.rename, never replace an existing file.
一步完成改名，但绝不覆盖已有的文件（os.rename 会覆盖）
"""
import errno
import os

# From <linux/fs.h>: fail if the new name is taken (man 2 renameat2).
RENAME_NOREPLACE = 1


def rename_new(source, target, folder):
    """Rename a file inside a folder. Raises FileExistsError or another OSError.

    folder: a descriptor.

    If the system or the file system lacks renameat2, an empty file claims the name first, and then
    os.rename replaces the empty file. In that case, clients can see an empty file for a moment.
    """
    try:
        renameat2(source, target, folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP):
            raise
        claim_and_rename(source, target, folder)


def renameat2(source, target, folder):
    """Make the system call renameat2 through the C library: Python has no function for it."""
    try:
        import ctypes
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (ImportError, OSError, AttributeError):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
    names = os.fsencode(source), os.fsencode(target)
    if call(folder, names[0], folder, names[1], ctypes.c_uint(RENAME_NOREPLACE)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def claim_and_rename(source, target, folder):
    # O_EXCL: fail if the name is taken. 名字已被占用则失败
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder))
    try:
        os.rename(source, target, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(target, dir_fd=folder)
        raise
