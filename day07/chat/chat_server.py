"""A group chat room over UDP, the server: one process serves the room, a forked one reads the server's own terminal.
群聊聊天室

Run:    python day07/chat/chat_server.py [port] [-b ADDRESS] [--timeout SECONDS]
        python day07/chat/chat_client.py [port]                 in another terminal, as often as you like

          terminal --> forked half --.
                                     |  UDP
          member A <-----------------+--> server: who is in the room, who hears what
          member B <-----------------'

    to the server                          from the server
    L NAME   let me in; I am still here    OK SECONDS   you are in: repeat L NAME that often
                                           NO REASON    you are not
    C TEXT   say TEXT to the room          SAY LINE     show this line
    Q        I leave                       END          the room closes

UDP has no connections, so a member is whoever sends from the address that joined: a name inside a datagram proves
nothing, and none is read there. The server's own terminal is an address like any other, only known in advance.
A datagram may be lost. An L is therefore repeated until it is answered, which makes the repetition the sign of life
too; a lost C is a lost line. A member who is silent for too long has gone.

What the room bounds: MAX_MEMBERS members, names of MAX_NAME and lines of MAX_TEXT characters.
"""
import argparse
import contextlib
import ctypes
import os
import signal
import socket
import sys
import termios
import time
import unicodedata

ADMIN = "管理员消息"
RESERVED = ("管理员", ADMIN)
MAX_NAME = 32
MAX_TEXT = 1000
MAX_MEMBERS = 500
MAX_DATAGRAM = 8192                                # more than MAX_TEXT characters take in UTF-8; the rest is cut off
RECEIVE_BUFFER = 4 << 20                           # bytes; the kernel may allow less (net.core.rmem_max)
PR_SET_PDEATHSIG = 1                               # from <sys/prctl.h>
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


class Room:
    """Who is in the room, and who hears what.

    sock: the bound UDP socket.  admin: the address whose lines are the administrator's.
    timeout: seconds within which a member who has vanished is noticed.
    """

    def __init__(self, sock, admin, timeout):
        self.sock = sock
        self.admin = admin
        self.names = {}                            # address -> name
        self.heard = {}                            # address -> when it last sent anything, in monotonic seconds
        self.owners = {}                           # name, as compared -> address
        # Three signs of life may be missed, half an interval goes by between two looks, and a look is taken when
        # some other member sends: together less than five intervals.
        self.interval = timeout / 5
        self.next_look = 0

    def serve(self):
        """Serve until an exception, such as KeyboardInterrupt, ends it."""
        while True:
            datagram, address = self.sock.recvfrom(MAX_DATAGRAM)
            self.receive(datagram, address)

    def receive(self, datagram, address):
        """Do what one datagram asks for. Whatever is no command is dropped without an answer."""
        now = time.monotonic()
        if address in self.names:
            self.heard[address] = now
        # No timer is needed: while nobody sends, nobody is there to be told.
        if now >= self.next_look:
            self.next_look = now + self.interval / 2
            self.remove_silent(now)

        # A line end may stand behind it, so that a person can speak with the server: nc -u 127.0.0.1 8888
        command, _, text = datagram.decode(errors="replace").rstrip("\r\n").partition(" ")
        if command == "C":
            self.say(address, text)
        elif command == "L":
            self.join(address, text, now)
        elif command == "Q":
            self.leave(address)

    def say(self, address, text):
        if len(text) > MAX_TEXT:
            self.send(f"SAY ! not sent: a line has at most {MAX_TEXT} characters", address)
        elif address in self.names:
            self.tell(f"{self.names[address]}：{clean(text)}", but=address)
        elif address == self.admin:
            self.tell(f"{ADMIN}：{clean(text)}")
        else:
            self.send("SAY ! not sent: you are not in the room", address)

    def join(self, address, name, now):
        old = self.names.get(address)
        if old != name:
            reason = self.objection(address, name)
            if reason:
                self.send(f"NO {reason}", address)
                return
            self.leave(address)                    # a new name from an old address
            self.names[address] = name
            self.heard[address] = now
            self.owners[comparable(name)] = address
        # Answered each time it is asked, since the last answer may have been lost; but announced once.
        self.send(f"OK {self.interval:g}", address)
        if old != name:
            self.tell(f"{name} 进入了聊天室", but=address)

    def objection(self, address, name):
        """Why this address may not have this name, or None."""
        if not name:
            return "the name is empty"
        if len(name) > MAX_NAME:
            return f"a name has at most {MAX_NAME} characters"
        if not name.isprintable() or " " in name or "\N{REPLACEMENT CHARACTER}" in name:
            return "a name has no spaces and no control characters"
        if ":" in comparable(name):                # "Bob：hello" would look like a line of Bob's
            return "a name has no colon"
        if comparable(name) in RESERVED:
            return f"the name {name} is reserved"
        if self.owners.get(comparable(name), address) != address:
            return f"the name {name} is taken"
        if address == self.admin:
            return "the administrator is no member"
        if len(self.names) >= MAX_MEMBERS and address not in self.names:
            return f"the room is full, it holds {MAX_MEMBERS}"
        return None

    def leave(self, address):
        if address in self.names:
            name = self.remove(address)
            self.tell(f"{name}退出了聊天室")

    def remove(self, address):
        del self.heard[address]
        name = self.names.pop(address)
        del self.owners[comparable(name)]
        return name

    def remove_silent(self, now):
        silent = [address for address, when in self.heard.items() if now - when > 3 * self.interval]
        # All are removed before anybody is told: if many vanish at once, they are not told about each other.
        for name in [self.remove(address) for address in silent]:
            self.tell(f"{name}退出了聊天室")

    def close(self):
        """Tell every member that the room closes."""
        for address in self.names:
            self.send("END", address)

    def tell(self, line, but=None):
        """Send a line to every member except that one: the inner loop of the room."""
        datagram = f"SAY {line}".encode()
        sendto = self.sock.sendto
        for address in self.names:
            if address != but:
                try:
                    sendto(datagram, address)
                except OSError:                    # unreachable now; if it stays so, the member falls silent and is removed
                    pass

    def send(self, text, address):
        try:
            self.sock.sendto(text.encode(), address)
        except OSError:                            # as in tell
            pass


