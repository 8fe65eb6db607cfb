"""The files: finds them below one directory, as they are now; no sockets.
文件：在一个目录下查找文件，总是它现在的样子；不碰套接字。

What If-... and Range fields ask of a file is decided here too.
"""
import email.utils
import errno
import math
import mimetypes
import mmap
import os
import re
import stat
import urllib.parse
from datetime import timezone
from typing import NamedTuple

from httpd.request import Refusal

# Bytes of a file that is kept in memory, and how many such files are, for one second.
MAX_CACHED_SIZE = 1 << 16
MAX_CACHED_FILES = 256
RANGE = re.compile(r"bytes=[ \t]*(\d{0,99})-(\d{0,99})[ \t]*", re.ASCII | re.IGNORECASE)
ENTITY_TAG = re.compile(r'(?:W/)?"[^"]*"')


class File(NamedTuple):
    """A file as it was at one moment.

    st: its os.stat_result.  body: its bytes, or a memoryview of a mmap if they are many.
    tag: its ETag.  lines: what the head of every answer says about it.
    """
    st: os.stat_result
    body: object
    tag: str
    lines: str


class Site:
    """The directory that is served. Raises OSError if there is none."""

    def __init__(self, directory):
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY))
        self.root = os.path.realpath(directory).rstrip("/")
        # path -> File, for the small ones, in this second
        self.file_cache = {}
        # Now, because to read the tables of types takes a while.
        mimetypes.init()

    def find(self, path, query, now):
        """Return the File at the path of a URL, as it is now. Raises Refusal.

        query: the query string, for a redirection.  now: seconds since 1970.
        """
        # Hidden files, and the way up.
        if "/." in path:
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
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise Refusal(503, os.strerror(error.errno)) from None
            # Also if we may not read it: that it is there is not the client's business.
            raise Refusal(404, "Not found") from None

    def add_slash(self, path, query):
        """Return the Refusal that sends a client from /folder to /folder/.

        Only there do the relative links of its page lead to the right place.
        """
        if not self.contains(os.path.realpath(self.root + path) + "/"):
            return Refusal(404, "Not found")
        # It begins with one slash: two would lead to another host.
        url = urllib.parse.quote(os.fsencode("/" + path.strip("/") + "/"))
        if query:
            url += "?" + query
        return Refusal(301, "This is a directory", f"Location: {url}\r\n")

    def contains(self, real_path):
        """Whether a path without links in it leads to something here that is not hidden."""
        return real_path.startswith(self.root + "/") and "/." not in real_path[len(self.root):]

    def load(self, path, st, now):
        """Open a file and read it, or map it if it is large. Raises Refusal and OSError."""
        # Do not even open anything else: a pipe would wait, a device may do anything.
        if not stat.S_ISREG(st.st_mode):
            raise Refusal(404, "Not found")
        fd = os.open(self.root + path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            # Where have we arrived? A path that is checked first and opened then may have become a
            # link in between (TOCTOU: time of check to time of use); what is open stays what it is.
            # 先打开，再检查打开的是什么：这样就没有 TOCTOU 竞争。
            real_path, st = os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd)
            if not self.contains(real_path) or not stat.S_ISREG(st.st_mode):
                raise Refusal(404, "Not found")
            is_small = st.st_size <= MAX_CACHED_SIZE
            if is_small:
                body = os.pread(fd, st.st_size, 0)
            else:
                body = memoryview(mmap.mmap(fd, st.st_size, access=mmap.ACCESS_READ))
        except ValueError:
            # from mmap: the file has become shorter since fstat
            raise Refusal(503, "The file is being changed") from None
        finally:
            os.close(fd)
        # In the same tick of the file system's clock a file may change again without a trace: such
        # a new one is not kept, and its tag is a weak one.
        is_new = now - st.st_ctime < 1
        file = describe(path, st, body, now, is_new)
        if is_small and not is_new and len(self.file_cache) < MAX_CACHED_FILES:
            self.file_cache[path] = file
        return file


def describe(path, st, body, now, is_new):
    """Return the File, with the header lines that say what it is."""
    weak = "W/" if is_new else ""
    tag = f'{weak}"{st.st_ino:x}-{st.st_size:x}-{st.st_ctime_ns:x}"'
    modified = email.utils.formatdate(min(max(0, st.st_mtime), now), usegmt=True)
    lines = (f"Content-Type: {content_type(path)}\r\nLast-Modified: {modified}\r\n"
             f"ETag: {tag}\r\nAccept-Ranges: bytes\r\n")
    return File(st, body, tag, lines)


def content_type(path):
    """Guess it from the end of a path."""
    kind, encoding = mimetypes.guess_type("/" + path.lstrip("/"))
    if encoding:
        return f"application/{encoding}"
    if not kind:
        return "application/octet-stream"
    if kind.startswith("text/") or kind == "application/javascript":
        return f"{kind}; charset=utf-8"
    return kind


def fingerprint(st):
    """What changes when a file does. No program can set st_ctime back."""
    return st.st_ino, st.st_dev, st.st_size, st.st_mtime_ns, st.st_ctime_ns


def preconditions(headers, file):
    """Return the status that If-... fields lead to (RFC 9110, 13.2.2): 200, 304 or 412."""
    tag, changed = file.tag, int(file.st.st_mtime)
    if "if-match" in headers:
        is_listed = not tag.startswith("W/") and tag in ENTITY_TAG.findall(headers["if-match"])
        if headers["if-match"] != "*" and not is_listed:
            return 412
    elif changed > parse_date(headers.get("if-unmodified-since")):
        return 412
    if "if-none-match" in headers:
        tags = [one.removeprefix("W/") for one in ENTITY_TAG.findall(headers["if-none-match"])]
        is_known = headers["if-none-match"] == "*" or tag.removeprefix("W/") in tags
    else:
        is_known = changed <= parse_date(headers.get("if-modified-since"))
    return 304 if is_known else 200


def parse_date(text):
    """Return a date in seconds since 1970; NaN for what is none.

    NaN is neither before nor after anything, so that such a field has no effect.
    """
    try:
        date = email.utils.parsedate_to_datetime(text)
        return date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp()
    except (TypeError, ValueError, OverflowError):
        return math.nan


def byte_range(headers, file):
    """Return (start, end) of the bytes that Range asks for (RFC 9110, 14); None means all of them.

    Raises Refusal if there are no such bytes.
    """
    match, size = RANGE.fullmatch(headers.get("range", "")), len(file.body)
    # Also None if there are several ranges: a server need not support them.
    if not match:
        return None
    if "if-range" in headers and (file.tag.startswith("W/") or headers["if-range"] != file.tag):
        return None
    first, last = match.groups()
    if not first and not last or first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise Refusal(416, "The file has no such bytes", f"Content-Range: bytes */{size}\r\n")
    return start, end
