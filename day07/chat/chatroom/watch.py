"""Show who joins and leaves on the server's terminal.
谁进来、谁离开：显示在服务器的终端上

The parent serves the room and must not wait for a terminal that is slow, stopped (Ctrl-S) or
closed. So the parent hands each line to the child and goes on. The child reads from the terminal,
and therefore knows which half-typed line is on the screen. Lines that the child does not take in
time are dropped.
父进程从不等待终端：交不出去的行就丢掉。
"""
import contextlib
import socket

from chatroom.text import one_line

LOOK = 0.1                      # seconds; the child looks for new lines this often
LINES_PER_LOOK = 100            # after this many lines, the child goes back to the keyboard
MAX_LINE = 1000                 # bytes; a name has at most 32 characters


class Watch:
    """Hands lines from the parent, which serves the room, to the child, which shows them."""

    def __init__(self):
        self.for_room, self.for_child = socket.socketpair(type=socket.SOCK_DGRAM)

    def tell(self, name, what, members):
        """In the parent: send the child a line: what a member did, and how many are in the room."""
        line = f"{one_line(name)} {what} -> {members} in the room"
        with contextlib.suppress(OSError):
            self.for_room.send(line.encode(), socket.MSG_DONTWAIT)

    def show(self, terminal):
        """In the child: show the lines that have arrived; if the terminal fails, drop them."""
        with contextlib.suppress(OSError):
            for _ in range(LINES_PER_LOOK):
                line = self.for_child.recv(MAX_LINE, socket.MSG_DONTWAIT).decode()
                terminal.show(line)


def host_and_port(address):
    """Return a socket address as text, such as 127.0.0.1:8888 or [::1]:8888."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
