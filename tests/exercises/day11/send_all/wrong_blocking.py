"""Send all the data, then close the connection; a timeout limits the wait for a slow client.
发送全部数据，然后关闭连接；设超时，免得服务器被慢的客户端拖住。

Still wrong: even without a time limit, send() may send only a part.
"""
import socket
import threading


def reply(conn, data):
    conn.setblocking(True)
    conn.send(data)
    conn.close()


def main():
    client, server = socket.socketpair()
    with client, server:
        data = b"x" * 5_000_000
        thread = threading.Thread(target=reply, args=(server, data))
        thread.start()
        count = 0
        while piece := client.recv(1 << 16):
            count += len(piece)
        thread.join()
        print(len(data), "bytes to send,", count, "arrived")


if __name__ == "__main__":
    main()
