"""HTTPServer: the listener, the routes, and what happens in each turn of the loop.
HTTPServer 类：监听套接字、路由，以及事件循环的每一轮做什么。
"""
import contextlib
import copy
import email.utils
import functools
import socket
import sys
import time
from select import EPOLLEXCLUSIVE, EPOLLIN

from httpd.connection import converse
from httpd.files import Site, byte_range, preconditions
from httpd.log import AccessLog
from httpd.loop import Loop, report
from httpd.reply import PHRASES, encode_result, make_reply
from httpd.request import FILE_METHODS, METHODS, Refusal
from httpd.workers import Scoreboard

# Clients to accept in one turn, before those that are connected have theirs.
ACCEPTS_PER_TURN = 16


class HTTPServer:
    """Serves the files of a directory, and what routes return.

    address: (host, port), port 0 for a free one.  directory: whose files are served.
    timeout: seconds for a head to come, for a body, for a connection to be silent, and for a client
    to take some bytes of an answer.  log: whether each request is a line on stderr.
    Raises OSError if there is no such directory or address, or if the address is in use.
    """

    def __init__(self, address=("127.0.0.1", 8000), directory="site", timeout=30, log=True):
        self.site = Site(directory)
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.listener = socket.create_server(address, family=family, backlog=4096)
        self.listener.setblocking(False)
        # Accepted sockets inherit this: send small packets at once.
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = self.listener.getsockname()[:2]
        # A self-pipe: epoll can wait for a descriptor, but not for a flag. The reader is ready when
        # a byte has been sent to the writer, and when all copies of the writer are closed.
        # 自管道（self-pipe）：epoll 只能等描述符，所以用一对套接字来传达“该停了”。
        self.shutdown_reader, self.shutdown_writer = socket.socketpair()
        # One byte is enough, and no caller of shutdown() may have to wait for room.
        self.shutdown_writer.setblocking(False)
        self.timeout = timeout
        self.log = AccessLog(self.shutdown_reader) if log and sys.stderr else None
        # path -> (methods, function from a Request to a Reply)
        self.routes = {}
        # path -> Reply to a plain GET, in this turn
        self.turn_cache = {}
        self.second = 0
        self.requests = self.bytes = 0
        self.began = time.monotonic()
        self.scoreboard = Scoreboard()

    # The interface

    def route(self, path, methods=("GET",)):
        """Decorate a function that answers the requests for this path.

        It gets a Request and returns str, bytes, dict or list (as JSON), or (status, one of these).
        It is called in the loop: while it works, all clients wait.
        """
        def register(function):
            allowed = (*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS")
            self.routes[path] = allowed, functools.partial(self.call_route, function)
            return function
        return register

    def serve_forever(self, worker=0):
        """Serve until shutdown() is called. worker: the number of this process, from 0 on."""
        self.loop = loop = Loop()
        self.running, write_row = True, self.scoreboard.row(worker)
        # EPOLLEXCLUSIVE: of several workers that wait for one listener, the kernel wakes up one
        # instead of all (no thundering herd). 只唤醒一个工作进程，避免惊群。
        loop.start(self.listener.fileno(), self.accept_clients(), EPOLLIN | EPOLLEXCLUSIVE)
        loop.start(self.shutdown_reader.fileno(), self.wait_for_shutdown())
        try:
            while self.running:
                # Without the listener and the self-pipe, each task is a client.
                write_row(len(loop.tasks) - 2, self.requests, self.bytes)
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
        """Close the sockets of a server that does not run."""
        for sock in (self.listener, self.shutdown_reader, self.shutdown_writer):
            sock.close()

    def shutdown(self):
        """End serve_forever, in all workers. Signal handlers and other threads may call it."""
        # It has ended already, or a byte is there already.
        with contextlib.suppress(OSError):
            # No process receives the byte, so all of them see it.
            self.shutdown_writer.send(b"!")

    def status(self):
        """What each worker has done up to its present turn, as a dict for a route to return."""
        uptime = round(time.monotonic() - self.began, 3)
        return {"uptime": uptime, "workers": self.scoreboard.read()}

    # A turn of the loop

    def begin_turn(self):
        """Compute what all requests of this turn, or of this second, have in common."""
        self.turn_cache.clear()
        self.now = time.time()
        self.deadline = self.loop.now + self.timeout
        if int(self.now) != self.second:
            self.second = int(self.now)
            # A folder on the way to a file may have moved, which the file itself does not show.
            self.site.file_cache.clear()
            date = email.utils.formatdate(self.now, usegmt=True)
            self.common = f"Server: HTTPServer/2.0\r\nDate: {date}\r\n"
            if self.log:
                self.log.set_time(self.now)

    def write_log(self):
        """Write the lines of this turn."""
        if self.log:
            self.log.flush()
            # It was waiting for a reader when shutdown() was called: no turn after this one.
            if self.log.give_up_at is not None:
                self.running = False

    # The coroutines; that of a client is converse, in connection.py

    def wait_for_shutdown(self):
        yield
        self.running = False

    def accept_clients(self):
        """Accept clients and start a coroutine for each."""
        fd, loop = self.listener.fileno(), self.loop
        while True:
            yield
            try:
                for _ in range(ACCEPTS_PER_TURN):
                    conn, address = self.listener.accept()
                    conn.setblocking(False)
                    loop.start(conn.fileno(), converse(self, conn, address[0]))
            except (BlockingIOError, ConnectionAbortedError):
                # No other client is waiting, or it has already left.
                pass
            except OSError:
                # out of descriptors (EMFILE): stop accepting for a moment
                loop.epoll.unregister(fd)
                # A deadline that has passed: expire() throws within a second.
                loop.deadlines[fd] = 0
                with contextlib.suppress(TimeoutError):
                    yield
                del loop.deadlines[fd]
                loop.epoll.register(fd, EPOLLIN | EPOLLEXCLUSIVE)

    # The answers

    def answer(self, request):
        """Return the Reply to a request that is complete."""
        try:
            try:
                return self.find_handler(request)(request)
            except Refusal as refusal:
                return self.error_reply(refusal, request)
        except Exception:
            # A bug in a route; or in the Refusal that it has raised.
            report()
            return self.error_reply(Refusal(500, "The server made a mistake"), request)

    def find_handler(self, request):
        """Return the function that makes a Reply of this request. Raises Refusal if none does."""
        methods, handler = self.routes.get(request.path, (FILE_METHODS, self.file_reply))
        allow = f"Allow: {', '.join(methods)}\r\n"
        if request.method not in methods:
            status = 405 if request.method in METHODS else 501
            raise Refusal(status, "This method is not supported here", allow)
        if request.method == "OPTIONS":
            return functools.partial(self.reply, status=204, lines=allow)
        return handler

    def call_route(self, function, request):
        """Make a Reply of what a route returns."""
        # A copy, which it may change: parse returns the same object to all equal heads.
        own = copy.copy(request)
        own.headers = dict(request.headers)
        try:
            result = function(own)
        finally:
            # It may have changed a file.
            self.turn_cache.clear()
        status, kind, body = encode_result(result)
        lines = f"Content-Type: {kind}\r\nCache-Control: no-store\r\n"
        return self.reply(request, status, lines, body)

    def file_reply(self, request):
        """Make a Reply of a file, of a part of it, or of the fact that it has not changed."""
        file = self.site.find(request.path, request.query_string, self.now)
        if request.is_plain:
            reply = self.reply(request, 200, file.lines, file.body)
            if not reply.large:
                self.turn_cache[request.path] = reply
            return reply
        status, lines, body = preconditions(request.headers, file), file.lines, file.body
        if status == 412:
            raise Refusal(412, "Precondition failed")
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
        lines = f"Content-Type: text/plain; charset=utf-8\r\n{refusal.lines}"
        return self.reply(request, refusal.status, lines, text)

    def reply(self, request, status, lines, body=b""):
        # A route may take its time, so its reply is the last of a batch.
        is_last = request.path in self.routes
        return make_reply(request, status, self.common, lines, body, is_last)
