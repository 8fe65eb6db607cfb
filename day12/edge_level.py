"""Level trigger reports unread bytes again and again, but edge trigger reports only new bytes.
水平触发：只要还有数据没读就一直报告；边缘触发：有新数据到来才报告。
讲义: epoll方法 · epoll特点 · 触发方式（EPOLLET 边缘触发）

Run:    python day12/edge_level.py

Output:
    one socket, watched by two epoll objects  unread  level trigger  edge trigger
    10 bytes arrive                               10  EPOLLIN        EPOLLIN
    we read 5 of them                              5  EPOLLIN        -
    nothing else happens                           5  EPOLLIN        -
    1 more byte arrives                            6  EPOLLIN        EPOLLIN
    we read until BlockingIOError                  0  -              -
    2 more bytes arrive                            2  EPOLLIN        EPOLLIN
"""
import fcntl
import select
import socket
import struct
import sys
import termios

# Seconds to wait for a report. epoll reports immediately if there is anything to report, so if it
# reports nothing in this time, there is nothing to report.
SILENCE = 0.1


def main():
    if not hasattr(select, "epoll"):
        print("this needs select.epoll: use Linux or WSL · 需要 select.epoll，请用 Linux 或 WSL",
              file=sys.stderr)
        sys.exit(2)
    conn, peer = socket.socketpair()
    with conn, peer, select.epoll() as level, select.epoll() as edge:
        # With a blocking socket, the last recv of drain() would wait for more bytes.
        conn.setblocking(False)
        # The default is level trigger. 默认是水平触发，加上 EPOLLET 才是边缘触发
        level.register(conn, select.EPOLLIN)
        edge.register(conn, select.EPOLLIN | select.EPOLLET)
        print("one socket, watched by two epoll objects  unread  level trigger  edge trigger")

        peer.sendall(b"0123456789")
        show("10 bytes arrive", conn, level, edge, expected=(10, "EPOLLIN", "EPOLLIN"))
        conn.recv(5)
        show("we read 5 of them", conn, level, edge, expected=(5, "EPOLLIN", "-"))
        # With edge trigger, a server that reads only once per event would hang here: the server
        # waits for an event, but the client has sent the complete request and waits for the answer.
        # 边缘触发时每次事件只读一次的服务器会卡在这里：它等事件，客户端等响应
        show("nothing else happens", conn, level, edge, expected=(5, "EPOLLIN", "-"))
        peer.sendall(b"a")
        show("1 more byte arrives", conn, level, edge, expected=(6, "EPOLLIN", "EPOLLIN"))
        drain(conn)
        show("we read until BlockingIOError", conn, level, edge, expected=(0, "-", "-"))
        peer.sendall(b"bc")
        show("2 more bytes arrive", conn, level, edge, expected=(2, "EPOLLIN", "EPOLLIN"))


def drain(conn):
    """Read until no bytes are left, as edge trigger requires after each event."""
    while True:
        try:
            conn.recv(5)
        except BlockingIOError:
            # EAGAIN: no bytes are left
            return


def show(what, conn, level, edge, expected):
    """Print how many bytes are unread (FIONREAD), and what each epoll object reports."""
    [unread] = struct.unpack("i", fcntl.ioctl(conn, termios.FIONREAD, bytes(4)))
    came = unread, report_of(level), report_of(edge)
    print(f"{what:40}  {came[0]:6}  {came[1]:13}  {came[2]}")
    assert came == expected, f"expected (unread, level, edge) {expected}, got {came}"


def report_of(epoll):
    """Return "EPOLLIN" if the epoll object reports the socket, or "-" if it reports nothing."""
    events = epoll.poll(SILENCE)
    return "EPOLLIN" if events else "-"


if __name__ == "__main__":
    main()
