"""The class HTTPServer: its listener, its routes, and what it does in each turn of the loop.
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

# Accept at most this many clients in one turn, so that connected clients do not wait long.
ACCEPTS_PER_TURN = 16


def listen(host, port):
    """Return a listening socket. Raises OSError; OverflowError if the port is out of range."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # For IPv6, Python's socket address has four parts. The last part is the number of the network
    # interface, which an address such as fe80::1%eth0 needs.
    first, _, *rest = socket.getaddrinfo(host or None, 0, family, socket.SOCK_STREAM, 0,
                                         socket.AI_PASSIVE)[0][4]
    # :: means all addresses, including those of IPv4.
    return socket.create_server((first, port, *rest), family=family, backlog=4096,
                                dualstack_ipv6=host == "::")


def check_route(path, methods):
    """Raise ValueError if no request could reach a function with this path and these methods."""
    if not path.startswith("/"):
        raise ValueError(f"a path must begin with a slash: {path!r}")
    if isinstance(methods, str) or not methods:
        raise ValueError(f'methods must be a tuple, such as ("GET", "POST"): {methods!r}')
    for method in methods:
        # The names of methods are case-sensitive, and clients send them in upper case.
        if not re.fullmatch(TOKEN, method) or method.upper() != method:
            raise ValueError(f"a method must be a name in upper case, such as GET: {method!r}")


