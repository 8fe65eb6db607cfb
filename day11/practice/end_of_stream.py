"""Answer a client in capitals until it leaves; then close the connection and return.
用大写字母回答客户端，直到它离开；然后关闭连接并返回。

Run:    python day11/practice/end_of_stream.py
You see: nothing, and a CPU at 100 % (end the program with Ctrl-C).
看到：没有输出，CPU 占用 100 %（用 Ctrl-C 结束）。
"""
import socket


def serve(conn):
    while True:
        data = conn.recv(1024)
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
