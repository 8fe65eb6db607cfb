"""Yield each line that a client sends, however TCP has cut the bytes.
无论 TCP 怎样切分字节，都逐行产出客户端发送的每一行。
"""
import socket


def lines(conn):
    """Yield each line without its newline, until the client closes the connection."""
    # Received bytes that are not yet a whole line. 已经收到、但还不是完整一行的部分
    rest = b""
    while data := conn.recv(1024):
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode()


def main():
    client, server = socket.socketpair()
    with client, server:
        client.sendall(b"hel")
        client.sendall(b"lo\n")
        client.sendall(b"one\ntwo\n")
        client.shutdown(socket.SHUT_WR)
        for line in lines(server):
            print("a line:", repr(line))


if __name__ == "__main__":
    main()
