r"""TCP has no message boundaries; end each message with a newline, or send its length first.
TCP 没有消息边界（粘包、拆包）：在每条消息后面加换行，或者在前面加上长度。
讲义之外

Run:    python day11/framing.py

Output:
    two sends, one recv(100)
      sent      b'hello' b'world'
      received  b'helloworld'
    one send, two calls to recv(8)
      sent      b'hello, world'
      received  b'hello, w' b'orld'

    a newline after each message: b'hello\nworld\n'
      recv(1)    b'hello' b'world'
      recv(100)  b'hello' b'world'
    the length before each message: b'\x00\x03a\nb\x00\x05world'
      recv(1)    b'a\nb' b'world'
      recv(100)  b'a\nb' b'world'
"""
import contextlib
import faulthandler
import socket
import struct

# The length of a message, 0 to 65535, in two bytes, most significant byte first (network byte
# order).
LENGTH = struct.Struct("!H")


def main():
    # If the program hangs, faulthandler prints the current line after 10 s and ends the program.
    # (If stderr is closed, faulthandler raises an exception.)
    with contextlib.suppress(OSError, RuntimeError):
        faulthandler.dump_traceback_later(10, exit=True)

    print("two sends, one recv(100)")
    received = exchange([b"hello", b"world"], [100])
    assert received == [b"helloworld"], f"expected both messages in one piece: {received}"
    print("one send, two calls to recv(8)")
    received = exchange([b"hello, world"], [8, 8])
    assert received == [b"hello, w", b"orld"], f"expected one message in two pieces: {received}"

    messages = [b"hello", b"world"]
    data = b"".join(message + b"\n" for message in messages)
    print(f"\na newline after each message: {data}")
    compare(data, read_lines, messages)
    # A message whose length is sent first can contain any bytes, even a newline.
    messages = [b"a\nb", b"world"]
    data = b"".join(LENGTH.pack(len(message)) + message for message in messages)
    print(f"the length before each message: {data}")
    compare(data, read_by_length, messages)


def exchange(messages, sizes):
    """Send each message, then call recv once for each size (in bytes); return the results."""
    client, conn = connect()
    with client, conn:
        for message in messages:
            client.sendall(message)
        wait_for(conn, sum(map(len, messages)))
        # TCP keeps the bytes and their order, but not where one send ended and the next one began.
        # TCP 保证字节和顺序，但不记录一次发送到哪里结束
        received = [conn.recv(size) for size in sizes]
    print("  sent     ", *messages)
    print("  received ", *received)
    return received


def compare(data, read, messages):
    """Send data in one piece; check that `read` finds the messages, wherever recv splits data."""
    for size in 1, 100:
        client, conn = connect()
        with conn:
            with client:
                client.sendall(data)
            wait_for(conn, len(data))
            received = list(read(conn, size))
        print(f"  {f'recv({size})':9} ", *received)
        assert received == messages, f"expected the messages {messages}: {received}"


def read_lines(conn, size):
    """Yield each message that arrives on conn, without the newline that ends it.

    size: maximum number of bytes for one recv.
    """
    buffer = b""
    while data := conn.recv(size):
        buffer += data
        # Split off the complete messages (perhaps none, perhaps several), and keep the incomplete
        # message after the last newline until the rest of it arrives.
        # 取出完整的消息（可能没有，也可能有好几条），剩下的半条留着，等后面的字节
        *complete, buffer = buffer.split(b"\n")
        yield from complete
    if buffer:
        raise EOFError(f"the connection ended inside a message: {buffer}")


def read_by_length(conn, size):
    """Yield each message that arrives on conn, without the length in front of it.

    size: maximum number of bytes for one recv.
    """
    while head := read_exactly(conn, LENGTH.size, size):
        [length] = LENGTH.unpack(head)
        message = read_exactly(conn, length, size)
        if len(message) < length:
            raise EOFError(f"the connection ended inside a message: {head}")
        yield message


def read_exactly(conn, count, size):
    """Return the next count bytes from conn, or b"" if EOF comes before the first of them."""
    data = b""
    while len(data) < count:
        # Never ask recv for more bytes than are missing: later bytes belong to the next message.
        # 缺多少就最多收多少：后面的字节属于下一条消息
        part = conn.recv(min(size, count - len(data)))
        if not part and data:
            raise EOFError(f"the connection ended inside a message: {data}")
        if not part:
            break
        data += part
    return data


def connect():
    """Return both ends of a new TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        conn, addr = listener.accept()
        return client, conn


def wait_for(conn, count):
    """Wait until count bytes have arrived, but leave the bytes in the buffer (MSG_PEEK)."""
    while len(conn.recv(count, socket.MSG_PEEK)) < count:
        pass


if __name__ == "__main__":
    main()
