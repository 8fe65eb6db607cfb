"""Names of files on the wire: always UTF-8 (RFC 2640), also where the name on the disk is not.
网络上的文件名：总是 UTF-8，即使磁盘上的文件名不是

A file that was named on another system, in Latin-1 or GBK, has bytes that are not UTF-8. Clients
fail to decode a listing that contains such a byte, so it is written as \\xHH, as Python does. A
client that asks for the name in this form gets the file. A name on the disk that has such letters
itself, for example a\\xe9, gets \\x5c in place of its backslash, so no two names look alike.
"""
import re

# Written in the way of the wire: a byte above 127, or the backslash.
ESCAPE = re.compile(r"\\x(5c|[89a-f][0-9a-f])")


def to_wire(text):
    r"""Names, as bytes that are UTF-8. On the disk caf<E9>, on the wire caf\xe9."""
    text = ESCAPE.sub(r"\\x5cx\1", text)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").encode()


def from_wire(text):
    """The name on the disk that a client means. Bytes that are not UTF-8 are surrogates in it."""
    data = text.encode("utf-8", "surrogateescape")
    data = re.sub(rb"\\x(5c|[89a-f][0-9a-f])", lambda match: bytes.fromhex(match[1].decode()), data)
    return data.decode("utf-8", "surrogateescape")
