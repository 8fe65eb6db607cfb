"""A pair of connected sockets carries bytes in both directions.
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
    # No call on this socket waits longer than 10 seconds. 单位秒
    ours.settimeout(10)
    with ours:
        ours.sendall(b"hello")
        ours.sendall(b"world")
        # The parent will send no more, but it still receives. 不再发送，但还要接收
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
    assert end == b"", f"expected end of file; recv returned {end}"


def talk(ours, theirs):
    # The child has a copy of the parent's socket, which it does not need. 子进程用不到这个副本
    ours.close()
    theirs.settimeout(10)
    with theirs:
        # Here one recv returns what two sendalls sent. A long message may need several recvs.
        # 一次 recv 收到两次发送的内容；消息长时，也可能要 recv 几次
        received = theirs.recv(100)
        print(f"child : received {received}: a stream does not keep messages apart")
        end = theirs.recv(100)
        print(f"child : received {end}, end of file: the parent will send no more")
        answer = f"{len(received)} bytes".encode()
        print(f"child : sent {answer}", flush=True)
        theirs.sendall(answer)
    assert received == b"helloworld", f"expected b'helloworld'; recv returned {received}"
    assert end == b"", f"expected end of file; recv returned {end}"


if __name__ == "__main__":
    main()
