"""The class's clients: they connect, speak, keep silent, send half, stop reading, reset, leave.
课堂的客户端：连接、说话、沉默、只发一半、不读、重置、离开。

The clients' sockets never block. The thread of the run waits with epoll for these sockets and for
the output of the server. The thread of the HTTP server calls do() when the page asks for an action.
Each of these two threads holds the lock of the run while it executes code in this module.
"""
import contextlib
import errno
import functools
import os
import select
import socket
import struct
import time

from classroomd.problem import Problem

# MAX_OPEN: maximum open clients per run. SIZE: bytes to receive at once. FLOOD: bytes of a flood,
# more than the kernel can buffer for a connection.
MAX_OPEN, SIZE, FLOOD = 20, 1 << 16, 48 << 20
# The size in bytes of a client's socket buffers: small, so that the buffers fill up soon.
BUFFER = 1 << 14
# From <asm/socket.h>: with this option, the kernel notes when bytes arrive (struct timespec).
SO_TIMESTAMPNS = 35
TIMESPEC = struct.Struct("@ll")
# Maximum lines of a transcript (MAX_LINES), and characters of a line (MAX_TEXT).
MAX_LINES, MAX_TEXT = 40, 2000
FIN_OR_RST = "the server has closed the connection · 服务器关闭了连接"


def encode(protocol, text):
    """Return the bytes that a client sends when it says `text`."""
    if protocol == "http":
        return f"{text} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return f"{text}\r\n".encode() if protocol == "ftp" else f"{text}\n".encode()


@functools.cache
def flood():
    """Return the bytes of a flood. All clients share one copy of these bytes."""
    return b"x" * (FLOOD - 1) + b"\n"


def arrival(ancillary):
    """Return the time at which bytes arrived, in seconds since 1970.

    ancillary: from recvmsg. The kernel notes the time, so it is right even if the classroom is busy
    and reads the bytes later.
    由内核记下到达的时刻，本程序忙不忙都不影响回显时间。
    """
    for _, _, data in ancillary:
        seconds, nanoseconds = TIMESPEC.unpack(data)
        return seconds + nanoseconds / 1e9
    return time.time()


