"""How end_of_stream is judged."""
import contextlib

from judge import sockets
from judge.verdict import Refused

HINTS = [
    ("What does recv() return when the client has closed the connection?",
     "客户端关闭之后，recv() 返回什么？"),
    ('b"" is not a message: it means that no more data will come. Each later recv() returns it again.',
     'b"" 不是消息：它表示再也不会有数据。之后每次 recv() 都立刻返回它。'),
    ("if not data: break",
     "if not data: break"),
]
NOTICE = ('recv() returns b"" immediately, every time: a server that does not check for it keeps a CPU busy, even though the client has left.',
           'recv() 每次都立刻返回 b""：不检查的服务器，客户端走了还会白白占满一个 CPU。')
REASONS = {
    "broken": "endless",
    "wrong_continue": "endless",
    "wrong_compares_with_text": "endless",
    "wrong_timeout": "endless",
}


def judge(subject):
    [serve] = subject.load("serve")
    with sockets.pair() as (client, server):
        call = subject.start(serve, server)
        for word in b"hello", b"again":
            # If the program has closed the connection, there is no answer.
            with contextlib.suppress(ConnectionError):
                client.sendall(word)
            got = sockets.receive(call, client, len(word))
            if got != word.upper():
                raise Refused("answer", f"the client sends {word!r}, and the answer is {got!r}", f"收到 {word!r}，回答 {got!r}")
        client.shutdown(sockets.socket.SHUT_WR)
        call.result()
        if not sockets.has_ended(client):
            raise Refused("open", "serve() has returned, but the connection is still open", "serve() 返回了，但连接还开着")
