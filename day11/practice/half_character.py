"""Receive UTF-8 text until the sender closes the connection, without losing a character.
接收 UTF-8 文本，直到发送方关闭连接；一个字也不能丢。

Run:    python day11/practice/half_character.py
You see: UnicodeDecodeError: the first recv() returned half a character.
看到：UnicodeDecodeError：第一次 recv() 只得到半个字。
"""
import socket


def receive_text(conn):
    text = ""
    while data := conn.recv(1024):
        text += data.decode("utf-8")
    return text


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
