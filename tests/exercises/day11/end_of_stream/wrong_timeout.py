"""Answer a client in capitals until it leaves; then close the connection and return.
用大写字母回答客户端，直到它离开；然后关闭连接并返回。

Still wrong: at EOF recv() returns immediately, so the timeout never expires.
"""
import socket


def serve(conn):
    conn.settimeout(10)
    while True:
        try:
            data = conn.recv(1024)
        except TimeoutError:
            break
        conn.sendall(data.upper())
    conn.close()


def main():
    client, server = socket.socketpair()
    client.sendall(b"hello")
    # The client sends no more data. 客户端不再发送
    client.shutdown(socket.SHUT_WR)
    serve(server)
    print(client.recv(1024), "and then", client.recv(1024))
    client.close()


if __name__ == "__main__":
    main()
