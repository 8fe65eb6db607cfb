"""A pair of connected sockets between parent and child: bytes in both directions, as over a network.
进程间通信 (IPC) · 常用进程间通信方法 · 套接字

Run:    python day09/socketpair.py

Output:
    parent: sent b'hello' and b'world'
    child : received b'helloworld', a stream of bytes knows no messages
    child : end of file, the parent has said all; sent b'10 bytes'
    parent: received b'10 bytes'
    parent: received b'', the child has closed its end
"""
import socket
from multiprocessing import Process


def main():
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(b"hello")
        ours.sendall(b"world")
        print("parent: sent b'hello' and b'world'", flush=True)
        with theirs:
            child = Process(target=talk, args=(ours, theirs))
            child.start()
        ours.shutdown(socket.SHUT_WR)              # no more from here, but we still read
        print(f"parent: received {ours.recv(100)}")
        print(f"parent: received {ours.recv(100)}, the child has closed its end")
    child.join()
    assert child.exitcode == 0


def talk(ours, theirs):
    ours.close()
    with theirs:
        received = theirs.recv(100)                # one recv for two sends; it might as well be two for one
        print(f"child : received {received}, a stream of bytes knows no messages")
        assert received == b"helloworld" and theirs.recv(100) == b""
        print("child : end of file, the parent has said all; sent b'10 bytes'", flush=True)
        theirs.sendall(f"{len(received)} bytes".encode())


if __name__ == "__main__":
    main()