class HTTPServer:
    """Serves the files of a directory, and the results of routes (functions that a program adds).

    address: (host, port); port 0 takes any free port.  directory: the folder to serve.
    timeout: the limit in seconds for receiving a head, for receiving a body, for waiting for a
    request on an idle connection, and for waiting until a client reads some bytes.
    log: whether to write a line on stderr for each request.
    Raises OSError if the directory or the address does not exist, or if the address is in use.
    """

    def __init__(self, address=("127.0.0.1", 8000), directory="site", timeout=30, log=True):
        self.site = Site(directory)
        self.listener = listen(*address)
        self.listener.setblocking(False)
        # Accepted sockets inherit this option, which makes them send small packets at once.
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = self.listener.getsockname()[:2]
        # epoll can wait for a descriptor, but not for a flag, so use a self-pipe. The reader is
        # ready when a byte is sent through the writer, or when all copies of the writer are closed.
        # 自管道（self-pipe）：epoll 只能等描述符，所以用一对套接字来传达“该停了”。
        self.shutdown_reader, self.shutdown_writer = socket.socketpair()
        # One byte is enough, and a caller of shutdown() must never wait for room in the self-pipe.
        self.shutdown_writer.setblocking(False)
        self.timeout = timeout
        self.log = open_log() if log else None
        # path -> {method: function from a Request to a Reply}
        self.routes = {}
        self.file_handlers = {"GET": self.file_reply}
        # path -> Reply to a plain GET, valid for this turn of the loop
        self.turn_cache = {}
        self.second = None
        self.requests = self.bytes = 0
        self.began = time.monotonic()
        self.scoreboard = Scoreboard()

    # Methods for programs that use the class

    def route(self, path, methods=("GET",)):
        """Return a decorator that makes a function a route: it answers the requests for this path.

        The function gets a Request. It returns str, bytes, dict or list (sent as JSON), or a tuple:
        (status, one of these). All clients wait while the function runs. A route for GET answers
        HEAD too. Raises ValueError if no request can reach the function, or if the path and method
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
        """Serve until shutdown() is called, or one of more_readers (sockets) becomes readable.

        worker: the number of this worker process, from 0; None if there is only one process.
        """
        self.loop = loop = Loop()
        self.running, write_row = True, self.scoreboard.row(worker or 0)
        self.has_siblings = worker is not None
        self.start_accepting()
        for reader in (self.shutdown_reader, *more_readers):
            loop.start(reader.fileno(), self.wait_for_shutdown())
            if self.log:
                self.log.watch(reader)
        # These tasks belong to the listener and the self-pipes. All later tasks belong to clients.
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
        """Close the server's sockets and log. Do not call close() while the server is running."""
        for sock in (self.listener, self.shutdown_reader, self.shutdown_writer):
            sock.close()
        if self.log:
            self.log.close()

    def shutdown(self):
        """End serve_forever in all workers. Signal handlers and other threads may call shutdown."""
        # OSError: the server has already ended, or the self-pipe is full, so one byte is in it.
        with contextlib.suppress(OSError):
            # No process receives the byte, so it remains visible to all workers.
            self.shutdown_writer.send(b"!")

    def status(self):
        """Return a dict that says what each worker had done before its current turn."""
        uptime = round(time.monotonic() - self.began, 3)
        return {"uptime": uptime, "workers": self.scoreboard.read()}

    # A turn of the loop

    def begin_turn(self):
        """Compute the values that all requests of this turn, or of this second, share."""
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
        """Write the log lines of this turn."""
        if self.log:
            self.log.flush()
            # If shutdown() was called while the log waited for its reader, this is the last turn.
            if self.log.give_up_at is not None:
                self.running = False

    # Coroutines. The coroutine of a client is converse in connection.py.

    def start_accepting(self):
        # EPOLLEXCLUSIVE: if several workers wait for one listener, the kernel wakes only one or a
        # few of them. This avoids a thundering herd. 不唤醒所有工作进程，避免惊群。
        events = select.EPOLLIN | select.EPOLLEXCLUSIVE
        self.loop.start(self.listener.fileno(), self.accept_clients(events), events)

    def wait_for_shutdown(self):
        yield
        self.running = False

    def accept_clients(self, events):
        """Accept clients; start a coroutine for each. events: the listener's epoll events."""
        fd, loop = self.listener.fileno(), self.loop
        while True:
            yield
            try:
                for _ in range(ACCEPTS_PER_TURN):
                    conn, address = self.listener.accept()
                    conn.setblocking(False)
                    # A server for IPv4 and IPv6 sees 127.0.0.1 as ::ffff:127.0.0.1.
                    client = address[0].removeprefix("::ffff:")
                    try:
                        loop.start(conn.fileno(), converse(self, conn, client))
                    except OSError:
                        conn.close()
                        raise
            except (BlockingIOError, ConnectionAbortedError):
                # No more clients are waiting, or the client has already left.
                if self.has_siblings:
                    # The kernel wakes the first idle worker in its queue. Registering the listener
                    # again moves this worker to the end of the queue, behind the other workers.
                    # 重新注册就排到队尾，下一个客户端归别的工作进程。
                    loop.epoll.unregister(fd)
                    yield from loop.watch(fd, events)
            except OSError:
                # No descriptors are left (EMFILE), or no room in epoll (ENOSPC): pause accepting.
                loop.epoll.unregister(fd)
                yield from loop.pause(fd)
                yield from loop.watch(fd, events)

    # Answers

    def answer(self, request):
        """Return the Reply to a complete request."""
        try:
            try:
                return self.find_handler(request)(request)
            except Refusal as refusal:
                return self.error_reply(refusal, request)
        except (KeyboardInterrupt, SystemExit):
            # The user has pressed Ctrl-C, or a route has called sys.exit(): end the server.
            raise
        except BaseException:
            # A route, or a Refusal that it raised, has a bug. Catch BaseException, because,
            # for example, asyncio.CancelledError is not a subclass of Exception.
            report()
            return self.error_reply(Refusal(500, "The server failed to answer"), request)

    def find_handler(self, request):
        """Return the function that answers this request. Raises Refusal if no function does."""
        handlers, method = self.routes.get(request.path, self.file_handlers), request.method
        if method == "HEAD" and method not in handlers:
            # Answer a HEAD like a GET. make_reply leaves out the body.
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
        """Call a route's function and return its result as a Reply."""
        # Copy the request, because parse returns one object for identical heads, and routes may
        # change it.
        own = copy.copy(request)
        own.headers = dict(request.headers)
        try:
            result = function(own)
        finally:
            # The route may have changed a file, so a cached Reply may be out of date.
            self.turn_cache.clear()
        status, kind, body = encode_result(result)
        lines = f"Content-Type: {kind}\r\nCache-Control: no-store\r\n"
        return self.reply(request, status, lines, body)

    def file_reply(self, request):
        """Return a Reply with a file or part of it, or a 304 if the file has not changed."""
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
            # A 304 contains only the fields that guide a cache (RFC 9110, 15.4.5).
            lines = file.validators
        if status == 200 and request.method == "GET":
            part = byte_range(request.headers, file)
            if part:
                start, end = part
                status, body = 206, body[start:end]
                lines += f"Content-Range: bytes {start}-{end - 1}/{len(file.body)}\r\n"
        return self.reply(request, status, lines, body)

    def error_reply(self, refusal, request):
        """Return the Reply that tells the client about a Refusal."""
        text = f"{refusal.status} {PHRASES[refusal.status]}\n{refusal.text}\n".encode()
        # Without no-store, browsers may keep some of these replies, such as a 301, for ever.
        lines = ("Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
                 + refusal.lines)
        return self.reply(request, refusal.status, lines, text)

    def reply(self, request, status, lines, body=b""):
        # A route may be slow. End the batch with its reply, so that the reply is sent at once.
        is_last = request.path in self.routes
        return make_reply(request, status, self.common, lines, body, is_last)