def clean(text):
    """The text without anything that a terminal would obey, such as newlines and escape sequences."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def comparable(name):
    """Two names that look alike to a reader are one name: Bob, bob and Ｂｏｂ (full width)."""
    return unicodedata.normalize("NFKC", name).casefold()


def main():
    args = parse_arguments()
    try:
        sock = bind(args.bind, args.port)
    except OSError as error:
        print(f"chat_server: {args.bind} port {args.port}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)

    # The terminal's half sends from a socket of its own. The kernel writes the sender's address into a datagram, and
    # while this socket is open, in either half, nobody else can have its address.
    with sock, socket.socket(sock.family, socket.SOCK_DGRAM) as terminal:
        terminal.connect(sock.getsockname())
        # Signals wait until each half has said what they mean to it.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            sock.close()
            read_terminal(terminal, parent)
        else:
            print(f"listening on {host_and_port(sock.getsockname())}", flush=True)
            serve(Room(sock, terminal.getsockname(), args.timeout), pid)


def serve(room, other_half):
    """The parent: serve the room until a signal, or the death of the forked half, ends both."""

    settings = on_terminal() and termios.tcgetattr(sys.stdin)       # the other half may end in the middle of a line
    ending = False

    def stop(signum, frame):
        nonlocal ending
        if not ending:                             # a second Ctrl-C changes nothing
            ending = True
            raise KeyboardInterrupt

    def child_changed(signum, frame):              # it may also have been stopped, or gone on
        if not ending and os.waitid(os.P_PID, other_half, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            sys.exit("chat_server: the half that reads the terminal was killed")

    try:
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, stop)
        signal.signal(signal.SIGCHLD, child_changed)
        look_for_signals_every(0.5)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        room.serve()
    except KeyboardInterrupt:
        pass
    finally:
        ending = True
        room.close()
        os.kill(other_half, signal.SIGTERM)        # if it has ended already, it is a zombie and does not mind
        os.waitpid(other_half, 0)
        if settings:
            with contextlib.suppress(termios.error):           # the terminal may be gone
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)


def read_terminal(sock, parent):
    """The child: send what is typed on the server's terminal to the room, until the parent ends it, or has died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # a Ctrl-C reaches both halves; the parent decides
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if os.getppid() != parent:                     # it died before the prctl
        return
    for line in typed_lines():
        if len(line) > MAX_TEXT:
            print(f"! not sent: a line has at most {MAX_TEXT} characters", file=sys.stderr)
        elif line:
            sock.send(f"C {line}".encode())
    # End of input, such as < /dev/null. The room goes on, and this half waits to end with the other.
    while True:
        signal.pause()


def typed_lines():
    """Yield the lines of standard input."""
    if sys.stdin is None:                          # closed: chat_server.py <&-
        return
    if sys.stdin.isatty():
        if not on_terminal():
            return                                 # started with &: the terminal is somebody else's
        import readline                            # noqa: F401 - from here on input() edits lines
    sys.stdin.reconfigure(errors="replace")
    while True:
        try:
            yield input().strip()
        except (EOFError, OSError):
            return


def on_terminal():
    """Whether standard input is a terminal, and ours to read from."""
    try:
        return sys.stdin is not None and sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:                                # a terminal, but not that of our session
        return False


def look_for_signals_every(seconds):
    """Python runs signal handlers between two of its own steps, so a signal that comes just before a step that blocks
    would wait until that step is over. An alarm interrupts it."""
    signal.signal(signal.SIGALRM, lambda signum, frame: None)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def bind(address, port):
    """Return a UDP socket bound to the address. Raises OSError."""
    family, kind, protocol, _, name = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        # Not SO_REUSEADDR: with UDP it would let a second server take the same port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind(name)
    except OSError:
        sock.close()
        raise
    return sock


def host_and_port(address):
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_arguments():
    parser = argparse.ArgumentParser(description="Serve a chat room over UDP.")
    parser.add_argument("port", nargs="?", type=port_number, default=8888, help="UDP port, 0 for a free one (default: 8888)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1", help="address to bind (default: 127.0.0.1)")
    parser.add_argument("--timeout", type=positive_seconds, metavar="SECONDS", default=30,
                        help="notice a member who has vanished within this time (default: 30)")
    return parser.parse_args()


def port_number(text):
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def positive_seconds(text):
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError
    return seconds


if __name__ == "__main__":
    main()
