"""Yield each line that a client sends, however TCP has cut the bytes.
无论 TCP 怎样切分字节，都逐行产出客户端发送的每一行。

Run:    python day11/practice/one_message.py
You see: 'hel', 'lo', 'one\\ntwo': pieces instead of lines.
看到：'hel'、'lo'、'one\\ntwo'：是片段，不是行。
"""
import socket


def lines(conn):
    """Yield each line without its newline, until the client closes the connection."""
    while data := conn.recv(1024):
        yield data.decode().rstrip("\n")


def main():
    client, server = socket.socketpair()
    with client, server:
        client.sendall(b"hel")
        reader = lines(server)
        print("a line:", repr(next(reader)))
        client.sendall(b"lo\n")
        print("a line:", repr(next(reader)))
        client.sendall(b"one\ntwo\n")
        client.shutdown(socket.SHUT_WR)
        for line in reader:
            print("a line:", repr(line))


if __name__ == "__main__":
    main()
