"""The server of a UDP chat room: one process serves the room, its child reads the keyboard.
UDP 聊天室的服务器：父进程服务聊天室，fork 出来的子进程读键盘。
讲义: 群聊聊天室

Run:    python day07/chat/chat_server.py [port] [-b ADDRESS] [--timeout SECONDS] [-v]
        python day07/chat/chat_client.py [port]           in two other terminals

          terminal --> child -------.
                                    |  UDP
          member A <----------------+--> parent: who is in the room, who gets which line
          member B <----------------'

Begin with Room.receive in chatroom/room.py: it decides what the server does with each datagram.
chatroom/halves.py shows how the two processes end together.

With -v, or on a terminal without --quiet, the child shows who joins and leaves (chatroom/watch.py).
Each line typed on the server's terminal goes to all members as a message from the administrator.
The child sends such a line to the parent in a datagram, as a member would. The parent recognizes
the administrator by the address of the child's socket.

The chat does not encrypt, ask for passwords, send lost lines again, keep a history or limit how
fast a member sends. To attack it, use nc -u 127.0.0.1 8888; day07/README.md shows how.
它不加密，没有密码，不重发丢失的消息，不保存记录，不限制发送速度；怎样捣乱见 day07/README.md。
"""
import argparse
import contextlib
import errno
import os
import signal
import socket
import sys

from chatroom.arguments import PORT, command, port_to_listen_on, reason, timeout
from chatroom.halves import (Parent, become_child, every, has_prctl, hold_signals,
                             release_signals)
from chatroom.room import HEARTBEATS, Room
from chatroom.terminal import Terminal, is_ours, replace_unknown_characters, typed_lines
from chatroom.text import MAX_TEXT, TOO_LONG
from chatroom.watch import LOOK, Watch, host_and_port

NAME = "chat_server"
RECEIVE_BUFFER = 4 << 20        # bytes; the kernel may allow less (net.core.rmem_max)


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
    try:
        sock, keyboard = open_sockets(args.bind, args.port)
    except (OSError, UnicodeError) as error:
        what = f"{args.bind} port {args.port}: {next_step(error, args.port)}"
        print(f"{NAME}: {what}", file=sys.stderr)
        sys.exit(2)

    terminal = Terminal(prompt="")
    on_a_terminal = sys.stdout is not None and sys.stdout.isatty()
    watched = args.verbose or (on_a_terminal and not args.quiet)
    watch = Watch() if watched else None
    room = Room(sock, keyboard.getsockname(), args.timeout / HEARTBEATS, watch)
    hold_signals()
    # 两个进程，两种等待：父进程等数据报，子进程等键盘。
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        sock.close()
        become_child(parent)
        if watch:
            every(LOOK, lambda: watch.show(terminal))
        read_keyboard(keyboard)
    else:
        serve(room, keyboard, terminal, pid)


def serve(room, keyboard, terminal, child):
    """In the parent: serve the room. When a signal arrives or the child ends, end both halves."""

    def goodbye():
        room.close()
        terminal.restore()

    def tick():
        room.tick()
        # An empty datagram wakes room.serve, which then removes silent members, even if no member
        # sends anything. If the room's queue is full, the datagrams in it wake room.serve.
        with contextlib.suppress(OSError):
            keyboard.send(b"", socket.MSG_DONTWAIT)

    Parent(NAME, child, goodbye)
    # This timer is the room's clock, which shows when a member's heartbeat (心跳) has stopped.
    every(room.interval / 2, tick)
    # The room is open even if these lines cannot be printed.
    with contextlib.suppress(OSError):
        print(f"listening on {host_and_port(room.sock.getsockname())}", flush=True)
        if room.watch and has_keyboard():
            print("type a line to announce it to all users; Ctrl-C stops the server"
                  " · 在此输入的一行会通知所有人，Ctrl-C 停止服务器", flush=True)
    release_signals()
    room.serve()


def has_keyboard():
    """Return True if standard input is open, and is not a terminal that another program uses."""
    return sys.stdin is not None and (is_ours() or not sys.stdin.isatty())


def read_keyboard(sock):
    """In the child: send each line typed on the server's terminal to the room. Never returns."""
    if has_keyboard():
        with contextlib.suppress(OSError):
            for line in typed_lines():
                if len(line) > MAX_TEXT:
                    print(TOO_LONG, file=sys.stderr)
                elif line:
                    sock.send(f"C {line}".encode())
    # There is no more input (perhaps stdin is /dev/null), but the room stays open. So the child
    # waits until the parent kills it. 没有可读的输入了，但聊天室继续服务。
    while True:
        signal.pause()


def open_sockets(address, port):
    """Return two UDP sockets: one bound to the address, and one connected to the first.

    Raises OSError, or UnicodeError if the address cannot be a host name.
    """
    family, kind, protocol, _, name = socket.getaddrinfo(
        address, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
    with contextlib.ExitStack() as stack:
        # Do not set SO_REUSEADDR: with UDP, it would let a second server bind the same port.
        sock = stack.enter_context(socket.socket(family, kind, protocol))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind(name)
        # The kernel writes the sender's address into a datagram. While this socket is open, no
        # other socket can have the same address. So a datagram from this address carries a line
        # that was typed on the server's terminal.
        # 发送地址由内核写入；这个套接字打开期间，别的套接字不会得到同一地址。
        keyboard = stack.enter_context(socket.socket(family, kind, protocol))
        keyboard.connect(sock.getsockname())
        # Nothing went wrong, so leave both sockets open.
        stack.pop_all()
    return sock, keyboard


def next_step(error, port):
    """Return a message that says why the server could not start, and what to do about it."""
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        other = command("chat_server.py", port % 65535 + 1)
        return f"{reason(error)}; choose another port · 端口已被占用，换一个: {other}"
    if number == errno.EACCES and 0 < port < 1024:
        other = command("chat_server.py", PORT)
        return (f"{reason(error)}; ports below 1024 are for root"
                f" · 1024 以下的端口要 root 权限: {other}")
    return (f"{reason(error)}; use an address of this machine"
            " · 换成本机的地址: -b 127.0.0.1")


def parse_arguments():
    parser = argparse.ArgumentParser(description="Serve a chat room over UDP. 群聊聊天室的服务器")
    parser.add_argument("port", nargs="?", type=port_to_listen_on, default=PORT,
                        help=f"UDP port, 0 for a free one (default: {PORT}) · UDP 端口，0 表示任选")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1",
                        help="address to bind (default: %(default)s) · 监听的地址")
    parser.add_argument("--timeout", type=timeout, metavar="SECONDS", default=30,
                        help="time within which a vanished member is removed"
                             " (default: %(default)s) · 多少秒之内删除掉线的成员")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("-v", "--verbose", action="store_true",
                       help="show who joins and leaves, as on a terminal · 显示成员的进出")
    shown.add_argument("--quiet", action="store_true",
                       help="never show who joins and leaves · 在终端上也不显示成员的进出")
    return parser.parse_args()


if __name__ == "__main__":
    main()
