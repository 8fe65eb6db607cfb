"""Read everything that arrives on several connections, with edge-triggered epoll.
用边缘触发的 epoll 读取几个连接上的全部数据。

Run:    python day12/practice/edge_once.py
You see: nothing, because unread bytes cause no new event (end the program with Ctrl-C).
看到：永远没有动静：剩下的字节不是新事件（用 Ctrl-C 结束）。
"""
import select
import socket


def receive(conns):
    """Read until all connections have ended; return what each one sent, in the order of conns."""
    poller = select.epoll()
    by_fd, received = {}, {}
    for conn in conns:
        conn.setblocking(False)
        poller.register(conn, select.EPOLLIN | select.EPOLLET)
        by_fd[conn.fileno()], received[conn] = conn, b""
    while by_fd:
        for fd, event in poller.poll():
            data = by_fd[fd].recv(4)
            received[by_fd[fd]] += data
            if not data:
                poller.unregister(by_fd.pop(fd))
    poller.close()
    return [received[conn] for conn in conns]


def main():
    client, server = socket.socketpair()
    with client, server:
        client.sendall(b"ten bytes.")
        client.shutdown(socket.SHUT_WR)
        print("received:", receive([server]))


if __name__ == "__main__":
    main()
