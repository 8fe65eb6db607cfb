"""Find files below one directory, in their current version. This module uses no sockets.
文件：在一个目录下查找文件，取它现在的样子；不碰套接字。
"""
import email.utils
import errno
import mimetypes
import mmap
import os
import re
import stat
import urllib.parse
from typing import NamedTuple

from httpd.media import describe_content
from httpd.request import Refusal

# The cache keeps at most MAX_CACHED_FILES files, each of at most MAX_CACHED_SIZE bytes. The cache
# is emptied once a second.
MAX_CACHED_SIZE = 1 << 16
MAX_CACHED_FILES = 256
# Matches a hidden file or folder, or `..`, in a path. The folder .well-known is public (RFC 8615).
HIDDEN = re.compile(r"/\.(?!well-known/)")
# The server answers these errors with 404. EACCES and EPERM mean that we may not read the file, but
# the client need not know that the file exists.
NOT_FOUND = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES,
             errno.EPERM, errno.ENXIO}


class File(NamedTuple):
    """The state of a file at one moment.

    st: the os.stat_result.  body: the bytes; if the file is large, a memoryview of a mmap.
    tag: the ETag.  validators: the header lines with which a client can later check for changes.
    lines: all header lines about the file: those that describe its content, and the validators.
    """
    st: os.stat_result
    body: object
    tag: str
    validators: str
    lines: str


class Site:
    """The directory whose files are served. Raises OSError if the directory cannot be opened."""

    def __init__(self, directory):
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY))
        # Make the path absolute now, because the program may change its current directory later.
        is_absolute = os.path.isabs(directory)
        self.directory = directory if is_absolute else os.path.join(os.getcwd(), directory)
        # path -> File, for the small files that were read in this second
        self.file_cache = {}
        # (path, fingerprint) of a large file -> the header lines that describe its content
        self.known_content = {}
        self.look_again()
        # The first call to guess_type is slow, because it reads the tables of types. Make this call
        # now, so that no client has to wait.
        mimetypes.guess_type("/")

    def look_again(self):
        """Resolve the directory's path again, and empty the caches. Called once a second.

        The directory may be a link that now leads elsewhere, for example to a new release. A folder
        on the path to a cached file may have been moved, which that file's stat result cannot show.
        """
        self.root = os.path.realpath(self.directory).rstrip("/")
        self.file_cache.clear()
        self.known_content.clear()

    def find(self, path, query, now):
        """Return the File that the path of a URL leads to, as it is now. Raises Refusal.

        query: the query string, needed for a redirection.  now: seconds since 1970.
        """
        if "/." in path and HIDDEN.search(path):
            raise Refusal(404, "Not found")
        try:
            st = os.stat(self.root + path)
            if stat.S_ISDIR(st.st_mode):
                if not path.endswith("/"):
                    raise self.add_slash(path, query)
                path += "index.html"
                st = os.stat(self.root + path)
            file = self.file_cache.get(path)
            if not file or fingerprint(file.st) != fingerprint(st):
                file = self.load(path, st, now)
            return file
        except OSError as error:
            if error.errno in NOT_FOUND:
                raise Refusal(404, "Not found") from None
            # Descriptors or memory ran out, or the disk failed. A later request may succeed.
            raise Refusal(503, os.strerror(error.errno)) from None

    def add_slash(self, path, query):
        """Return the Refusal that redirects a client from /folder to /folder/.

        Without the slash, the relative links of the folder's page would lead to the wrong places.
        """
        if not self.contains(os.path.realpath(self.root + path) + "/"):
            return Refusal(404, "Not found")
        # The URL must begin with only one slash: //folder/ would mean a host named folder.
        url = urllib.parse.quote(os.fsencode("/" + path.strip("/") + "/"))
        if query:
            url += "?" + query
        return Refusal(301, "This is a directory", f"Location: {url}\r\n")

    def contains(self, real_path):
        """Return whether real_path, which contains no links, is in the directory and not hidden."""
        is_inside = real_path.startswith(self.root + "/")
        return is_inside and not HIDDEN.search(real_path[len(self.root):])

    def load(self, path, st, now):
        """Read a file, or map it if it is large, and return its File. Raises Refusal, OSError."""
        # Open only regular files, because opening a device, for example, can have side effects.
        if not stat.S_ISREG(st.st_mode):
            raise Refusal(404, "Not found")
        fd = os.open(self.root + path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            # Open first, then check what was opened. If we checked the path first, another program
            # could replace the file with a link before we opened it (TOCTOU: time of check to time
            # of use). A descriptor always refers to the file that was opened.
            # 先打开，再检查打开的是什么：这样就没有 TOCTOU 竞争。
            real_path, st = os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd)
            if not self.contains(real_path) or not stat.S_ISREG(st.st_mode):
                raise Refusal(404, "Not found")
            is_small = st.st_size <= MAX_CACHED_SIZE
            if is_small:
                body = os.pread(fd, st.st_size, 0)
                content = describe_content(path, body, is_whole=True)
            else:
                content = self.describe_large(fd, path, st)
                # Use MAP_PRIVATE, because some file systems refuse MAP_SHARED.
                body = memoryview(mmap.mmap(fd, st.st_size, mmap.MAP_PRIVATE, mmap.PROT_READ))
        except ValueError:
            # mmap raises ValueError if the file has become shorter since fstat.
            raise Refusal(503, "The file is being changed") from None
        finally:
            os.close(fd)
        # A file can change twice within one tick of the file system's clock. Then its timestamps do
        # not show the second change. So do not cache a file that has just changed, and give it a
        # weak ETag.
        is_new = now - st.st_ctime < 1
        file = describe(st, content, body, now, is_new)
        if is_small and not is_new and len(self.file_cache) < MAX_CACHED_FILES:
            self.file_cache[path] = file
        return file

    def describe_large(self, fd, path, st):
        """Look at the first bytes of a large file, and return the header lines that describe it."""
        key = path, fingerprint(st)
        if key not in self.known_content:
            # Do not read these bytes from a mmap. If the file has become shorter, the signal SIGBUS
            # kills a process that touches a page which no longer exists.
            beginning = os.pread(fd, MAX_CACHED_SIZE, 0)
            self.known_content[key] = describe_content(path, beginning, is_whole=False)
        return self.known_content[key]


def describe(st, content, body, now, is_new):
    """Return a File with its ETag and header lines.

    content: the header lines that describe the content.  now: seconds since 1970.
    is_new: whether the file has changed within the last second.
    """
    weak = "W/" if is_new else ""
    tag = f'{weak}"{st.st_ino:x}-{st.st_size:x}-{st.st_ctime_ns:x}"'
    modified = email.utils.formatdate(min(max(0, st.st_mtime), now), usegmt=True)
    # no-cache: a browser may keep the file, but must ask each time whether it has changed (304).
    # 浏览器可以保存，但每次都要先问是否变了，所以改了文件刷新就能看到。
    validators = f"Cache-Control: no-cache\r\nLast-Modified: {modified}\r\nETag: {tag}\r\n"
    lines = f"{content}{validators}Accept-Ranges: bytes\r\n"
    return File(st, body, tag, validators, lines)


def fingerprint(st):
    """Return a tuple that shows a change to a file, unless the clock has not ticked (see load).

    No program can set st_ctime back.
    """
    return st.st_ino, st.st_dev, st.st_size, st.st_mtime_ns, st.st_ctime_ns
