"""The folder that is served: no path or link leads out of it, and uploads appear when complete.
文件库：任何路径和链接都走不出这个目录，上传的文件完成之后才出现
"""
import contextlib
import errno
import fnmatch
import os
import posixpath
import re
import secrets
import stat
import threading

from ftpd.rename import rename_new

# The errors of os.link on file systems without hard links (FAT and exFAT: USB sticks), and in some
# sandboxes.
NO_LINKS = (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)
# The temporary name of an upload begins with this prefix. (Not every upload needs one.)
HIDDEN = ".upload-"
# For Upload.commit: the new file does not depend on the old one.
ANY = object()
# Control characters and line separators: names that contain them are neither shown nor accepted.
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Library:
    """The folder that is served. A path begins with "/", which means the served folder.

    No path leads out of the folder (path traversal, 路径穿越). Each part of a path is opened
    separately, relative to its parent folder and never through a link (openat and O_NOFOLLOW,
    man 2 open). A server that checks a path first and opens it later leaves a gap in which another
    process can replace a folder with a link (TOCTOU: time of check to time of use). Here, opening
    is the check, so there is no gap.
    路径逐级打开（openat），绝不经过链接；打开就是检查，没有“先检查、后使用”的时间差（TOCTOU）。
    """

    def __init__(self, directory):
        """directory: the path of the folder. Raises OSError if the folder cannot be opened."""
        self.root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        # Held while an upload replaces a file, and while a file is renamed or deleted.
        self.replacing = threading.Lock()

    @contextlib.contextmanager
    def folder(self, path):
        """Open a folder; yield its descriptor. Raises OSError (for a link: ELOOP or ENOTDIR)."""
        fd = os.dup(self.root)
        try:
            for name in path.split("/"):
                if not name:
                    continue
                if name == "..":
                    raise PermissionError(errno.EPERM, "The path leads out of the library")
                deeper = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
                os.close(fd)
                fd = deeper
            yield fd
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def parent(self, path):
        """Open the parent folder of a path; yield its descriptor and the last name of the path."""
        head, name = posixpath.split(path)
        if name in ("", ".", ".."):
            raise PermissionError(errno.EPERM, "Not possible for the root folder")
        with self.folder(head) as fd:
            yield fd, name

    @contextlib.contextmanager
    def open(self, path):
        """Open a regular file for reading; yield its descriptor. Raises OSError."""
        with self.parent(path) as (folder, name):
            # Without O_NONBLOCK, opening a named pipe would wait for a process that writes to it.
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise PermissionError(errno.EPERM, "Not a file")
            yield fd
        finally:
            os.close(fd)

    def stat(self, path):
        """Return the os.stat_result of a file or folder. Raises FileNotFoundError."""
        if path == "/":
            return os.fstat(self.root)
        with self.parent(path) as (folder, name):
            st = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not is_visible(name, st):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return st

    def list(self, path, pattern="*"):
        """Return [(name, os.stat_result)] for each match of pattern in a folder, sorted by name."""
        listed, matches = [], re.compile(fnmatch.translate(pattern)).match
        with self.folder(path) as folder, os.scandir(folder) as entries:
            for entry in entries:
                # The file may have been deleted since the folder was read.
                with contextlib.suppress(FileNotFoundError):
                    if matches(entry.name):
                        listed.append((entry.name, entry.stat(follow_symlinks=False)))
        return sorted((name, st) for name, st in listed if is_visible(name, st))


def is_visible(name, st):
    """Return True for a file or a folder; clients cannot see links, pipes and temporary names."""
    if name.startswith(HIDDEN) or FORBIDDEN.search(name):
        return False
    return stat.S_ISREG(st.st_mode) or stat.S_ISDIR(st.st_mode)


