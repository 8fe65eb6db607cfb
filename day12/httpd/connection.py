"""Serve one client: receive, parse, answer, send, with a `yield` wherever a call would wait.
一个客户端的会话：接收、解析、应答、发送；凡是要等待的地方就 yield。

`data` holds the bytes that have been received but not used yet. Usually it is a bytes object, and
one turn of the loop uses all of it. While a request is incomplete, `data` is a bytearray: received
bytes are added at its end, and the bytes of complete parts are removed from its front.

This module sets the deadlines. If a client misses its deadline, the loop throws a TimeoutError into
the client's coroutine, at the `yield` (see loop.py).
"""
import contextlib
import copy
import mmap
import socket
import sys
import time

from httpd.request import (CHUNKED, CRLF, HEAD_END, MAX_BODY, MAX_FIELDS, MAX_LINE, Refusal,
                           check_beginning, check_trailer, first_line, parse, parse_chunk_size,
                           too_large)

# Windows has neither of these modules. On Windows, http_server.py prints an error and exits.
with contextlib.suppress(ImportError):
    import fcntl
    import termios

# One call receives at most SIZE bytes, or sends at most CHUNK bytes of a large file.
SIZE = 1 << 16
CHUNK = 1 << 18
# Send at most this many replies at once to a client that pipelines (sends requests without
# waiting for the answers to earlier ones).
BATCH = 16
# Wait about this many seconds for a client to read our last answer. Then close the connection.
LINGER = 2


def converse(server, conn, client):
    """Serve a client, request by request, until either side closes the connection.

    conn: the client's socket, non-blocking.  client: the client's address, for the log.
    """
    loop, deadlines, fd = server.loop, server.loop.deadlines, conn.fileno()
    data = b""
    with conn:
        try:
            while True:
                if data:
                    # data may contain more requests, but the other clients get their turn first.
                    yield from wait_for_room(server, fd)
                else:
                    deadlines[fd] = server.deadline
                    yield
                    try:
                        data = conn.recv(SIZE)
                    except BlockingIOError:
                        continue
                    if not data:
                        return

                message, reply, data = answer_at_once(server, client, data)
                more_comes = False
                if not reply:
                    reply, data, more_comes = yield from answer_slowly(server, conn, client, data)
                    message = reply.data
                try:
                    count = conn.send(message, socket.MSG_MORE if reply.large else 0)
                except BlockingIOError:
                    count = 0
                server.bytes += count
                # Usually, the call to send above has sent everything.
                if count < len(message) or reply.large:
                    yield from send_all(server, conn, memoryview(message)[count:], reply.large)
                # An idle connection must not keep its last answer in memory.
                keep, reply, message = reply.keep, None, None
                if not keep:
                    # close() could reset the connection before the client has read our answer.
                    if more_comes or data or bytes_under_way(fd):
                        yield from linger(loop, conn)
                    return
        finally:
            hang_up(loop, conn)


def answer_at_once(server, client, data):
    """Answer at most BATCH complete requests from the front of data, without waiting.

    Return the bytes to send, the last Reply, and the unused rest of data. The function stops before
    a request that is incomplete, has a body, or is malformed. If it stops before the first request,
    the Reply is None, and the caller must use answer_slowly.
    """
    answers, reply, start = [], None, 0
    turn_cache, log = server.turn_cache, server.log
    while len(answers) < BATCH and (end := data.find(HEAD_END, start)) >= 0:
        try:
            request = parse(data[start:end])
        except Refusal:
            break
        known = turn_cache.get(request.path) if request.is_plain else None
        if not known:
            # Do not batch a request that has a body, because the body may not have arrived yet.
            # Do not make finished answers wait for a route, because a route can be slow.
            if request.length or answers and request.path in server.routes:
                break
            known = server.answer(request)
        reply = known
        answers.append(reply.data)
        # The next request begins after the empty line that ends this head.
        start = end + 4
        if log:
            log.add(client, request.line, reply.status, reply.size)
        if reply.is_last:
            break
    server.requests += len(answers)
    return b"".join(answers), reply, data[start:]


def answer_slowly(server, conn, client, data):
    """Receive the rest of a request, and answer or refuse it. Call this function with `yield from`.

    Return the Reply, the unused rest of data, and whether more of the body may arrive.
    """
    data, request = bytearray(data), None
    try:
        yield from receive_head(server, conn, data)
        end = data.find(HEAD_END)
        request = parse(bytes(data[:end]))
        del data[:end + 4]
        if request.length:
            request = yield from receive_body(server, conn, request, data)
        reply = server.answer(request)
    except Refusal as refusal:
        # We do not know where the next request begins, so the connection must end.
        request = copy.copy(request) or first_line(bytes(data))
        request.keep_alive = False
        reply = server.error_reply(refusal, request)
    server.requests += 1
    if server.log:
        server.log.add(client, request.line, reply.status, reply.size)
    return reply, bytes(data), bool(request.length)


# The next functions receive data. Call them with `yield from`. They can raise Refusal, or
# ConnectionError if the client closes the connection. 接收：都配合 yield from 使用。

def receive(conn, data):
    """Wait until the client has sent bytes, and add them to data."""
    while True:
        try:
            yield
            more = conn.recv(SIZE)
        except BlockingIOError:
            continue
        except TimeoutError:
            raise Refusal(408, "The request took too long") from None
        if not more:
            raise ConnectionAbortedError
        data += more
        return


