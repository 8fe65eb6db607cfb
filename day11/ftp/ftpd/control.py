"""The control connection: it receives command lines and sends replies.
控制连接：逐行接收命令，逐条发出应答
"""
import contextlib
import re
import select
import socket
import struct

from ftpd.names import to_wire

# Maximum number of bytes in a command line.
MAX_LINE = 8192


class Reply(Exception):
    """Raise Reply(code, text) to end a command immediately with this reply."""


class Gone(Exception):
    """The client closed or reset the control connection."""


class Control:
    """The control connection of one client.

    timeout: if no byte can be received or sent for this many seconds, BlockingIOError is raised.
    """

    def __init__(self, conn, timeout):
        self.conn = conn
        self.timeout = timeout
        # With IPv6, the address is (host, port, flow, scope): a link-local host, fe80::…, is valid
        # only together with its scope.
        self.peer = conn.getpeername()
        self.buffer = b""
        # True while the server skips the rest of a line that was too long.
        self.skipping = False
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Some clients send ABOR as urgent data: leave those bytes in the stream.
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        # Let the kernel enforce the time limit: with settimeout, Python would call poll before each
        # recv and send.
        limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1e6))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            conn.setsockopt(socket.SOL_SOCKET, option, limit)

    def receive(self):
        """Receive what has arrived. Raises BlockingIOError after the time limit.

        Raises Gone at EOF, or if the client has reset the connection.
        """
        data = b""
        with contextlib.suppress(ConnectionError):
            data = self.conn.recv(MAX_LINE)
        if not data:
            raise Gone
        self.buffer += data

    def next_line(self):
        """Take one line from the buffer and return its text, or None if no line is complete yet.

        TCP keeps no message boundaries (粘包), so the newline is our message framing: one recv can
        return half a line, or three lines.
        Raises Reply if the line is too long.
        """
        line, newline, rest = self.buffer.partition(b"\n")
        if not newline:
            if len(line) > MAX_LINE:
                self.buffer, self.skipping = b"", True
            return None
        self.buffer = rest
        if self.skipping or len(line) > MAX_LINE:
            self.skipping = False
            raise Reply(500, "Line too long")
        line = line.removesuffix(b"\r")
        # Telnet's commands (RFC 854) begin with IAC, byte 255. Drop IAC WILL, WONT, DO or DONT and
        # the option byte that follows. Replace IAC IAC with one byte 255. Drop IAC together
        # with any other byte that follows it.
        if b"\xff" in line:
            line = re.sub(rb"\xff(?:[\xfb-\xfe].?|(\xff)|.)", rb"\1", line)
        return line.decode("utf-8", "surrogateescape")

    def send(self, code, text, flags=0):
        """Send a reply. Several lines of text are formatted as in RFC 959, section 4.2.

        flags: as in socket.send, such as MSG_MORE.
        """
        first, *lines = text.split("\n")
        if lines:
            text = "\r\n".join([f"{code}-{first}", *lines[:-1], f"{code} {lines[-1]}"])
        else:
            text = f"{code} {first}"
        self.conn.sendall(to_wire(f"{text}\r\n"), flags)

    def wait(self, sock, event, timeout):
        """Wait until another socket is ready, and watch for ABOR from the client.

        event: select.POLLIN or POLLOUT.  timeout: seconds.
        Raises TimeoutError if nothing happens in time, to end a transfer that makes no progress.
        Raises Reply if the client aborts, Gone if the client disconnects.
        等待另一个套接字就绪，同时留意客户端的 ABOR；停滞的传输在这里中断
        """
        # ABOR may have arrived in one piece with the command that it aborts.
        # ABOR 可能和它要中止的命令一起到达
        self.obey_abort()
        poll = select.poll()
        poll.register(sock, event)
        # Commands wait in the buffer until the transfer ends. When the buffer is full, stop
        # receiving, so that the client must stop sending too (backpressure).
        if len(self.buffer) < MAX_LINE:
            poll.register(self.conn, select.POLLIN)
        ready = [fd for fd, _ in poll.poll(max(0, timeout) * 1000)]
        if not ready:
            raise TimeoutError("no progress")
        if self.conn.fileno() in ready:
            self.receive_during_transfer()

    def receive_during_transfer(self):
        """Receive commands. Raises Reply after ABOR, Gone at EOF."""
        self.receive()
        self.obey_abort()

    def obey_abort(self):
        """Raise Reply if the next command in the buffer is ABOR."""
        # Telnet's signals, IAC IP IAC DM, can come before the command (RFC 959, 4.1.3).
        if re.match(rb"[\xf2-\xff]*ABOR\r?\n", self.buffer, re.IGNORECASE):
            self.next_line()
            self.send(426, "Transfer aborted")
            raise Reply(226, "Abort successful")

    def has_input(self, timeout):
        """Return whether the client sends anything, or disconnects, within timeout (seconds)."""
        poll = select.poll()
        poll.register(self.conn, select.POLLIN)
        return bool(poll.poll(1000 * timeout))
