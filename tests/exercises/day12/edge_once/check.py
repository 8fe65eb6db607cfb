"""How edge_once is judged."""
import select

from judge import sockets
from judge.verdict import NotKnown, Refused

HINTS = [
    ("Edge-triggered epoll reports new data only once.",
     "边缘触发：只在有新数据到来时通知一次。"),
    ("After an event, read until nothing is left.",
     "收到事件之后，要一直读到没有数据为止。"),
    ('Call recv() in a loop until it raises BlockingIOError; b"" still means the end.',
     '循环 recv()，直到抛出 BlockingIOError；b"" 仍然表示结束。'),
]
NOTICE = ("Edge triggering can save calls to epoll, but requires a loop. The sockets must be non-blocking; otherwise the loop blocks in recv().",
           "边缘触发可以省下 epoll 的调用，代价是必须循环；套接字必须是非阻塞的，否则循环会停在 recv() 里。")
REASONS = {
    "broken": "hangs",
    "wrong_larger_buffer": "hangs",
    "wrong_reads_twice": "hangs",
    "wrong_blocks": "hangs",
}


PIECES = [b"ten bytes.", b"x" * 20_000, b"the end"]


def judge(subject):
    if not hasattr(select, "epoll"):
        raise NotKnown("epoll", "this system has no epoll, which needs Linux", "这个系统没有 epoll：需要 Linux")
    [receive] = subject.load("receive")
    with sockets.pair() as (client, server), sockets.pair() as (other, other_server):
        call = subject.start(receive, [server, other_server])
        try:
            for piece in PIECES:
                sockets.feed(call, client, server, [piece])
                sockets.feed(call, other, other_server, [piece])
        except Refused as refused:
            left = sockets.unread(server) + sockets.unread(other_server)
            refused.details.append(f"  {left} bytes are still unread in the sockets · 套接字里还有 {left} 字节没有读")
            raise
        client.shutdown(sockets.socket.SHUT_WR)
        other.shutdown(sockets.socket.SHUT_WR)
        got = call.result()
    if got != [b"".join(PIECES)] * 2:
        raise Refused("lost", "the data received is not the data sent", "收到的和发送的不一样")
