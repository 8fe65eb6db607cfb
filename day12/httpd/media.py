"""The media types: which header lines say what the bytes of a file are.
媒体类型：用哪些响应头说明一个文件的字节是什么。
"""
import codecs
import mimetypes
import os
import re

# For systems whose tables lack them: what mimetypes does not know by itself on every Python.
TYPES = {
    ".avif": "image/avif", ".flac": "audio/flac", ".ics": "text/calendar", ".m4a": "audio/mp4",
    ".m4v": "video/mp4", ".md": "text/markdown", ".mjs": "text/javascript", ".oga": "audio/ogg",
    ".ogg": "audio/ogg", ".ogv": "video/ogg", ".opus": "audio/ogg", ".otf": "font/otf",
    ".ttf": "font/ttf", ".wasm": "application/wasm", ".webm": "video/webm", ".webp": "image/webp",
    ".woff": "font/woff", ".woff2": "font/woff2", ".yaml": "application/yaml"}
# How a page or a style says it.
DECLARATION = re.compile(rb"<meta[^>]*charset|<\?xml[^>]*encoding|\A@charset", re.IGNORECASE)


def describe_content(path, beginning, is_whole):
    """Return the header lines that say what a file is.

    path: it ends with the name.  beginning: its first bytes.  is_whole: whether these are all.
    """
    kind, encoding = mimetypes.guess_type("/" + path.lstrip("/"))
    if encoding and path.lower().endswith(".svgz"):
        # Browsers show it if they are told that it is compressed on its way.
        return f"Content-Type: {kind}\r\nContent-Encoding: {encoding}\r\n"
    if encoding:
        kind = f"application/{encoding}"
    kind = kind or TYPES.get(os.path.splitext(path)[1].lower(), "application/octet-stream")
    if kind.startswith("text/") or kind == "application/javascript":
        # What a server says counts more than what a page says of itself. So say it only if it is
        # certain, and leave the rest to the browser.
        # 服务器声明的编码优先于网页自己的声明，所以不确定时就不说，留给浏览器判断。
        if is_utf8(beginning, is_whole) and not declares_encoding(kind, beginning):
            kind += "; charset=utf-8"
    return f"Content-Type: {kind}\r\n"


def declares_encoding(kind, beginning):
    """Whether a page or a style says itself how it is encoded, where browsers look for that."""
    may_say = kind in ("text/html", "text/xml", "text/css")
    return may_say and bool(DECLARATION.search(beginning, 0, 1024))


def is_utf8(beginning, is_whole):
    """Whether the bytes are UTF-8."""
    try:
        # Unless they are all, they may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(beginning, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True
