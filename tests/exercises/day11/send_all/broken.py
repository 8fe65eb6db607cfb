"""Send all the data, then close the connection; a timeout limits the wait for a slow client.
发送全部数据，然后关闭连接；设超时，免得服务器被慢的客户端拖住。

Run:    python day11/practice/send_all.py
You see: 5000000 bytes to send, but only about 200000 arrived.
看到：要发 5000000 字节，只到了大约 200000。
"""
import socket
import threading


def reply(conn, data):
    conn.settimeout(10)
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
