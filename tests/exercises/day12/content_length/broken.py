"""Answer each request on one connection, which stays open for the next request.
在同一个连接上回答每个请求；连接保持打开，等待下一个请求。

Run:    python day12/practice/content_length.py 8888
        curl -m 3 http://127.0.0.1:8888/        in another terminal · 另一个终端
You see: the text comes, but curl does not know that it is complete.
看到：文字到了，但 curl 不知道内容已经结束。
"""
import socket
import sys


def response(text):
    """Return the bytes of an HTTP response whose body is this text."""
    return ("HTTP/1.1 200 OK\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "\r\n" + text).encode("utf-8")


def serve(conn, text="你好，世界\n"):
    received = b""
    while data := conn.recv(1024):
        received += data
        while b"\r\n\r\n" in received:
            request, _, received = received.partition(b"\r\n\r\n")
            conn.sendall(response(text))
    conn.close()


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8888
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            conn, address = listener.accept()
            serve(conn)


if __name__ == "__main__":
    main()
