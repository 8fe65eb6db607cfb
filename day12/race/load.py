"""The clients, which produce the load: they open connections, send requests and time the answers.
客户端：建立连接、发送请求、给响应计时。负载在这里产生。

There are two kinds of load, and a function for each. In ping_pong, clients stay connected; in
fresh_connections, each request uses a new connection. Both functions return (seconds, a list of
latencies in nanoseconds).
"""
import os
import select
import socket
import struct
import time

from race.servers import CORES, Failed, Unsupported

MESSAGE = b"x" * 63 + b"\n"
ANSWER_WITHIN = 2                   # seconds within which a server must answer
BATCH = 50                          # connections to open before waiting for the first answer
SLOTS = 16                          # connections that fresh_connections keeps open at a time
MEMORY = 1 << 20                    # KiB that a server may use for its connections


def ping_pong(seconds, conns):
    """Let each client send a message, wait for the echo, send the next, and so on.

    seconds: after this time, no client sends a new message, but each client waits for its last
    answer, so that all messages are counted.
    conns: the sockets of the clients. Raises Failed or OSError."""
    # A single client and the server never work at the same time, so they share a core: waking up
    # a sleeping core would take longer than the echo.
    stay_on_core(CORES[0] if len(conns) == 1 else CORES[-1])
    clock, latencies, sent = time.perf_counter_ns, [], {}
    by_number = {conn.fileno(): conn for conn in conns}
    with select.epoll() as epoll:
        for number in by_number:
            epoll.register(number, select.EPOLLIN)
        begin = now = clock()
        end = begin + int(seconds * 1e9)
        for number, conn in by_number.items():
            sent[number] = clock()
            conn.send(MESSAGE)
        while sent:
            for number, event in wait(epoll):
                conn = by_number[number]
                receive(conn)
                now = clock()
                latencies.append(now - sent[number])
                if now < end:
                    sent[number] = now
                    conn.send(MESSAGE)
                else:
                    del sent[number]
    return (now - begin) / 1e9, latencies


def fresh_connections(seconds, server, most):
    """Connect, send a message, wait for its echo, close; SLOTS connections at a time.

    Once `seconds` have passed, or `most` answers have arrived, no new connection is opened, but
    the answers on open connections are still counted. Raises Failed or OSError."""
    stay_on_core(CORES[-1])
    clock, latencies, waiting = time.perf_counter_ns, [], {}
    begin = now = clock()
    end = begin + int(seconds * 1e9)
    try:
        with select.epoll() as epoll:
            while waiting or now < end and len(latencies) < most:
                while len(waiting) < SLOTS and now < end and len(latencies) < most:
                    now = clock()
                    conn = connect(server.address)
                    waiting[conn.fileno()] = conn, now
                    conn.send(MESSAGE)
                    epoll.register(conn, select.EPOLLIN)
                for number, event in wait(epoll):
                    conn, since = waiting[number]
                    receive(conn)
                    del waiting[number]
                    conn.close()
                    now = clock()
                    latencies.append(now - since)
    finally:
        for conn, since in waiting.values():
            conn.close()
    server.settle()                 # what the server does after a client closes is a cost too
    return (now - begin) / 1e9, latencies


def wait(epoll):
    events = epoll.poll(ANSWER_WITHIN)
    if not events:
        raise Failed(f"no answer within {ANSWER_WITHIN} s")
    return events


def stay_on_core(core):
    """Keep this process, which plays the clients, on one core. The servers stay on CORES[0].

    The last core is the best one for clients: it is the least likely to be the same physical core
    as the first (hyper-threading)."""
    os.sched_setaffinity(0, {core})


class Clients:
    """Clients of one server, which has accepted and answered each of them.

    conns: their sockets. memory: the server's memory in KiB before the clients connected.
    """

    def __init__(self, server):
        self.server = server
        self.conns = []
        self.memory = server.memory()

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.close(politely=kind is not KeyboardInterrupt)

    def grow(self, count):
        """Open connections until `count` are open.

        Raises Unsupported if the server cannot serve that many; those that it can serve remain
        open. Raises Failed or OSError."""
        server = self.server
        stay_on_core(CORES[-1])
        while len(self.conns) < count:
            if excuse := server.excuse(count):
                raise Unsupported(excuse)
            try:
                self.connect_some(min(BATCH, count - len(self.conns)))
            except BlockingIOError:                # connect() or receive() took too long
                server.limit = len(self.conns)
                if server.limit == 0:
                    raise Failed(f"no answer within {ANSWER_WITHIN} s") from None
            else:
                self.check_memory()

    def check_memory(self):
        """Raise Unsupported if the server uses more than MEMORY KiB for these connections."""
        count = len(self.conns)
        # Check only now and then: reading the memory is slow if each client has its own process.
        if count % (4 * BATCH) == 0 and self.server.memory() - self.memory > MEMORY:
            raise Unsupported(f"stopped at {count:,} connections: they take {MEMORY >> 20} GiB")

    def connect_some(self, count):
        """Open connections, then wait for an answer on each; close those without an answer."""
        new = []
        try:
            for _ in range(count):
                new.append(connect(self.server.address))
                new[-1].sendall(MESSAGE)
            while new:
                receive(new[0])
                self.conns.append(new.pop(0))
        finally:
            for conn in new:
                conn.close()

    def close(self, politely=True):
        """Close all connections. politely: whether to wait until the server closes its side too.

        Without this wait, the server would close its side in its next turn, and that turn would
        seem to cost more."""
        conns, self.conns = self.conns, []
        try:
            for conn in conns if politely else ():
                conn.shutdown(socket.SHUT_WR)
            for conn in conns if politely else ():
                conn.recv(1)
        except OSError:             # if the server failed or is too slow, its next turn shows it
            pass
        finally:
            for conn in conns:
                conn.close()
        if politely and conns:
            self.server.settle()


def connect(address):
    """Return a connected socket. Raises OSError, or BlockingIOError after ANSWER_WITHIN seconds."""
    conn = socket.socket()
    try:
        # Let the kernel limit each wait: settimeout() would add a system call to each operation.
        limit = struct.pack("ll", ANSWER_WITHIN, 0)                # struct timeval
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conn.connect(address)
        return conn
    except BaseException:
        conn.close()
        raise


def receive(conn):
    """Receive the echo of a message. Raises Failed or OSError."""
    data = conn.recv(len(MESSAGE), socket.MSG_WAITALL)
    if data != MESSAGE:
        raise Failed("sent something else back" if data else "closed the connection")


def raise_descriptor_limit(wanted):
    """Raise the limit on open files to `wanted`, or as far as allowed; return the new limit.

    The servers inherit the limit. They need it too, because a connection takes one descriptor at
    each end."""
    import resource                 # this module does not exist on Windows
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = max(soft, wanted)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit
