"""The data connection: PASV or PORT prepares it, then it carries one file or one listing.
数据连接：先由 PASV 或 PORT 约定在哪里建立，再用它传一个文件或一份列表
"""
import contextlib
import errno
import ipaddress
import mmap
import os
import select
import socket
import time

from ftpd.control import Reply
from ftpd.library import write_all

# Seconds to wait for a data connection.
CONNECT_TIMEOUT = 30
# Seconds to wait at the end of an upload, in case the client disconnects or aborts.
GRACE = 0.005
# Maximum number of bytes in one call to send (CHUNK), and in one call to recv (BUFFER).
CHUNK = 1 << 20
BUFFER = 1 << 18
# A file or listing of at most this many bytes is sent in one piece.
SMALL = 1 << 16


class DataPort:
    """Opens the data connections of one session, one for each transfer."""

    def __init__(self, control):
        self.control = control
        # The listening socket of passive mode, which is kept for the next PASV.
        self.listener = None
        # How to open the next connection: None (refuse), "passive", or the client's address.
        self.peer = None
        # True after EPSV ALL (RFC 2428): the client must not use PASV, PORT or EPRT any more.
        self.only_epsv = False

    def listen(self):
        """Listen for the next data connection on a port of this session; return (host, port)."""
        if not self.listener:
            host, _, *scope = self.control.conn.getsockname()
            family = self.control.conn.family
            # create_server sets SO_REUSEADDR: connections in TIME_WAIT do not block a port.
            self.listener = socket.create_server((host, 0, *scope), family=family)
            self.listener.setblocking(False)
            self.address = self.listener.getsockname()[:2]
        # Close connections that arrived before this PASV: they belong to earlier transfers.
        with contextlib.suppress(BlockingIOError):
            while True:
                self.listener.accept()[0].close()
        self.peer = "passive"
        return self.address

    def connect_to(self, host, port):
        """Prepare a data connection to this address of the client; return a reply.

        Refuse every host except the client's own, and ports below 1024, where services listen:
        otherwise, a client could use this server to attack others (FTP bounce, RFC 2577).
        """
        if self.only_epsv:
            return 501, "Not allowed after EPSV ALL"
        own, _, *scope = self.control.peer
        if not is_same(host, own):
            return 501, "The address must be your own"
        if not 1024 <= port <= 65535:
            return 501, "The port must be from 1024 to 65535"
        self.close()
        self.peer = (own, port, *scope)
        return 200, "OK"

    def close(self):
        """Forget the last PASV or PORT, and stop listening."""
        self.peer = None
        if self.listener:
            self.listener.close()
            self.listener = None

    @contextlib.contextmanager
    def open(self, what, small=False):
        """Open the data connection, send the 150 reply and yield a DataConnection.

        what: a name for the data, shown in the reply.  small: True if the transfer takes only a
        moment, so that the 150 reply can travel in one packet with the next reply.
        Raises Reply if the connection cannot be opened, or breaks.
        """
        # Each PASV or PORT is valid for one transfer.
        peer, self.peer = self.peer, None
        if peer is None:
            raise Reply(425, "Send PASV or PORT first")
        try:
            if peer == "passive":
                conn = self.accept()
            else:
                conn = self.connect(peer)
        except OSError as error:
            reason = error.strerror or error
            raise Reply(425, f"Cannot open the data connection: {reason}") from None
        with conn:
            conn.setblocking(False)
            # MSG_MORE: wait for more data before sending a packet. Only Linux has this flag.
            flags = getattr(socket, "MSG_MORE", 0) if small else 0
            self.control.send(150, f"Opening data connection for {what}", flags)
            try:
                yield DataConnection(conn, self.control)
            except (ConnectionError, TimeoutError) as error:
                reason = error.strerror or error
                raise Reply(426, f"Data connection failed: {reason}") from None

    def accept(self):
        """Wait for the client's connection. Raises TimeoutError, Reply or Gone."""
        deadline = time.monotonic() + CONNECT_TIMEOUT
        while True:
            try:
                conn, address = self.listener.accept()
            except BlockingIOError:
                timeout = deadline - time.monotonic()
                self.control.wait(self.listener, select.POLLIN, timeout)
                continue
            if address[0] == self.control.peer[0]:
                return conn
            # This connection comes from another host, which guessed the port.
            conn.close()

    def connect(self, peer):
        """Return a socket that is connected to the client, at this address. Raises OSError."""
        conn = socket.socket(self.control.conn.family, socket.SOCK_STREAM)
        try:
            conn.settimeout(CONNECT_TIMEOUT)
            conn.connect(peer)
        except BaseException:
            conn.close()
            raise
        return conn


