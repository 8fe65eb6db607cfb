"""How send_all is judged."""
from judge import sockets
from judge.verdict import Refused

HINTS = [
    ("What does send() return?",
     "send() 返回什么？"),
    ("send() returns how many bytes it has accepted. You must send the rest.",
     "send() 返回它接受了多少字节，剩下的还要再发。"),
    ("Use sendall(), or loop: sent = conn.send(data); data = data[sent:].",
     "用 sendall()，或者循环：sent = conn.send(data); data = data[sent:]。"),
]
NOTICE = ("On Linux, a blocking send() without a timeout usually sends everything, so this mistake can stay hidden for years. With settimeout() it shows as soon as the data does not fit into the send buffer.",
           "在 Linux 上，不设超时的阻塞 send() 多半会全部发完，所以这个错误能藏很久；用了 settimeout()，发送缓冲区一放不下就会出现。")
REASONS = {
    "broken": "lost",
    "wrong_blocking": "lost",
    "wrong_slices": "lost",
    "wrong_again": "changed",
}


DATA = bytes(number * number % 251 for number in range(20_000))


def judge(subject):
    [reply] = subject.load("reply")
    with sockets.pair() as (client, server):
        call = subject.start(reply, sockets.reluctant(server), DATA)
        got = sockets.receive(call, client, len(DATA) + 1)
        if len(got) <= len(DATA):
            call.result()
    if len(got) < len(DATA):
        raise Refused("lost", f"{len(DATA)} bytes to send, {len(got)} arrived: {len(DATA) - len(got)} bytes were lost",
                      f"要发 {len(DATA)} 字节，到了 {len(got)} 字节：丢了 {len(DATA) - len(got)} 字节")
    if got != DATA:
        raise Refused("changed", "the data that arrived differs from the data to be sent", "到达的数据和要发的不一样")
