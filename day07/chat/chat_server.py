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
import re
import signal
import socket
import sys
import termios
import unicodedata

ADMIN = "管理员消息"
RESERVED = ("管理员", ADMIN)
MAX_NAME = 32
MAX_TEXT = 1000
MAX_MEMBERS = 500
MAX_DATAGRAM = 8192                                # more than MAX_TEXT characters take in UTF-8; the rest is cut off
RECEIVE_BUFFER = 4 << 20                           # bytes; the kernel may allow less (net.core.rmem_max)
MIN_TIMEOUT, MAX_TIMEOUT = 0.005, 86400            # seconds; with less there would be nothing but signs of life
# In a name: what looks like a colon, and what is printable but cannot be seen (fillers, variation selectors, ...).
COLONS = ":\u02d0\u0589\u05c3\u2236\ua789"
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
PR_SET_PDEATHSIG = 1                               # from <sys/prctl.h>
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNALS = (*ENDING, signal.SIGCHLD, signal.SIGALRM)


class Room:
    """Who is in the room, and who hears what.

    sock: the bound UDP socket.  admin: the address whose lines are the administrator's.
    interval: the seconds between two signs of life of a member, told to each who joins.
    """

    def __init__(self, sock, admin, interval):
        self.sock = sock
        self.admin = admin
        self.interval = interval
        self.names = {}                            # address -> name
        self.owners = {}                           # name, as compared -> address
        self.heard = {}                            # address -> when it last sent anything
        # The room's own clock, counted by tick(). It stands still while this process is stopped (Ctrl-Z, a suspended
        # machine), and then nobody is taken for silent whose signs of life are still waiting to be read.
        self.now = 0
        self.looked = 0

    def tick(self):
        """Half an interval has gone by."""
        self.now += 1

    def serve(self):
        """Serve until an exception, such as KeyboardInterrupt, ends it."""
        while True:
            datagram, address = self.sock.recvfrom(MAX_DATAGRAM)
            self.receive(datagram, address)

    def receive(self, datagram, address):
        """Do what one datagram asks for. Whatever is no command is dropped without an answer."""
        if address in self.names:
            self.heard[address] = self.now
        # Looked for when somebody sends: while nobody does, nobody is there to be told.
        if self.looked != self.now:
            self.looked = self.now
            self.remove_silent()

        # A line end may stand behind it, so that a person can speak with the server: nc -u 127.0.0.1 8888
        command, _, text = datagram.decode(errors="replace").rstrip("\r\n").partition(" ")
        if command == "C":
            self.say(address, text)
        elif command == "L":
            self.join(address, text)
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

    def join(self, address, name):
        old = self.names.get(address)
        if old != name:
            reason = self.objection(address, name)
            if reason:
                self.send(f"NO {reason}", address)
                return
            self.leave(address)                    # a new name from an old address
            self.names[address] = name
            self.heard[address] = self.now
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
        if UNSEEN.search(comparable(name)):
            return "a name has no invisible characters"
        if any(c in COLONS for c in comparable(name)):                 # "Bob：hello" would look like a line of Bob's
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

    def remove_silent(self):
        # Three signs of life may be missed. With the tick that has begun and the interval until somebody else sends, a
        # member who vanishes is noticed within five intervals.
        silent = [address for address, when in self.heard.items() if self.now - when > 7]
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
    """Names that differ only in case or in width are one name: Bob, bob and Ｂｏｂ."""
    return unicodedata.normalize("NFKC", name).casefold()


def main():
    args = parse_arguments()
    try:
        sock, terminal = open_sockets(args.bind, args.port)
    except (OSError, UnicodeError) as error:
        print(f"chat_server: {args.bind} port {args.port}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        sys.exit(2)

    room = Room(sock, terminal.getsockname(), interval=args.timeout / 5)
    settings = termios.tcgetattr(sys.stdin) if on_terminal() else None
    # Signals wait until each half has said what they mean to it.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        sock.close()
        with terminal:
            read_terminal(terminal, parent)
    else:
        serve(room, pid, settings)


def serve(room, other_half, settings):
    """The parent: serve the room until a signal, or the death of the forked half, ends both."""
    ended = False

    # The way out is the signal handler itself. An exception thrown from a handler could come at any moment, also
    # while the last one is still being dealt with.
    def end(status):
        nonlocal ended
        if ended:                                  # a second Ctrl-C, in the middle of this
            return
        ended = True
        room.close()
        os.kill(other_half, signal.SIGKILL)        # not SIGTERM: it may be stopped. If it is dead already, no harm is done
        os.waitpid(other_half, 0)
        if settings and on_terminal():             # it may have been editing a line
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
        os._exit(status)

    def child_changed(signum, frame):              # it may also have been stopped, or gone on
        if not ended and os.waitid(os.P_PID, other_half, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            print("chat_server: the half that reads the terminal was killed", file=sys.stderr, flush=True)
            end(1)

    for signum in ENDING:
        if signal.getsignal(signum) is not signal.SIG_IGN:             # as nohup asks for
            signal.signal(signum, lambda signum, frame: end(0))
    signal.signal(signal.SIGCHLD, child_changed)
    signal.signal(signal.SIGALRM, lambda signum, frame: room.tick())
    signal.setitimer(signal.ITIMER_REAL, room.interval / 2, room.interval / 2)
    print(f"listening on {host_and_port(room.sock.getsockname())}", flush=True)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    room.serve()


def read_terminal(sock, parent):
    """The child: send what is typed on the server's terminal to the room, until the parent ends it, or has died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # a Ctrl-C reaches both halves; the parent decides
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
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
    sys.stdin.reconfigure(errors="replace")
    if not sys.stdin.isatty():
        for line in sys.stdin:
            yield line.strip()
    elif on_terminal():                            # if not, it was started with &: the terminal is somebody else's
        import readline                            # noqa: F401 - from here on input() edits lines
        with contextlib.suppress(EOFError, OSError):
            while True:
                yield input().strip()


def on_terminal():
    """Whether standard input is a terminal, and ours to read from."""
    try:
        return sys.stdin is not None and sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:                                # a terminal, but not that of our session, or one that is gone
        return False


def open_sockets(address, port):
    """Return the room's socket, bound to the address, and one for the half that reads the terminal.

    Raises OSError, and UnicodeError for what cannot be a host's name.
    """
    family, kind, protocol, _, name = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket(family, kind, protocol))
        # Not SO_REUSEADDR: with UDP it would let a second server take the same port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind(name)
        # The kernel writes the sender's address into a datagram, and while this socket is open, in either half, nobody
        # else can have its address. So what comes from there was typed on the server's terminal.
        terminal = stack.enter_context(socket.socket(family, kind, protocol))
        terminal.connect(sock.getsockname())
        stack.pop_all()                            # nothing went wrong: they stay open
    return sock, terminal


def host_and_port(address):
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_arguments():
    parser = argparse.ArgumentParser(description="Serve a chat room over UDP.")
    parser.add_argument("port", nargs="?", type=port_number, default=8888, help="UDP port, 0 for a free one (default: 8888)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1", help="address to bind (default: 127.0.0.1)")
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", default=30,
                        help="notice a member who has vanished within this time (default: 30)")
    return parser.parse_args()


def port_number(text):
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text}")
    return int(text)


def seconds(text):
    try:
        if MIN_TIMEOUT <= float(text) <= MAX_TIMEOUT:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"a time is a number of seconds from {MIN_TIMEOUT} to {MAX_TIMEOUT}, not {text}")


if __name__ == "__main__":
    main()
