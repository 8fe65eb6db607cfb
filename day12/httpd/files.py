"""The files: finds them below one directory, always as they are now; no sockets.
文件：在一个目录下查找文件，总是它现在的样子；不碰套接字。
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

# The largest file that is kept in memory, in bytes, and the most such files. They are kept for a
# second.
MAX_CACHED_SIZE = 1 << 16
MAX_CACHED_FILES = 256
# A hidden file or folder, or `..`; but the folder .well-known is public (RFC 8615).
HIDDEN = re.compile(r"/\.(?!well-known/)")
# Errors that become a 404. A file that we may not read is one of them: the client need not know
# that it exists.
NOT_FOUND = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES,
             errno.EPERM, errno.ENXIO}


class File(NamedTuple):
    """A file as it was at one moment.

    st: its os.stat_result.  body: its bytes, or a memoryview of a mmap if it is large.
    tag: its ETag.  validators: the header lines with which a client can ask whether it has changed.
    lines: the validators, and the header lines that describe the content.
    """
    st: os.stat_result
    body: object
    tag: str
    validators: str
    lines: str


class Site:
    """The directory that is served. Raises OSError if there is no such directory."""

    def __init__(self, directory):
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY))
        # Make the path absolute now, because the program may change its current directory later.
        is_absolute = os.path.isabs(directory)
        self.directory = directory if is_absolute else os.path.join(os.getcwd(), directory)
        # path -> File, for small files read in this second
        self.file_cache = {}
        # (path, fingerprint) of a large file -> the header lines that describe its content
        self.known_content = {}
        self.look_again()
        # The first call reads the tables of types, which takes a while: so do it now.
        mimetypes.guess_type("/")

    def look_again(self):
        """Once a second: find out where the directory is, and forget the files read so far.

        The directory may be a link that now leads elsewhere (a new release); and a folder on the
        path to a file may have moved, which the file itself does not show.
        """
        self.root = os.path.realpath(self.directory).rstrip("/")
        self.file_cache.clear()
        self.known_content.clear()

    def find(self, path, query, now):
        """Return the File at the path of a URL, as it is now. Raises Refusal.

        query: the query string, for a redirection.  now: seconds since 1970.
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
            # Out of descriptors or memory, or the disk fails: a later attempt may work.
            raise Refusal(503, os.strerror(error.errno)) from None

    def add_slash(self, path, query):
        """Return the Refusal that redirects a client from /folder to /folder/.

        Only with the slash do the relative links of the folder's page lead to the right place.
        """
        if not self.contains(os.path.realpath(self.root + path) + "/"):
            return Refusal(404, "Not found")
        # Begin with one slash: two slashes would lead to another host.
        url = urllib.parse.quote(os.fsencode("/" + path.strip("/") + "/"))
        if query:
            url += "?" + query
        return Refusal(301, "This is a directory", f"Location: {url}\r\n")

    def contains(self, real_path):
        """Return whether a path without links is inside the directory and not hidden."""
        is_inside = real_path.startswith(self.root + "/")
        return is_inside and not HIDDEN.search(real_path[len(self.root):])

    def load(self, path, st, now):
        """Open a file and read it, or map it if it is large. Raises Refusal and OSError."""
        # Do not even open anything else: opening a device, for example, may have side effects.
        if not stat.S_ISREG(st.st_mode):
            raise Refusal(404, "Not found")
        fd = os.open(self.root + path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            # What have we opened? If we checked the path first and opened it later, it could become
            # a link in between (TOCTOU: time of check to time of use). A descriptor keeps referring
            # to the file that was opened.
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
                # Not MAP_SHARED: some file systems refuse it.
                body = memoryview(mmap.mmap(fd, st.st_size, mmap.MAP_PRIVATE, mmap.PROT_READ))
        except ValueError:
            # mmap raises it if the file has become shorter since fstat
            raise Refusal(503, "The file is being changed") from None
        finally:
            os.close(fd)
        # A file may change twice within one tick of the file system's clock; its timestamps do not
        # show the second change. So a file that has just changed is not cached; its tag is weak.
        is_new = now - st.st_ctime < 1
        file = describe(st, content, body, now, is_new)
        if is_small and not is_new and len(self.file_cache) < MAX_CACHED_FILES:
            self.file_cache[path] = file
        return file

    def describe_large(self, fd, path, st):
        """Return the header lines for a large file's content; only its first bytes are examined."""
        key = path, fingerprint(st)
        if key not in self.known_content:
            # Do not read from the map: if the file has become shorter, to touch a page that no
            # longer exists would end this process (SIGBUS).
            beginning = os.pread(fd, MAX_CACHED_SIZE, 0)
            self.known_content[key] = describe_content(path, beginning, is_whole=False)
        return self.known_content[key]


def describe(st, content, body, now, is_new):
    """Return the File. content: the header lines that describe its content."""
    weak = "W/" if is_new else ""
    tag = f'{weak}"{st.st_ino:x}-{st.st_size:x}-{st.st_ctime_ns:x}"'
    modified = email.utils.formatdate(min(max(0, st.st_mtime), now), usegmt=True)
    # no-cache: a browser may keep the file, but must ask each time whether it has changed (304).
    # 浏览器可以保存，但每次都要先问是否变了，所以改了文件刷新就能看到。
    validators = f"Cache-Control: no-cache\r\nLast-Modified: {modified}\r\nETag: {tag}\r\n"
    lines = f"{content}{validators}Accept-Ranges: bytes\r\n"
    return File(st, body, tag, validators, lines)


def fingerprint(st):
    """Return what differs if a file has changed. No program can set st_ctime back."""
    return st.st_ino, st.st_dev, st.st_size, st.st_mtime_ns, st.st_ctime_ns
