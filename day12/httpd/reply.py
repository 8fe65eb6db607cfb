"""Make a reply: build the bytes to send from a status, header lines and a body.
响应：由状态码、响应头和响应体得到要发送的字节。
"""
import json
from http import HTTPStatus

# A reply whose body has more bytes than this is the last of its batch (BATCH in connection.py).
MAX_BATCHED_BODY = 1 << 13
PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Reply:
    """The answer to one request.

    data: the bytes of the head, and of the body unless the body is large.
    large: the body if it is large (a view of a mapped file), sent after data; otherwise empty.
    keep: whether the connection remains open.
    status, size: the status, and the size of the body in bytes, for the log.
    is_last: whether this reply must be the last of its batch, because it closes the connection, has
    a large body, or comes from a route.
    """
    __slots__ = ("data", "large", "keep", "status", "size", "is_last")

    def __init__(self, data, large, keep, status, size, is_last):
        self.data, self.large, self.keep = data, large, keep
        self.status, self.size, self.is_last = status, size, is_last


def make_reply(request, status, common, lines, body=b"", is_last=False):
    """Return the Reply to a request.

    common: the header lines that all replies of this second share.
    lines: the header lines of this reply only.  body: bytes, or a memoryview of a mapped file.
    """
    # Replies with these two statuses have no body, so they get no Content-Length (RFC 9110, 8.6).
    if status in (204, 304):
        body = b""
    else:
        lines += f"Content-Length: {len(body)}\r\n"
    if not request.keep_alive:
        lines += "Connection: close\r\n"
    elif not request.minor:
        # With HTTP/1.0, the connection is closed unless both sides send this field.
        lines += "Connection: keep-alive\r\n"
    head = f"HTTP/1.1 {status} {PHRASES[status]}\r\n{common}{lines}\r\n".encode("latin-1")
    if request.method == "HEAD":
        body = b""
    if isinstance(body, bytes):
        data, large = head + body, b""
    else:
        data, large = head, body
    is_last = is_last or bool(large) or len(body) > MAX_BATCHED_BODY or not request.keep_alive
    return Reply(data, large, request.keep_alive, status, len(body), is_last)


def encode_result(result):
    """Return (status, Content-Type, body) for the value that a route has returned.

    To let routes return another type, add it here. 路由函数要支持新的返回类型，改这里。
    Raises ValueError or TypeError if the value cannot be sent. For example, JSON has no NaN.
    """
    status = 200
    if isinstance(result, tuple):
        status, result = result
    if status not in PHRASES or status < 200:
        raise ValueError(f"a route cannot answer with the status {status}")
    # Replies with these statuses have no body, so drop the body that the route has returned.
    if status in (204, 205, 304):
        result = ""
    if isinstance(result, (dict, list)):
        kind, body = "application/json", json.dumps(result, allow_nan=False).encode()
    elif isinstance(result, str):
        kind, body = "text/plain; charset=utf-8", result.encode()
    else:
        kind, body = "application/octet-stream", bytes(memoryview(result))
    # A route may give the status as 404.0 or as an HTTPStatus, so convert it to an int.
    return int(status), kind, body
