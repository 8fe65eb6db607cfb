"""File names on the network: always UTF-8 (RFC 2640), even if the name on the disk is not.
网络上的文件名：总是 UTF-8，即使磁盘上的文件名不是

If another system encoded a file name in Latin-1 or GBK, the name contains bytes that are not UTF-8.
Many clients cannot decode a listing with such a byte, so the server writes the byte as \\xHH, as
Python does. A client that asks for the name in this form gets the file. What if a name on the disk
already contains the four characters \\xe9? Then the server writes its backslash as \\x5c, so that
different files always have different names.
"""
import re

# The escape sequence of a byte above 127, or of a backslash.
ESCAPE = re.compile(r"\\x(5c|[89a-f][0-9a-f])")


def to_wire(text):
    r"""Return text as UTF-8 bytes. A name that is caf<E9> on the disk becomes caf\xe9."""
    text = ESCAPE.sub(r"\\x5cx\1", text)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").encode()


def from_wire(text):
    """Return the name on the disk that a client means; non-UTF-8 bytes become surrogates."""
    data = text.encode("utf-8", "surrogateescape")
    data = re.sub(rb"\\x(5c|[89a-f][0-9a-f])", lambda match: bytes.fromhex(match[1].decode()), data)
    return data.decode("utf-8", "surrogateescape")
