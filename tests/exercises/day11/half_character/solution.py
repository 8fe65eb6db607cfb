"""Receive UTF-8 text until the sender closes the connection, without losing a character.
接收 UTF-8 文本，直到发送方关闭连接；一个字也不能丢。
"""
import socket


def receive_text(conn):
    # Collect all bytes first: a piece may end inside a character. 先收集字节，最后一起解码
    received = b""
    while data := conn.recv(1024):
        received += data
    return received.decode("utf-8")


def main():
    client, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with client, server:
        data = "你好".encode("utf-8")
        client.send(data[:4])
        client.send(data[4:])
        client.close()
        print("received:", receive_text(server))


if __name__ == "__main__":
    main()
