"""The client's way into the room, and out of it.
客户端怎样进入聊天室，怎样离开
"""
import contextlib
import socket
import sys
import time

from chatroom.halves import hold_signals
from chatroom.text import clean

ASK_AGAIN = 0.5                 # seconds without an answer until an L is repeated
TRIES = 10
MAX_INTERVAL = 86400            # seconds
RECEIVE_BUFFER = 1 << 20        # bytes; lines may come faster than a terminal shows them
MAX_DATAGRAM = 1 << 16          # bytes


def join(host, port, name, prompt):
    """Ask for names until the server accepts one.

    name: the one to ask for first, or None.  prompt: shown where a name is typed.
    Returns the socket, the name and the seconds between two heartbeats. Signals are then held:
    they wait until there are two halves, and each has said what they mean to it.
    Raises EOFError when there is no more input, and OSError when no server answers.
    """
    while True:
        # A socket for each name: a late answer about one is not taken for an answer about the next.
        sock = connect(host, port)
        try:
            # An L without a name is refused: so we know that there is a server, and ask for a name.
            word, rest = ask(sock, f"L {name or ''}")
            if word == "OK":
                interval = interval_in(rest)
                sock.settimeout(interval)
                hold_signals()
                return sock, name, interval
        except BaseException:
            # We may be in, and only the answer is missing.
            leave(sock)
            sock.close()
            raise
        sock.close()
        if name is not None:
            print(f"! {clean(rest)}", file=sys.stderr, flush=True)
        name = input(prompt).strip()


def connect(host, port):
    """Return a UDP socket for the server there. Raises OSError, and UnicodeError for a bad host."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    # Connected: datagrams from other addresses do not reach us, and if no process has that port,
    # the kernel says so (ECONNREFUSED).
    sock.connect(address)
    return sock


def ask(sock, question):
    """Repeat the question until the answer is OK or NO; return this word and the rest of it.

    Raises TimeoutError when no answer comes, and another OSError when none can.
    """
    for _ in range(TRIES):
        sock.send(question.encode())
        deadline = time.monotonic() + ASK_AGAIN
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                word, rest = receive(sock)
            except TimeoutError:
                # The question or its answer was lost.
                break
            # What the room says at the same time is no answer.
            if word in ("OK", "NO"):
                return word, rest
    raise TimeoutError(f"no answer in {ASK_AGAIN * TRIES:g} seconds")


def interval_in(text):
    """The seconds in an OK. Raises OSError if no chat server would have said that."""
    try:
        if 0 < float(text) <= MAX_INTERVAL:
            return float(text)
    except ValueError:
        pass
    raise OSError(f"its answer was {clean(text)!r}")


def receive(sock):
    """Wait for a datagram; return its first word and the rest."""
    word, _, rest = sock.recv(MAX_DATAGRAM).decode(errors="replace").partition(" ")
    return word, rest


def leave(sock):
    """Say goodbye."""
    # The server may have ended before us.
    with contextlib.suppress(OSError):
        sock.send(b"Q")
