"""Read everything that arrives on several connections, with edge-triggered epoll.
用边缘触发的 epoll 读取几个连接上的全部数据。
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
            try:
                # Each edge comes once: read until nothing is left. 边缘只通知一次：读到没有为止
                while data := by_fd[fd].recv(4):
                    received[by_fd[fd]] += data
                poller.unregister(by_fd.pop(fd))
            except BlockingIOError:
                pass
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
