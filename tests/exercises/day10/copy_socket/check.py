"""How copy_socket is judged."""
import os

from judge import sockets
from judge.processes import PROC
from judge.programs import Program
from judge.verdict import Refused

HINTS = [
    ("The child closes its copy of the socket. Which other process has a copy?",
     "子进程关闭了它的那份套接字。还有哪个进程有一份？"),
    ("fork copies descriptors. The connection ends when the last copy is closed.",
     "fork 复制描述符。最后一份关闭时，连接才结束。"),
    ("Call conn.close() in the parent, after the fork. To count the clients, keep their addresses in the list.",
     "fork 之后在父进程里 conn.close()；要计数的话，列表里保存地址。"),
]
NOTICE = ("shutdown() ends the connection immediately, for all copies, but closes no descriptor. A server that calls only shutdown() runs out of descriptors.",
           "shutdown() 立刻结束连接（对所有副本有效），但不释放描述符：只靠它，服务器的描述符早晚用完。")
REASONS = {"broken": "no EOF", "wrong_shutdown": "leak", "wrong_closes_before_fork": "no answer"}


CLIENTS = 5


def judge(subject):
    with Program(subject, "0") as server:
        port = int(server.expect(r"^listening on port (\d+)\n")[1])
        before = len(descriptors(server.pid))
        for number in range(CLIENTS):
            with sockets.connect(port) as client:
                client.sendall(b"hello")
                told = said_until_end(server, client)
        server.until(lambda: f"{CLIENTS} clients" in server.out)
        # The server has counted the last client. If it closes sockets at all, it closes them before it waits in accept() again.
        server.until(lambda: len(descriptors(server.pid)) <= before, lambda server: leak(server, before))


def said_until_end(server, client):
    client.setblocking(False)
    said = b""
    while True:
        server.until(lambda: sockets.unread(client) or sockets.has_ended(client), lambda server: no_end(said))
        if server.has_ended():
            raise server.failure()
        try:
            piece = client.recv(1024)
        except ConnectionResetError:
            piece = b""
        said += piece
        if not piece:
            break
    if said != b"HELLO":
        raise Refused("no answer", f"a client that sends hello must get HELLO, but gets {said!r}", f"客户端发送 hello，应当收到 HELLO，却收到 {said!r}")


def no_end(said):
    if said != b"HELLO":
        return None
    return ("no EOF", "a client gets its answer, but no EOF, because a process still has the socket open",
            "客户端得到了回答，却收不到 EOF：还有进程开着这个套接字")


def leak(server, before):
    count = len(descriptors(server.pid)) - before
    return ("leak", f"{CLIENTS} clients have left, but the server still has {count} of their sockets open",
            f"{CLIENTS} 个客户端都走了，服务器还开着其中 {count} 个套接字")


def descriptors(pid):
    return os.listdir(f"{PROC}/{pid}/fd")