class Client:
    """A client and its connection to a server.

    number: the client's number in the run.  address: (host, port) of the server.  protocol: "echo",
    "http" or "ftp".  epoll: the run's epoll object.  Raises OSError if connect fails immediately.
    """

    def __init__(self, number, address, protocol, epoll):
        self.number, self.protocol, self.epoll = number, protocol, epoll
        self.reads, self.echo_ms = True, None
        # unsent: memoryviews of bytes still to send.  rest: the half that half() has not sent.
        self.transcript, self.unsent, self.rest = [], [], b""
        # The messages not yet answered, each as (number of bytes, time of sending, first bytes).
        self.pending = []
        # came: how many bytes of the answer to pending[0] have arrived. answer: its first bytes.
        self.came, self.answer = 0, b""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.fd = self.sock.fileno()
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self.sock.setsockopt(socket.SOL_SOCKET, buffer, BUFFER)
        error = self.sock.connect_ex(address)
        if error not in (0, errno.EINPROGRESS):
            self.sock.close()
            raise OSError(error, os.strerror(error))
        self.local = "{}:{}".format(*self.sock.getsockname()[:2])
        # The kernel completes the connection even before the server accepts it, unless the server's
        # queue is full. 内核完成连接（队列满时除外），服务器可能还没有 accept。
        self.state = "waiting" if error else "open"
        self.note("connects · 连接")
        epoll.register(self.fd, select.EPOLLIN | select.EPOLLOUT * bool(error))

    @property
    def is_open(self):
        return self.state in ("waiting", "open")

    def as_dict(self):
        pending = b"".join(text for _, _, text in self.pending)
        return {"client": self.number, "state": self.state, "reads": self.reads,
                "local": self.local, "pending": pending.decode(errors="replace").strip()[:80],
                "unsent": sum(map(len, self.unsent)), "echo_ms": self.echo_ms,
                "transcript": self.transcript[-MAX_LINES:]}

    def note(self, text, who="note", **more):
        """Add a line to the transcript."""
        self.transcript.append({"at": time.monotonic(), "who": who, "text": text[:MAX_TEXT],
                                **more})
        del self.transcript[:-MAX_LINES]

    # The actions that the page asks for

    def do(self, action, text):
        """Do an action. action: a key of ACTIONS.  text: what to send.  Raises Problem."""
        if not self.is_open:
            raise Problem(409, f"client {self.number} is no longer connected",
                          f"客户端 {self.number} 的连接已经断开")
        if action not in ACTIONS:
            raise Problem(400, f"no such action: {action[:40]}", "没有这个动作")
        with self.ending_with_connection():
            ACTIONS[action](self, text)

    def say(self, text):
        self.send(encode(self.protocol, text), text)

    def half(self, text):
        data = encode(self.protocol, text)
        self.rest = data[len(data) // 2:]
        self.send(data[:len(data) // 2], f"{data[:len(data) // 2].decode(errors='replace')} ...")

    def send_rest(self, text):
        data, self.rest = self.rest, b""
        self.send(data, f"... {data.decode(errors='replace').strip()}")

    def silent(self, text):
        self.note("says nothing · 什么也不说")

    def stop_reading(self, text):
        self.reads = False
        self.note("stops reading · 停止接收")
        self.wait()

    def read_on(self, text):
        self.reads = True
        self.note("reads again · 继续接收")
        self.wait()

    def end(self, text):
        self.sock.shutdown(socket.SHUT_WR)
        self.note("stops sending (FIN) · 停止发送（FIN）")

    def reset(self, text):
        # With a linger time of 0 seconds, close sends RST instead of FIN. 发送 RST 而不是 FIN
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.note("resets the connection (RST) · 重置连接（RST）")
        self.close("reset")

    def leave(self, text):
        self.note("leaves · 离开")
        self.close("left")

    def flood(self, text):
        self.send(flood(), f"{FLOOD:,} bytes · 字节")

    # The connection

    @contextlib.contextmanager
    def ending_with_connection(self):
        """If the with block raises OSError, end only this client; ignore a BlockingIOError."""
        try:
            yield
        except BlockingIOError:
            pass
        except OSError as error:
            self.note(f"{os.strerror(error.errno)} · 连接断开")
            self.close("ended")

    def send(self, data, text):
        """Send as much data as the send buffer has room for now, and the rest later.

        text: the line for the transcript.
        """
        if data:
            self.note(text, "client")
            self.pending.append((len(data), time.time(), data[:MAX_TEXT]))
            self.unsent.append(memoryview(data))
            self.state = "waiting"
            self.flush()
            self.wait()

    def flush(self):
        with contextlib.suppress(BlockingIOError):
            while self.unsent:
                self.unsent[0] = self.unsent[0][self.sock.send(self.unsent[0]):]
                if not self.unsent[0]:
                    del self.unsent[0]

    def wait(self):
        """Tell epoll which events to report for this client."""
        if self.is_open:
            events = select.EPOLLIN * self.reads | select.EPOLLOUT * bool(self.unsent)
            self.epoll.modify(self.fd, events)

    def handle(self, events):
        """Handle the events that epoll reported. The thread of the run calls this method."""
        with self.ending_with_connection():
            if events & select.EPOLLOUT:
                self.flush()
                self.wait()
                self.state = "waiting" if self.pending else "open"
            if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                data, ancillary, _, _ = self.sock.recvmsg(SIZE, socket.CMSG_SPACE(TIMESPEC.size))
                if not data:
                    self.note(FIN_OR_RST)
                    self.close("ended")
                else:
                    self.take(data, arrival(ancillary))

    def take(self, data, now):
        """Count and collect data from the server.

        now: when the data arrived, in seconds since 1970. An echo is complete when all
        bytes of the message have come back.
        """
        while data:
            is_echo = self.protocol == "echo" and self.pending
            count = min(self.pending[0][0] - self.came, len(data)) if is_echo else len(data)
            self.came += count
            self.answer += data[:min(count, MAX_TEXT - len(self.answer))]
            data = data[count:]
            if not is_echo or self.came == self.pending[0][0]:
                self.note_answer(now)
        if not self.pending:
            self.state = "open"

    def note_answer(self, now):
        """Add the server's answer to the transcript, with its delay if a message was pending."""
        text, self.came, self.answer = self.answer, 0, b""
        text = text.decode(errors="replace").rstrip("\r\n")
        if self.pending:
            self.echo_ms = round(1e3 * max(0, now - self.pending.pop(0)[1]), 3)
            self.note(text, "server", ms=self.echo_ms)
        else:
            self.note(text, "server")

    def close(self, state):
        """Close the connection, unless it is already closed."""
        if self.is_open:
            self.state = state
            self.unsent.clear()
            self.pending.clear()
            self.epoll.unregister(self.fd)
            self.sock.close()


ACTIONS = {"say": Client.say, "half": Client.half, "rest": Client.send_rest, "end": Client.end,
           "silent": Client.silent, "stop reading": Client.stop_reading, "flood": Client.flood,
           "read on": Client.read_on, "reset": Client.reset, "leave": Client.leave}