def receive_head(server, conn, data):
    """Receive bytes until data contains a complete head."""
    # The head has one deadline, and the body has another one. A client that sends a byte now and
    # then (slowloris) gains no time. 整个请求头只有一个截止时间，慢速攻击（slowloris）无效。
    server.loop.deadlines[conn.fileno()] = server.deadline
    while HEAD_END not in data:
        check_beginning(data)
        yield from receive(conn, data)


def receive_body(server, conn, request, data):
    """Receive the body of a request. Return a copy of the request that contains the body."""
    # If no function answers this request, find_handler raises Refusal before the body is received.
    server.find_handler(request)
    server.loop.deadlines[conn.fileno()] = server.deadline
    if request.minor and "expect" in request.headers and not data:
        yield from send_all(server, conn, b"HTTP/1.1 100 Continue\r\n\r\n")
    # Copy the request, because parse returns the same object for identical heads.
    request = copy.copy(request)
    if request.length == CHUNKED:
        request.body = yield from receive_chunks(conn, data)
    else:
        while len(data) < request.length:
            yield from receive(conn, data)
        # A memoryview saves one copy: bytes(data[:n]) would copy the body twice.
        request.body = bytes(memoryview(data)[:request.length])
        del data[:request.length]
    return request


def receive_chunks(conn, data):
    """Receive a body that is sent in chunks, and return it (RFC 9112, 7.1).

    Before each chunk, a line gives its size. Size 0 ends the body. Trailer fields may follow.
    """
    body = bytearray()
    while size := parse_chunk_size((yield from receive_line(conn, data))):
        if len(body) + size > MAX_BODY:
            raise too_large()
        while len(data) < size + 2 and data[size:] in (b"", b"\r"):
            yield from receive(conn, data)
        body += data[:size]
        if data[size:size + 2] != CRLF:
            raise Refusal(400, "A chunk does not have the size that it declares")
        del data[:size + 2]
    # Check each trailer field, but do not use its value.
    for _ in range(MAX_FIELDS + 1):
        line = yield from receive_line(conn, data)
        if not line:
            return bytes(body)
        check_trailer(line.decode("latin-1"))
    raise Refusal(431, "The trailer has too many fields")


def receive_line(conn, data):
    """Receive a line, remove it from the front of data, and return it without CR LF."""
    while (end := data.find(b"\n", 0, MAX_LINE + 2)) < 0:
        # One byte more than MAX_LINE is allowed, because this byte may be the CR of CR LF.
        if len(data) > MAX_LINE + 1:
            raise Refusal(400, "A line of the chunked body is too long")
        yield from receive(conn, data)
    line = bytes(data[:end + 1])
    if not line.endswith(CRLF):
        raise Refusal(400, "Lines must end with CR LF")
    del data[:end + 1]
    return line[:-2]


# The next functions send data. 发送。

def send_all(server, conn, *parts):
    """Send all parts (bytes, or views of a mmap), in pieces. Call this function with `yield from`.

    After each piece, the other clients get a turn. While this client reads nothing, we wait and
    read no more requests from it (backpressure). 客户端不收，就不再读它的请求（背压）。
    """
    for data in map(memoryview, parts):
        while data:
            # If the mapped file has become shorter, its last page ends with zeros, and later pages
            # do not exist. Close the connection, so that the client sees that data is missing.
            if isinstance(data.obj, mmap.mmap) and data.obj.size() < len(data.obj):
                raise ConnectionAbortedError
            with contextlib.suppress(BlockingIOError):
                count = conn.send(data[:CHUNK])
                server.bytes += count
                data = data[count:]
            if data:
                yield from wait_for_room(server, conn.fileno())


def wait_for_room(server, fd):
    """Wait until the client has read enough to make room in our send buffer.

    Raises TimeoutError if the client's kernel reports no room within a timeout. epoll reports
    EPOLLOUT only when a third of the buffer is free, so a slow reader can take several timeouts.
    """
    waiting = bytes_under_way(fd)
    while True:
        try:
            yield from server.loop.wait_to_write(fd, server.deadline)
            return
        except TimeoutError:
            before, waiting = waiting, bytes_under_way(fd)
            if waiting >= before:
                raise


def linger(loop, conn):
    """Send EOF, and wait until the client closes its side of the connection (lingering close).

    If we closed the socket while bytes were unread or still arriving, the kernel would reset the
    connection, and the client could lose our last answer (RFC 9112, 9.6). This function always
    raises: ConnectionError when the client closes its side, or TimeoutError (see LINGER).
    """
    conn.shutdown(socket.SHUT_WR)
    loop.deadlines[conn.fileno()] = time.monotonic() + LINGER
    while True:
        with contextlib.suppress(BlockingIOError):
            yield
            if not conn.recv(SIZE):
                raise ConnectionAbortedError


def hang_up(loop, conn):
    """End a connection, even if a process that a route started has a copy of the descriptor.

    If there is such a copy, calling close is not enough: epoll would still watch the connection,
    and the client would not receive EOF.
    """
    loop.epoll.unregister(conn.fileno())
    try:
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client has already reset the connection.
        pass


def bytes_under_way(fd):
    """Return how many bytes in the send buffer are not acknowledged yet (man 7 tcp, SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
