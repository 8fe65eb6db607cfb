"""How content_length is judged."""
import contextlib

from judge import sockets
from judge.verdict import Refused

HINTS = [
    ("The connection stays open. How does the client know that the text has ended?",
     "连接保持打开。客户端怎么知道内容已经结束？"),
    ("A header field before the body says how long the body is.",
     "靠正文之前的一个头部字段，说明正文有多长。"),
    ("Use Content-Length. Its value is the number of bytes, so encode first, then count.",
     "用 Content-Length：它的值是字节数，所以先编码，再计数。"),
]
NOTICE = ("This is framing again: here the length comes before the message. The length counts bytes: a Chinese character is one character, but usually three bytes.",
           "又是消息边界：这里先发长度。长度按字节算：“你”是一个字符，但是三个字节。")
REASONS = {"broken": "no length", "wrong_characters": "length", "wrong_closes": "closes"}


TEXTS = ["你好，世界\n", "plain", ""]


def judge(subject):
    [serve] = subject.load("serve")
    for text in TEXTS:
        with sockets.pair() as (client, server):
            call = subject.start(serve, server, text)
            for _ in range(2):
                with contextlib.suppress(BrokenPipeError):
                    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                one_answer(call, client, text.encode())
            client.shutdown(sockets.socket.SHUT_WR)
            call.result()


def one_answer(call, client, body):
    """Read a response as a client does: first the head, then as many bytes as Content-Length says."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = sockets.receive(call, client, 1)
        received += piece
        if not piece:
            raise Refused("closes", "the server closes the connection after the first answer, but must keep it open", "服务器在第一个回答之后关闭了连接：应当保持打开")
    head, _, rest = received.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(":", 1) for line in head.decode("latin-1").split("\r\n")[1:] if ":" in line)
    if "close" in headers.get("connection", ""):
        raise Refused("closes", "`Connection: close` ends the connection, but the server must keep it open", "`Connection: close` 会结束连接：应当保持打开")
    length = headers.get("content-length", "").strip()
    if not length.isdigit():
        raise Refused("no length", "no Content-Length: the client cannot know where the answer ends, and waits", "没有 Content-Length：客户端不知道回答在哪里结束，只能等待",
                      [f"  {line}" for line in head.decode("latin-1").split("\r\n")])
    if int(length) != len(body):
        raise Refused("length", f"Content-Length is {length}, but the body has {len(body)} bytes", f"Content-Length 是 {length}，但正文有 {len(body)} 字节")
    rest += sockets.receive(call, client, int(length) - len(rest))
    if rest != body:
        raise Refused("body", f"the body is wrong: {rest[:60]!r}", f"正文不对：{rest[:60]!r}")