def is_same(host, own):
    """Return whether `host`, an unchecked string from the client, is the IP address `own`."""
    try:
        # Some clients append a scope, which is valid only on their own machine: fe80::1%eth0.
        return ipaddress.ip_address(host.partition("%")[0]) == ipaddress.ip_address(own)
    except ValueError:
        return False


class DataConnection:
    """Carries one file or listing. Its socket is non-blocking: Control.wait does the waiting, and
    watches for ABOR.

    All methods raise TimeoutError if the transfer makes no progress. Like Control.wait, they can
    also raise Reply and Gone.
    """

    def __init__(self, conn, control):
        self.conn = conn
        self.control = control

    def wait(self, event):
        self.control.wait(self.conn, event, self.control.timeout)

    def send_bytes(self, data):
        left = memoryview(data)
        while left:
            try:
                left = left[self.conn.send(left):]
            except BlockingIOError:
                # The send buffer is full: the client reads more slowly than we send (backpressure).
                self.wait(select.POLLOUT)

    def send_file(self, fd, offset, size):
        """Send an open file, beginning at offset. Raises Reply if the file has become shorter."""
        if size - offset <= SMALL:
            data = os.pread(fd, size - offset, offset)
            self.send_bytes(data)
            offset += len(data)
        else:
            offset = self.send_mapped(fd, offset, size)
        if offset < size:
            raise Reply(451, "The file became shorter")

    def send_mapped(self, fd, offset, size):
        """Send a large file; return the offset that was reached: size, unless the file shrank.

        Why not sendfile? sendfile copies nothing, but hands over the file page by page, and single
        pages slow the receiver down. Over loopback, it is faster to map the file and call send,
        although send copies. MAP_PRIVATE also works on file systems that refuse MAP_SHARED.
        """
        # If the file became shorter, mmap raises ValueError, or send fails with EFAULT.
        with contextlib.suppress(ValueError), \
                mmap.mmap(fd, size, mmap.MAP_PRIVATE, mmap.PROT_READ) as mapped, \
                memoryview(mapped) as view:
            while offset < size:
                try:
                    offset += self.conn.send(view[offset:offset + CHUNK])
                except BlockingIOError:
                    self.wait(select.POLLOUT)
                except OSError as error:
                    if error.errno != errno.EFAULT:
                        raise
                    break
        # If only the end of the last page is missing, send does not fail, but sends zeros.
        return min(offset, os.fstat(fd).st_size)

    def receive_file(self, fd, size, promised):
        """Receive until EOF, and append to an open file that already has `size` bytes.

        promised: the size that the client announced with ALLO, or None.
        Raises Reply if the file is not complete.
        """
        buffer = memoryview(bytearray(BUFFER))
        while True:
            try:
                count = self.conn.recv_into(buffer)
            except BlockingIOError:
                self.wait(select.POLLIN)
                continue
            if count == 0:
                break
            write_all(fd, buffer[:count])
            size += count
        # EOF can mean that the file is complete, or that the client was killed. After ALLO, the
        # size shows whether the file is complete. Without ALLO, wait a moment: if the client was
        # killed, the kernel also closes the client's control connection.
        # 文件结束与客户端被杀死看起来一样，都是 EOF；用 ALLO 或控制连接来区分
        if promised is None:
            if self.control.has_input(GRACE):
                self.control.receive_during_transfer()
        elif size < promised:
            raise Reply(426, f"ALLO announced {promised} bytes, but the file has {size}")
