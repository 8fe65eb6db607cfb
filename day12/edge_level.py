"""Level trigger reports as long as there is something to read, edge trigger when something new has come: side by side.
epoll方法 · epoll特点 · 触发方式（EPOLLET 边缘触发）

Run:    python day12/edge_level.py

Output:
    one socket, watched by two epoll objects  unread  level trigger  edge trigger
    10 bytes have come                            10  EPOLLIN        EPOLLIN
    we have read 5 of them                         5  EPOLLIN        -
    nothing has happened                           5  EPOLLIN        -
    1 more has come                                6  EPOLLIN        EPOLLIN
    we have read until BlockingIOError             0  -              -
    2 more have come                               2  EPOLLIN        EPOLLIN
"""
import fcntl
import select
import socket
import struct
import termios

SILENCE = 0.1                                      # seconds; an event that there is comes at once


def main():
    conn, peer = socket.socketpair()
    with conn, peer, select.epoll() as level, select.epoll() as edge:
        conn.setblocking(False)                    # or to read until there is no more would mean to wait for more
        level.register(conn, select.EPOLLIN)       # the default
        edge.register(conn, select.EPOLLIN | select.EPOLLET)
        print("one socket, watched by two epoll objects  unread  level trigger  edge trigger")

        peer.sendall(b"0123456789")
        show("10 bytes have come", conn, level, edge, expected=(10, "EPOLLIN", "EPOLLIN"))
        conn.recv(5)
        show("we have read 5 of them", conn, level, edge, expected=(5, "EPOLLIN", "-"))
        # A server that reads once for each event stops here for ever, if it uses edge trigger: it waits for an event, and
        # its client, which has sent all of its request, for the answer.
        show("nothing has happened", conn, level, edge, expected=(5, "EPOLLIN", "-"))
        peer.sendall(b"a")
        show("1 more has come", conn, level, edge, expected=(6, "EPOLLIN", "EPOLLIN"))
        drain(conn)
        show("we have read until BlockingIOError", conn, level, edge, expected=(0, "-", "-"))
        peer.sendall(b"bc")
        show("2 more have come", conn, level, edge, expected=(2, "EPOLLIN", "EPOLLIN"))


def drain(conn):
    """Read all that there is, which edge trigger demands after each event."""
    while True:
        try:
            conn.recv(5)
        except BlockingIOError:                    # EAGAIN
            return


def show(what, conn, level, edge, expected):
    """Ask the kernel how many bytes are unread, and each epoll object what it reports."""
    [unread] = struct.unpack("i", fcntl.ioctl(conn, termios.FIONREAD, bytes(4)))
    reports = [epoll.poll(SILENCE) for epoll in (level, edge)]
    marks = ["EPOLLIN" if report == [(conn.fileno(), select.EPOLLIN)] else "-" for report in reports]
    print(f"{what:40}  {unread:6}  {marks[0]:13}  {marks[1]}")
    assert (unread, *marks) == expected


if __name__ == "__main__":
    main()
