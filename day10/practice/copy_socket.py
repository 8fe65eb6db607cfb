"""A server with a process per client: when a child has answered, its client sees EOF.
每个客户端一个进程的服务器：子进程回答之后，客户端要读到 EOF。

Run:    python day10/practice/copy_socket.py 8888
        python day10/echo_client.py 8888        in another terminal · 另一个终端
You see: the answer comes, but the connection does not end.
看到：收到了回答，但连接没有结束。
"""
import os
import signal
import socket
import sys


def answer(conn):
    """Run in the child: answer once, close the connection, and exit."""
    conn.sendall(conn.recv(1024).upper())
    conn.close()
    os._exit(0)


def serve(listener):
    while True:
        conn, address = listener.accept()
        if os.fork() == 0:
            answer(conn)
        # Keep a list of the clients, to count them. 客户端列表，用来计数
        clients.append(conn)
        print(len(clients), "clients so far", flush=True)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with socket.create_server(("127.0.0.1", port)) as listener:
        print("listening on port", listener.getsockname()[1], flush=True)
        serve(listener)


clients = []

if __name__ == "__main__":
    main()
