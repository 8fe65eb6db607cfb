"""A pair of connected sockets: bytes in both directions.
一对已连接的套接字：双向传输字节。
讲义: 进程间通信 (IPC) · 常用进程间通信方法 · 套接字

Run:    python day09/socketpair.py

Output:
    parent: sent b'hello' and b'world'
    child : received b'helloworld': a stream does not keep messages apart
    child : received b'', end of file: the parent will send no more
    child : sent b'10 bytes'
    parent: received b'10 bytes'
    parent: received b'', end of file: the child has closed its socket
"""
import socket
from multiprocessing import Process


def main():
    ours, theirs = socket.socketpair()
    # Seconds: no call waits longer.
    ours.settimeout(10)
    with ours:
        ours.sendall(b"hello")
        ours.sendall(b"world")
        # No more from here, but this side still reads. 不再发送，但还要接收
        ours.shutdown(socket.SHUT_WR)
        print("parent: sent b'hello' and b'world'")
        with theirs:
            child = Process(target=talk, args=(ours, theirs))
            child.start()
        print(f"parent: received {ours.recv(100)}")
        end = ours.recv(100)
        print(f"parent: received {end}, end of file: the child has closed its socket")
    child.join()
    assert child.exitcode == 0, f"expected exit code 0; it is {child.exitcode}"
    assert end == b"", f"expected end of file; it was {end}"


def talk(ours, theirs):
    # The parent's socket: a forked child has a copy. 子进程复制了父进程的套接字
    ours.close()
    theirs.settimeout(10)
    with theirs:
        # One recv for two sends; with more data it may be the other way round.
        received = theirs.recv(100)
        print(f"child : received {received}: a stream does not keep messages apart")
        end = theirs.recv(100)
        print(f"child : received {end}, end of file: the parent will send no more")
        answer = f"{len(received)} bytes".encode()
        print(f"child : sent {answer}", flush=True)
        theirs.sendall(answer)
    assert received == b"helloworld", f"expected b'helloworld'; it was {received}"
    assert end == b"", f"expected end of file; it was {end}"


if __name__ == "__main__":
    main()