class Upload:
    """A new file that gets its name when it is complete. If the upload fails, nothing is left.

    library, path: where the file will be.  replace: True if the upload may replace an old file.

    The file gets its name in one step. os.link names a new file. An upload that replaces a file
    first gets a temporary name, and then os.rename replaces the old file. If the file system has no
    hard links, a new file also gets a temporary name first, and then rename_new renames the file.
    文件完成之后一步得到名字：新文件用 link；替换旧文件用 rename；没有硬链接时用 rename_new。
    """

    def __init__(self, library, path, replace):
        self.replacing, self.replace, self.hidden = library.replacing, replace, None
        with contextlib.ExitStack() as stack:
            self.folder, self.name = stack.enter_context(library.parent(path))
            stack.callback(self.remove_hidden)
            self.fd = self.create()
            stack.callback(os.close, self.fd)
            # No step failed, so leave the cleanup to __exit__.
            self.stack = stack.pop_all()

    def create(self):
        """Create the file: nameless if a name can be given later, else with a temporary name.

        Returns its descriptor.
        """
        # Naming a nameless file later needs Linux's /proc, which may be missing in a chroot.
        if os.path.exists("/proc/self/fd"):
            try:
                return os.open(".", os.O_RDWR | os.O_TMPFILE, 0o644, dir_fd=self.folder)
            except OSError as error:
                # Some file systems cannot have nameless files (O_TMPFILE, man 2 open).
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                    raise
        return self.create_hidden()

    def create_hidden(self):
        """Create a file with a temporary name; return its descriptor."""
        hidden = hidden_name()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        fd = os.open(hidden, flags, 0o644, dir_fd=self.folder)
        self.hidden = hidden
        return fd

    def commit(self, continued=ANY):
        """Give the file its name, in one step (atomically).

        continued: the os.stat_result of the file whose bytes this upload contains (None: there was
        no file). Raises OSError (EBUSY) if that file has changed since: the bytes of the other
        upload would be lost (lost update, 丢失更新).
        Raises FileExistsError if the name is taken and this upload may not replace that file.
        Checking first would not help: another upload could take the name in between (TOCTOU).
        """
        if not self.replace and self.link(self.name):
            return
        # os.link cannot replace a file, but os.rename can. The upload needs a temporary name first.
        if not self.hidden:
            self.get_hidden_name()
        if self.replace:
            # With the lock, no other client can change the file between the check and the rename.
            with self.replacing:
                if continued is not ANY and version(continued) != version(self.replaced()):
                    raise OSError(errno.EBUSY, "Somebody has changed the file; please try again")
                os.rename(self.hidden, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        else:
            rename_new(self.hidden, self.name, self.folder)
        self.hidden = None

    def replaced(self):
        """Return the os.stat_result of the file that has our name now, or None."""
        with contextlib.suppress(FileNotFoundError):
            st = os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
            return st if is_visible(self.name, st) else None

    def link(self, name):
        """Give the file a name. Return False if the file system has no hard links.

        Raises FileExistsError if the name is taken.
        """
        source = self.hidden or f"/proc/self/fd/{self.fd}"
        try:
            os.link(source, name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            return False
        return True

    def get_hidden_name(self):
        """Give a nameless file a temporary name; if that fails, copy it to a file that has one."""
        hidden = hidden_name()
        if self.link(hidden):
            self.hidden = hidden
            return
        size = os.lseek(self.fd, 0, os.SEEK_END)
        os.lseek(self.fd, 0, os.SEEK_SET)
        target = self.create_hidden()
        try:
            copy(self.fd, target, size)
        finally:
            os.close(target)

    def remove_hidden(self):
        if self.hidden:
            os.unlink(self.hidden, dir_fd=self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stack.close()


def version(st):
    """Return a value that changes whenever a file changes. st: its os.stat_result, or None."""
    # A client can set mtime back (MFMT), and a new file can get the inode number of a deleted one.
    # But no client can set ctime, the time of the last change to the file or its attributes.
    return st and (st.st_dev, st.st_ino, st.st_size, st.st_ctime_ns)


def hidden_name():
    return HIDDEN + secrets.token_hex(8)


def write_all(fd, data):
    """Write all bytes of a memoryview to a file."""
    while data:
        data = data[os.write(fd, data):]


def copy(source, target, count):
    """Copy the first count bytes of one open file to another."""
    while count:
        data = os.read(source, min(count, 1 << 18))
        if not data:
            raise OSError(errno.EIO, "The file became shorter")
        write_all(target, memoryview(data))
        count -= len(data)
