"""The control connection: command lines come in, replies go out.
控制连接：命令逐行到来，应答逐条发出
"""
import re
import select
import socket
import struct

from ftpd.names import to_wire

# Bytes of a command line.
MAX_LINE = 8192


class Reply(Exception):
    """Ends a command at once, with this reply: code, text."""


class Gone(Exception):
    """The client has closed the control connection."""


class Control:
    """The control connection of one client.

    timeout: seconds. After that time without a byte, receive and send raise BlockingIOError.
    """

    def __init__(self, conn, timeout):
        self.conn = conn
        self.timeout = timeout
        # Of IPv6 four values: an address of a link (fe80::…) means something only with its scope.
        self.peer = conn.getpeername()
        self.buffer = b""
        # Whether the rest of a line that was too long is being skipped.
        self.skipping = False
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Some clients send ABOR as urgent data: leave those bytes in the stream.
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        # The kernel's own time limit: settimeout would call poll before each recv and send.
        limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1e6))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            conn.setsockopt(socket.SOL_SOCKET, option, limit)

    def receive(self):
        """Receive what there is. Raises Gone at EOF, BlockingIOError if nothing comes in time."""
        data = self.conn.recv(MAX_LINE)
        if not data:
            raise Gone
        self.buffer += data

    def next_line(self):
        """Take a line from what was received: text, or None if there is no complete line.

        TCP keeps no boundaries (message framing, 粘包): one recv may return half a line, or three.
        Raises Reply for a line that is too long.
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
        # Telnet's commands (RFC 854) begin with IAC, byte 255. Drop IAC WILL, WONT, DO or DONT with
        # its option, and IAC with any other byte; IAC IAC stands for one byte 255.
        if b"\xff" in line:
            line = re.sub(rb"\xff(?:[\xfb-\xfe].?|(\xff)|.)", rb"\1", line)
        return line.decode("utf-8", "surrogateescape")

    def send(self, code, text, flags=0):
        """Send a reply. A text of several lines is sent as RFC 959, 4.2 says."""
        first, *lines = text.split("\n")
        if lines:
            text = "\r\n".join([f"{code}-{first}", *lines[:-1], f"{code} {lines[-1]}"])
        else:
            text = f"{code} {first}"
        self.conn.sendall(to_wire(f"{text}\r\n"), flags)

    def wait(self, sock, event, timeout):
        """Wait until another socket is ready; obey the client if it sends ABOR before that.

        event: select.POLLIN or POLLOUT.  timeout: seconds.
        Raises TimeoutError (here a client that is too slow is thrown out), Reply or Gone.
        等待另一个套接字就绪，同时留意客户端的 ABOR；太慢的客户端在这里被断开
        """
        poll = select.poll()
        poll.register(sock, event)
        # Commands wait in the buffer until the transfer is over. When it is full, receive no more:
        # then the client's own sending stops (backpressure).
        if len(self.buffer) < MAX_LINE:
            poll.register(self.conn, select.POLLIN)
        ready = [fd for fd, _ in poll.poll(max(0, timeout) * 1000)]
        if not ready:
            raise TimeoutError("no progress")
        if self.conn.fileno() in ready:
            self.receive_during_transfer()

    def receive_during_transfer(self):
        """Raises Reply if the client aborts the transfer, Gone if it closes the connection."""
        self.receive()
        # The command may follow signals of Telnet, IAC IP IAC DM (RFC 959, 4.1.3).
        if re.match(rb"[\xf2-\xff]*ABOR\r?\n", self.buffer, re.IGNORECASE):
            self.next_line()
            self.send(426, "Transfer aborted")
            raise Reply(226, "Abort successful")

    def has_input(self, timeout):
        """Whether the client sends anything, or closes the connection, within so many seconds."""
        poll = select.poll()
        poll.register(self.conn, select.POLLIN)
        return bool(poll.poll(1000 * timeout))
