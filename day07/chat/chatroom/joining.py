"""How a client joins the room, and how it leaves.
客户端怎样进入聊天室，怎样离开
"""
import contextlib
import socket
import sys
import time

from chatroom.halves import hold_signals
from chatroom.text import clean

ASK_AGAIN = 0.5                 # seconds to wait for an answer before L is repeated
TRIES = 10                      # the client sends L this many times, then it gives up
MAX_INTERVAL = 86400            # seconds
RECEIVE_BUFFER = 1 << 20        # bytes; lines can arrive faster than a terminal shows them
MAX_DATAGRAM = 1 << 16          # bytes


def join(host, port, name, prompt):
    """Join the room: propose one name after another, until the server accepts a name.

    name: the name to propose first, or None if the user must type it.
    prompt: the text that asks the user for a name.
    Returns the socket, the name and the seconds between two heartbeats. Signals are then blocked
    (hold_signals): each half unblocks them after the fork, when it has set its handlers.
    Raises EOFError when the input ends, and OSError when no server answers.
    """
    while True:
        # Use a new socket for each name. Otherwise a late answer about one name could be taken for
        # the answer about the next name.
        sock = connect(host, port)
        try:
            # If there is no name yet, propose an empty one. The server refuses it, but the answer
            # shows that the server is running, so we can ask the user for a name.
            word, rest = ask(sock, f"L {name or ''}")
            if word == "OK":
                interval = interval_in(rest)
                sock.settimeout(interval)
                hold_signals()
                return sock, name, interval
        except BaseException:
            # Perhaps the server let us in, but its answer was lost. So send Q to leave.
            leave(sock)
            sock.close()
            raise
        sock.close()
        if name is not None:
            print(f"! {clean(rest)}", file=sys.stderr, flush=True)
        name = input(prompt).strip()


def connect(host, port):
    """Return a UDP socket connected to the server. Raises OSError or UnicodeError (bad host)."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    # A connected UDP socket receives only from the server's address. If no process uses the
    # server's port, the kernel reports ECONNREFUSED.
    # 连接后的 UDP 套接字只收该地址的数据报；对方端口没有程序时会报错。
    sock.connect(address)
    return sock


def ask(sock, question):
    """Send the question until the server answers OK or NO; return the answer's first word and rest.

    Raises TimeoutError when no answer comes, and another OSError when sending fails.
    """
    for _ in range(TRIES):
        sock.send(question.encode())
        deadline = time.monotonic() + ASK_AGAIN
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                word, rest = receive(sock)
            except TimeoutError:
                # The question or its answer was lost: ask again.
                break
            # A SAY from the room may arrive first; it is not the answer.
            if word in ("OK", "NO"):
                return word, rest
    raise TimeoutError(f"no answer in {ASK_AGAIN * TRIES:g} seconds")


def interval_in(text):
    """Return the heartbeat interval in seconds, from the text after OK.

    Raises OSError if the text is not a possible interval.
    """
    try:
        if 0 < float(text) <= MAX_INTERVAL:
            return float(text)
    except ValueError:
        pass
    raise OSError(f"unexpected answer {clean(text)!r}")


def receive(sock):
    """Wait for a datagram; return its first word and the rest of its text."""
    word, _, rest = sock.recv(MAX_DATAGRAM).decode(errors="replace").partition(" ")
    return word, rest


def leave(sock):
    """Tell the server that we are leaving."""
    # An error is ignored, because the server may have ended already.
    with contextlib.suppress(OSError):
        sock.send(b"Q")
