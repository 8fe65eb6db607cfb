"""A hostile client: it sends in small pieces, stops half-way, and checks each byte that it receives.
不怀好意的客户端：一小块一小块地发，中途停下，并核对每个字节。"""
import array
import contextlib
import fcntl
import socket
import termios
import time


@contextlib.contextmanager
def pair():
    """Yield two connected sockets, (ours, theirs). When send() on one returns, the bytes have arrived at the other."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def unread(conn):
    """Return how many bytes have arrived at a socket and have not been received yet; 0 if the socket is closed."""
    count = array.array("i", [0])
    with contextlib.suppress(OSError, ValueError):
        fcntl.ioctl(conn.fileno(), termios.FIONREAD, count)
    return count[0]


def feed(call, ours, theirs, pieces):
    """Send the pieces one by one, and wait until the program has received each piece, or has closed its socket."""
    for piece in pieces:
        with contextlib.suppress(ConnectionError):
            ours.sendall(piece)
        call.until(lambda: not unread(theirs))


def receive(call, ours, count):
    """Return the next `count` bytes that the call sends, or fewer if the call ends or closes its socket."""
    data, ours_is_open = b"", True
    ours.setblocking(False)
    while len(data) < count and ours_is_open:
        call.until(lambda: unread(ours) or has_ended(ours))
        try:
            piece = ours.recv(1 << 16)
            data, ours_is_open = data + piece, bool(piece)
        except BlockingIOError:
            if call.is_over:
                break
        except ConnectionResetError:               # the program has closed its socket, but not received all bytes
            break
    if call.is_over and call.error:
        call.result()                              # raises the exception that ended the call
    return data


def has_ended(conn):
    """Return whether the other side will send no more bytes (EOF or a reset)."""
    try:
        return conn.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class Reluctant(socket.socket):
    """A socket whose send() takes at most 100 bytes at a time, as a kernel may do; sendall() continues until all is sent."""

    def send(self, data, flags=0):
        return super().send(memoryview(data)[:100], flags)


def reluctant(conn):
    return Reluctant(conn.family, conn.type, conn.proto, fileno=conn.detach())


def connect(port, seconds=10):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=seconds)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
