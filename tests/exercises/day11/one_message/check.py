"""How one_message is judged."""
from judge import sockets
from judge.verdict import Refused

HINTS = [
    ("TCP carries bytes, not messages: one recv() may return half a line, or two lines.",
     "TCP 传送的是字节，不是消息：一次 recv() 可能返回半行，也可能返回两行。"),
    ("Keep what is not yet a complete line, and append the next bytes to it.",
     "留下还不完整的部分，把下一批字节接在后面。"),
    ('*whole, rest = (rest + data).split(b"\\n")',
     '*whole, rest = (rest + data).split(b"\\n")'),
]
NOTICE = ("Keep the buffer from one recv() to the next: the receiver must find where each message ends (framing).",
           "缓冲区要跨越多次 recv()：切分消息（粘包与拆包）是接收方的工作。")
REASONS = {
    "broken": "cut",
    "wrong_sleep": "cut",
    "wrong_ends_with_newline": "joined",
    "wrong_forgets_rest": "cut",
}


TRIALS = [
    ("cut", [b"hel", b"lo\n", b"on", b"e mo", b"re\n"], ["hello", "one more"]),
    ("joined", [b"one\ntwo\n", b"three\nfour\nfi", b"ve\n"], ["one", "two", "three", "four", "five"]),
]


def judge(subject):
    [lines] = subject.load("lines")
    for tag, pieces, wanted in TRIALS:
        with sockets.pair() as (client, server):
            call = subject.start(lambda: list(lines(server)))
            sockets.feed(call, client, server, pieces)
            client.shutdown(sockets.socket.SHUT_WR)
            got = call.result()
        if got != wanted:
            raise Refused(tag, "the lines received are not the lines sent", "得到的行和发送的不一样",
                          [f"  sent · 发送:     {b' | '.join(pieces)}", f"  expected · 应得: {wanted}", f"  got · 得到:      {got}"])
