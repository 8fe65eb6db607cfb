"""The client of a UDP chat room: one process reads the keyboard, its child receives messages.
UDP 聊天室的客户端：父进程读键盘，fork 出来的子进程接收聊天室的消息。
讲义: 群聊聊天室

Run:    python day07/chat/chat_server.py                  first, in another terminal
        python day07/chat/chat_client.py [port] [-H HOST] [--name NAME]

      keyboard --> parent --.                .--> L, C, Q            to the server
                     ^      |--> one UDP  ---|
        screen <-----'      |    socket      '<-- OK, NO, SAY, END   from the server
                   child <--'

The two processes are called halves. After fork, both halves use the same socket. The parent sends
the lines that the user types, and the heartbeat (心跳). The child waits for messages and hands them
to the parent. The parent shows the messages, because only the process that reads the keyboard knows
which half-typed line is on the screen.
chatroom/room.py explains the commands (L, C, ...), and chatroom/halves.py explains how the halves
use signals.

To leave, type quit, or press Ctrl-D (end of input) or Ctrl-C.
"""
import argparse
import os
import signal
import sys

from chatroom.arguments import PORT, command, port_of_server, readable, reason
from chatroom.halves import (Handover, Parent, become_child, ending_signals, every, handle,
                             has_prctl, release_signals)
from chatroom.joining import join, leave, receive
from chatroom.terminal import Terminal, replace_unknown_characters, typed_lines
from chatroom.text import MAX_TEXT, TOO_LONG, clean

NAME = "chat_client"
MISSED = 5                      # after this many intervals without a datagram, the client gives up


def main():
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    # macOS has fork, but not prctl. macOS 有 fork，但没有 prctl。
    if not has_prctl():
        print("this needs Linux's prctl: use Linux or WSL"
              " · 需要 Linux 的 prctl，请用 Linux 或 WSL", file=sys.stderr)
        sys.exit(2)
    replace_unknown_characters()
    args = parse_arguments()
    if sys.stdin is None or sys.stdout is None:
        sys.exit(f"{NAME}: standard input and output must be open · 标准输入和标准输出不能关闭")
    # The program that started this one may have made standard output non-blocking. Make it block
    # again, so that print waits while the output is full.
    # 有些程序传下来的标准输出是非阻塞的：改成写满时等待
    os.set_blocking(sys.stdout.fileno(), True)
    terminal = Terminal()
    sock, name, interval = get_in(args, terminal)
    handover = Handover()
    # 两个进程共用一个套接字：父进程发送，子进程接收。
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        become_child(parent)
        status = listen(sock, lambda line: handover.give(clean(line), parent))
        # When the child exits, the parent gets SIGCHLD, and ends too.
        os._exit(status)
    else:
        Talker(sock, name, terminal, pid).talk(interval, handover)


def get_in(args, terminal):
    """Join the room; return the socket, the name and the seconds between two heartbeats.

    The program exits if the client cannot join, or if the user leaves before the client has joined.
    """
    for signum in ending_signals():
        handle(signum, signal.default_int_handler)
    prompt = "Your name · 姓名: " if terminal.interactive else ""
    try:
        sock, name, interval = join(args.host, args.port, args.name, prompt)
    except (OSError, UnicodeError) as error:
        sys.exit(f"{NAME}: no chat room at {args.host} port {args.port}: {reason(error)}; "
                 f"first start the server · 先启动服务器: {command('chat_server.py', args.port)}")
    except (EOFError, KeyboardInterrupt):
        newline = "\n" if terminal.interactive else ""
        sys.exit(f"{newline}{NAME}: left before joining · 没有进入聊天室")
    try:
        print(f"You are in the room as {clean(name)}. To leave: quit or Ctrl-D"
              " · 已进入聊天室，退出：quit", flush=True)
    except OSError:
        # Standard output is broken: the user cannot see the room.
        leave(sock)
        os._exit(1)
    return sock, name, interval


class Talker:
    """The parent half: sends typed lines and the heartbeat, and shows messages from the child."""

    def __init__(self, sock, name, terminal, child):
        self.sock = sock
        self.name = name
        self.terminal = terminal
        self.halves = Parent(NAME, child, self.goodbye)

    def talk(self, interval, handover):
        """Send each line that the user types. When the user leaves, end both halves.

        interval: seconds between two heartbeats.  handover: brings messages from the child.
        """
        signal.signal(signal.SIGUSR1, lambda signum, frame: handover.take(self.show))
        signal.signal(signal.SIGCONT, lambda signum, frame: self.terminal.resume())
        every(interval, self.heartbeat)
        release_signals()
        try:
            for line in typed_lines(self.terminal.prompt):
                if line == "quit":
                    break
                if len(line) > MAX_TEXT:
                    print(TOO_LONG, file=sys.stderr, flush=True)
                elif line:
                    self.sock.send(f"C {line}".encode())
        except OSError as error:
            # The server has stopped, or the terminal was closed.
            self.halves.end(1, reason(error))
        self.halves.end(0)

    def heartbeat(self):
        """Send a heartbeat (心跳), which tells the server that this client is still running."""
        try:
            self.sock.send(f"L {self.name}".encode())
        except OSError as error:
            self.halves.end(1, reason(error))

    def show(self, line):
        try:
            self.terminal.show(line)
        except OSError:
            # Standard output is broken: the user can no longer see the room.
            self.halves.end(1)

    def goodbye(self):
        leave(self.sock)
        self.terminal.restore()


def listen(sock, show):
    """In the child: show messages until the room closes or the server stops answering.

    show: a function that is called with each line to show.
    Returns the exit status of the client.
    """
    missed = 0
    while missed < MISSED:
        try:
            word, rest = receive(sock)
        except TimeoutError:
            # The server answers each heartbeat, so a datagram should have arrived.
            missed += 1
            continue
        except OSError:
            show("! the server has stopped · 服务器已停止")
            return 1
        missed = 0
        if word == "SAY":
            show(rest)
        elif word == "NO":
            # The server removed us, because our heartbeats did not arrive, and does not let us in
            # again: for example, another client now has our name.
            show(f"! {rest}")
            return 1
        elif word == "END":
            show("! the room is closed · 聊天室已关闭")
            return 0
    show("! the server does not answer any more · 服务器不再应答")
    return 1


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Take part in a chat room over UDP. 群聊聊天室的客户端")
    parser.add_argument("port", nargs="?", type=port_of_server, default=PORT,
                        help=f"UDP port of the server (default: {PORT}) · 服务器的 UDP 端口")
    parser.add_argument("-H", "--host", default="127.0.0.1",
                        help="address of the server (default: 127.0.0.1) · 服务器的地址")
    parser.add_argument("--name", type=readable, help="propose this name first · 先用这个姓名")
    return parser.parse_args()


if __name__ == "__main__":
    main()
