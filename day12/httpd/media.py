"""Choose the header lines that describe the content of a file: its media type and encoding.
媒体类型：用哪些响应头说明一个文件的字节是什么。
"""
import codecs
import mimetypes
import os
import re

# In some versions of Python, the module mimetypes lacks some of these types. This table is used
# only if the system's own tables lack a type too.
TYPES = {
    ".avif": "image/avif", ".flac": "audio/flac", ".ics": "text/calendar", ".m4a": "audio/mp4",
    ".m4v": "video/mp4", ".md": "text/markdown", ".mjs": "text/javascript", ".oga": "audio/ogg",
    ".ogg": "audio/ogg", ".ogv": "video/ogg", ".opus": "audio/ogg", ".otf": "font/otf",
    ".ttf": "font/ttf", ".wasm": "application/wasm", ".webm": "video/webm", ".webp": "image/webp",
    ".woff": "font/woff", ".woff2": "font/woff2", ".yaml": "application/yaml"}
# Matches the place where a page or a style sheet declares its own encoding.
DECLARATION = re.compile(rb"<meta[^>]*charset|<\?xml[^>]*encoding|\A@charset", re.IGNORECASE)


def describe_content(path, beginning, is_whole):
    """Return the header lines that describe a file.

    path: a path that ends with the file's name.  beginning: the first bytes of the file.
    is_whole: whether `beginning` is the whole file.
    """
    kind, encoding = mimetypes.guess_type("/" + path.lstrip("/"))
    if encoding and path.lower().endswith(".svgz"):
        # Browsers show an .svgz picture only if Content-Encoding says that it is compressed.
        return f"Content-Type: {kind}\r\nContent-Encoding: {encoding}\r\n"
    if encoding:
        kind = f"application/{encoding}"
    kind = kind or TYPES.get(os.path.splitext(path)[1].lower(), "application/octet-stream")
    if kind.startswith("text/") or kind == "application/javascript":
        # Browsers trust the server's charset more than the page's own declaration. So name UTF-8
        # only if the file certainly is UTF-8. Otherwise let the browser decide.
        # 服务器声明的编码优先于网页自己的声明，所以不确定时就不说，留给浏览器判断。
        if is_utf8(beginning, is_whole) and not declares_encoding(kind, beginning):
            kind += "; charset=utf-8"
    return f"Content-Type: {kind}\r\n"


def declares_encoding(kind, beginning):
    """Return whether a page or style sheet declares its encoding where browsers look for it."""
    may_say = kind in ("text/html", "text/xml", "text/css")
    return may_say and bool(DECLARATION.search(beginning, 0, 1024))


def is_utf8(beginning, is_whole):
    """Return whether the bytes are valid UTF-8. is_whole: whether they are the whole file."""
    try:
        # If the file continues, these bytes can end in the middle of a character.
        codecs.getincrementaldecoder("utf-8")().decode(beginning, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True
