"""HTTPServer: the listener, the routes, and what each turn of the loop does.
HTTPServer 类：监听套接字、路由，以及事件循环的每一轮做什么。
"""
import contextlib
import copy
import email.utils
import functools
import re
import select
import socket
import time

from httpd.conditions import byte_range, preconditions
from httpd.connection import converse
from httpd.files import Site
from httpd.log import open_log
from httpd.loop import Loop, report
from httpd.reply import PHRASES, encode_result, make_reply
from httpd.request import METHODS, TOKEN, Refusal
from httpd.workers import Scoreboard

# The most clients to accept in one turn, so that connected clients get their turn.
ACCEPTS_PER_TURN = 16


def listen(host, port):
    """Return a listening socket. Raises OSError, and OverflowError if there is no such port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # An IPv6 address has four parts. The last one names the network interface, which an address
    # such as fe80::1%eth0 needs.
    first, _, *rest = socket.getaddrinfo(host or None, 0, family, socket.SOCK_STREAM, 0,
                                         socket.AI_PASSIVE)[0][4]
    # :: means all addresses, including those of IPv4.
    return socket.create_server((first, port, *rest), family=family, backlog=4096,
                                dualstack_ipv6=host == "::")


def check_route(path, methods):
    """Raise ValueError if no request could reach a function with this path and these methods."""
    if not path.startswith("/"):
        raise ValueError(f"a path begins with a slash: {path!r}")
    if isinstance(methods, str) or not methods:
        raise ValueError(f'methods is a tuple, such as ("GET", "POST"): {methods!r}')
    for method in methods:
        # Upper and lower case are different methods, and clients send upper case.
        if not re.fullmatch(TOKEN, method) or method.upper() != method:
            raise ValueError(f"no client sends the method {method!r}")


class HTTPServer:
    """Serves the files of a directory, and what routes return.

    address: (host, port); port 0 takes a free one.  directory: the files to serve.
    timeout: the seconds that each of these may take: receiving a head, receiving a body, waiting
    for a request on an idle connection, and waiting until a client reads some bytes.
    log: whether to write a line on stderr for each request.
    Raises OSError if there is no such directory or address, or if the address is in use.
    """

    def __init__(self, address=("127.0.0.1", 8000), directory="site", timeout=30, log=True):
        self.site = Site(directory)
        self.listener = listen(*address)
        self.listener.setblocking(False)
        # Accepted sockets inherit this: send small packets at once.
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = self.listener.getsockname()[:2]
        # A self-pipe: epoll can wait for a descriptor, but not for a flag. The reader is ready when
        # a byte has been sent to the writer, or when all copies of the writer are closed.
        # 自管道（self-pipe）：epoll 只能等描述符，所以用一对套接字来传达“该停了”。
        self.shutdown_reader, self.shutdown_writer = socket.socketpair()
        # One byte is enough, and a caller of shutdown() must never wait for room.
        self.shutdown_writer.setblocking(False)
        self.timeout = timeout
        self.log = open_log() if log else None
        # path -> {method: function from a Request to a Reply}
        self.routes = {}
        self.file_handlers = {"GET": self.file_reply}
        # path -> Reply to a plain GET, for this turn of the loop
        self.turn_cache = {}
        self.second = 0
        self.requests = self.bytes = 0
        self.began = time.monotonic()
        self.scoreboard = Scoreboard()

    # The interface

    def route(self, path, methods=("GET",)):
        """Decorate a function that answers the requests for this path.

        It gets a Request and returns str, bytes, dict or list (as JSON), or (status, one of these).
        It is called in the loop: while it works, all clients wait. If it answers GET, it answers
        HEAD too. Raises ValueError if the function could never be called, or the path and method
        already have a function.
        """
        check_route(path, methods)

        def register(function):
            handlers = self.routes.get(path, {})
            if taken := handlers.keys() & set(methods):
                raise ValueError(f"{path} has a function for {', '.join(sorted(taken))} already")
            new = dict.fromkeys(methods, functools.partial(self.call_route, function))
            self.routes[path] = {**handlers, **new}
            return function
        return register

    def serve_forever(self, worker=None, *more_readers):
        """Serve until shutdown() is called, or one of more_readers (sockets) can be read.

        worker: the number of this process, counted from 0, if there are several.
        """
        self.loop = loop = Loop()
        self.running, write_row = True, self.scoreboard.row(worker or 0)
        self.has_siblings = worker is not None
        self.start_accepting()
        for reader in (self.shutdown_reader, *more_readers):
            loop.start(reader.fileno(), self.wait_for_shutdown())
            if self.log:
                self.log.watch(reader)
        # All tasks are clients, except those of the listener and the self-pipes.
        others = len(loop.tasks)
        try:
            while self.running:
                write_row(len(loop.tasks) - others, self.requests, self.bytes)
                events = loop.wait()
                self.begin_turn()
                loop.resume(events)
                self.write_log()
                loop.expire()
        finally:
            self.write_log()
            loop.close()
            self.close()

    def close(self):
        """Close everything that the server has open. It must not be running."""
        for sock in (self.listener, self.shutdown_reader, self.shutdown_writer):
            sock.close()
        if self.log:
            self.log.close()

    def shutdown(self):
        """End serve_forever, in all workers. Signal handlers and other threads may call it."""
        # OSError: the server has already ended, or the self-pipe is full, so one byte is there.
        with contextlib.suppress(OSError):
            # No process receives the byte, so it remains visible to all of them.
            self.shutdown_writer.send(b"!")

    def status(self):
        """Return what each worker had done before its current turn, as a dict for a route."""
        uptime = round(time.monotonic() - self.began, 3)
        return {"uptime": uptime, "workers": self.scoreboard.read()}

    # A turn of the loop

    def begin_turn(self):
        """Compute what all requests of this turn, or of this second, share."""
        self.turn_cache.clear()
        self.now = time.time()
        self.deadline = self.loop.now + self.timeout
        if int(self.now) != self.second:
            self.second = int(self.now)
            self.site.look_again()
            date = email.utils.formatdate(self.now, usegmt=True)
            self.common = f"Server: HTTPServer/2.0\r\nDate: {date}\r\n"
            if self.log:
                self.log.set_time(self.now)

    def write_log(self):
        """Write the lines of this turn."""
        if self.log:
            self.log.flush()
            # shutdown() was called while the log waited for its reader: this turn is the last one.
            if self.log.give_up_at is not None:
                self.running = False

    # The coroutines. The coroutine of a client is converse, in connection.py

    def start_accepting(self):
        # EPOLLEXCLUSIVE: if several workers wait for one listener, the kernel wakes one of them, or
        # a few, instead of all (no thundering herd). 不唤醒所有工作进程，避免惊群。
        events = select.EPOLLIN | select.EPOLLEXCLUSIVE
        self.loop.start(self.listener.fileno(), self.accept_clients(events), events)

    def wait_for_shutdown(self):
        yield
        self.running = False

    def accept_clients(self, events):
        """Accept clients and start a coroutine for each. events: those of the listener."""
        fd, loop = self.listener.fileno(), self.loop
        while True:
            yield
            try:
                for _ in range(ACCEPTS_PER_TURN):
                    conn, address = self.listener.accept()
                    conn.setblocking(False)
                    # A server for IPv4 and IPv6 sees an IPv4 client as ::ffff:127.0.0.1.
                    client = address[0].removeprefix("::ffff:")
                    loop.start(conn.fileno(), converse(self, conn, client))
            except (BlockingIOError, ConnectionAbortedError):
                # No more clients are waiting, or the client has already left.
                if self.has_siblings:
                    # The kernel wakes the first idle worker in its queue. To give the others their
                    # share, register again: that moves this worker to the end of the queue.
                    # 重新注册就排到队尾，下一个客户端归别的工作进程。
                    loop.epoll.unregister(fd)
                    loop.epoll.register(fd, events)
            except OSError:
                # out of descriptors (EMFILE): stop accepting for a moment
                loop.epoll.unregister(fd)
                # This deadline has already passed, so expire() throws within a second.
                loop.deadlines[fd] = 0
                with contextlib.suppress(TimeoutError):
                    yield
                del loop.deadlines[fd]
                loop.epoll.register(fd, events)

    # The answers

    def answer(self, request):
        """Return the Reply to a complete request."""
        try:
            try:
                return self.find_handler(request)(request)
            except Refusal as refusal:
                return self.error_reply(refusal, request)
        except (KeyboardInterrupt, SystemExit):
            # Ctrl-C, or a route that calls sys.exit(): end the server.
            raise
        except BaseException:
            # A bug in a route, or in a Refusal that it raised. Not only Exception: for example,
            # asyncio.CancelledError is not an Exception.
            report()
            return self.error_reply(Refusal(500, "The server failed to answer"), request)

    def find_handler(self, request):
        """Return the function that answers this request. Raises Refusal if there is none."""
        handlers, method = self.routes.get(request.path, self.file_handlers), request.method
        if method == "HEAD" and method not in handlers:
            # Answer it like a GET; make_reply leaves out the body.
            method = "GET"
        if method in handlers:
            return handlers[method]
        implied = ["HEAD", "OPTIONS"] if "GET" in handlers else ["OPTIONS"]
        allow = f"Allow: {', '.join(dict.fromkeys([*handlers, *implied]))}\r\n"
        if method == "OPTIONS":
            return functools.partial(self.reply, status=204, lines=allow)
        status = 405 if request.method in METHODS else 501
        raise Refusal(status, "This method is not supported here", allow)

    def call_route(self, function, request):
        """Call a route and make a Reply of what it returns."""
        # The route may change its copy; parse returns the same object for all equal heads.
        own = copy.copy(request)
        own.headers = dict(request.headers)
        try:
            result = function(own)
        finally:
            # The route may have changed a file.
            self.turn_cache.clear()
        status, kind, body = encode_result(result)
        lines = f"Content-Type: {kind}\r\nCache-Control: no-store\r\n"
        return self.reply(request, status, lines, body)

    def file_reply(self, request):
        """Make a Reply with a file or a part of it, or a 304 if the file has not changed."""
        file = self.site.find(request.path, request.query_string, self.now)
        if request.is_plain:
            reply = self.reply(request, 200, file.lines, file.body)
            if not reply.large:
                self.turn_cache[request.path] = reply
            return reply
        status, lines, body = preconditions(request.headers, file), file.lines, file.body
        if status == 412:
            raise Refusal(412, "Precondition failed")
        if status == 304:
            # Only the fields that guide a cache (RFC 9110, 15.4.5).
            lines = file.validators
        if status == 200 and request.method == "GET":
            part = byte_range(request.headers, file)
            if part:
                start, end = part
                status, body = 206, body[start:end]
                lines += f"Content-Range: bytes {start}-{end - 1}/{len(file.body)}\r\n"
        return self.reply(request, status, lines, body)

    def error_reply(self, refusal, request):
        """Make a Reply of a Refusal."""
        text = f"{refusal.status} {PHRASES[refusal.status]}\n{refusal.text}\n".encode()
        # Without no-store, browsers may keep some of these replies, such as a 301, for ever.
        lines = ("Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
                 + refusal.lines)
        return self.reply(request, refusal.status, lines, text)

    def reply(self, request, status, lines, body=b""):
        # A route may be slow, so its reply is the last of a batch: no finished reply waits for it.
        is_last = request.path in self.routes
        return make_reply(request, status, self.common, lines, body, is_last)
