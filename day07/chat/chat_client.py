"""A group chat room over UDP, the client: one process reads what you type, a forked one shows what the room says.
群聊聊天室

Run:    python day07/chat/chat_server.py                        first, in another terminal
        python day07/chat/chat_client.py [port] [-H HOST] [--name NAME]

       what you type --> this process --.           .--> L, C, Q  to the server
                                        |--> UDP ---|
    what you see <------ forked half <--'           '<-- OK, NO, SAY, END  from the server

Both halves use one socket, which is what fork makes easy. The forked half also repeats L NAME as often as the server
asks for it, to say that we are still here; an answer to it says that the server is. See chat_server.py for the words.
To leave: quit, end of input (Ctrl-D) or Ctrl-C.
"""
import argparse
import contextlib
import ctypes
import os
import signal
import socket
import sys
import time

PROMPT = "> "
MAX_TEXT = 1000                                    # characters in a line
ASK_AGAIN = 0.5                                    # seconds without an answer until the first L is repeated
TRIES = 10
MISSED = 5                                         # signs of life without an answer until we give the server up
RECEIVE_BUFFER = 1 << 20                           # bytes: lines may come faster than a terminal shows them
CLEAR_LINE = "\r\x1b[K"
PR_SET_PDEATHSIG = 1                               # from <sys/prctl.h>
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1)

try:
    import readline                                # input() edits lines, and tells what stands in the one being typed
except ImportError:
    readline = None


def main():
    args = parse_arguments()
    if sys.stdin is None or sys.stdout is None:
        sys.exit("chat_client: standard input and output must be open")
    sys.stdin.reconfigure(errors="replace")
    sys.stdout.reconfigure(errors="replace")
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()

    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)          # as Ctrl-C
    try:
        sock, name, interval = join(args.host, args.port, args.name, on_terminal)
    except OSError as error:
        sys.exit(f"chat_client: no chat room at {args.host} port {args.port}: {error.strerror or error}")
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nchat_client: left before joining" if on_terminal else "chat_client: left before joining")

    print(f"You are in the room as {name}. To leave: quit, Ctrl-D or Ctrl-C.", flush=True)
    with sock:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            sys.exit(listen(sock, name, interval, parent, on_terminal))
        sys.exit(talk(sock, pid, on_terminal))


def join(host, port, name, on_terminal):
    """Ask for names until the server accepts one; return the socket, the name and the seconds between signs of life.

    When it returns, SIGNALS are blocked.  Raises EOFError when there is no more input, and OSError when no server answers.
    """
    while True:
        if name is None:
            name = input("Your name: " if on_terminal else "").strip()
        # A socket for each name, so that a late answer about one is not taken for an answer about the next.
        sock = connect(host, port)
        try:
            word, rest = ask(sock, f"L {name}")
            if word == "OK":
                # From here on signals wait until each half has said what they mean to it.
                signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
                return sock, name, float(rest)
        except BaseException:
            leave(sock)                            # perhaps we are in, and only the answer is missing
            sock.close()
            raise
        sock.close()
        print(f"! {clean(rest)}", flush=True)
        name = None


def connect(host, port):
    """Return a UDP socket for the server there. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    # Connected: datagrams from other addresses do not reach us, and a port where nobody listens is reported as an error.
    sock.connect(address)
    return sock


def ask(sock, question):
    """Repeat the question until it is answered with OK or NO; return the answer's word and its rest. Raises OSError."""
    sock.settimeout(ASK_AGAIN)
    for _ in range(TRIES):
        sock.send(question.encode())
        try:
            word, rest = receive(sock)
            while word not in ("OK", "NO"):        # what the room says in the meantime
                word, rest = receive(sock)
            return word, rest
        except TimeoutError:
            pass                                   # the question or its answer was lost
    raise TimeoutError(f"no answer in {ASK_AGAIN * TRIES:g} seconds")


def receive(sock):
    word, _, rest = sock.recv(65536).decode(errors="replace").partition(" ")
    return word, rest


def leave(sock):
    try:
        sock.send(b"Q")
    except OSError:                                # the server was here before us: it is gone
        pass


def talk(sock, other_half, on_terminal):
    """The parent: send what is typed, until one of the ways to leave; return the exit status."""
    typing = leaving = False
    problem = None

    def redraw(signum, frame):                     # the child has written over the line that is being typed
        if typing:
            typed = readline.get_line_buffer() if readline else ""
            os.write(sys.stdout.fileno(), f"{CLEAR_LINE}{PROMPT}{typed}".encode())

    def stop(signum, frame):
        nonlocal leaving
        if not leaving:                            # a second Ctrl-C changes nothing
            leaving = True
            raise KeyboardInterrupt                # also out of input()

    def child_changed(signum, frame):              # it may also have been stopped, or gone on
        if not leaving and os.waitid(os.P_PID, other_half, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            stop(signum, frame)

    try:
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, stop)
        signal.signal(signal.SIGUSR1, redraw)
        signal.signal(signal.SIGCHLD, child_changed)
        look_for_signals_every(0.5)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        line = ""
        while line != "quit":
            if len(line) > MAX_TEXT:
                print(f"! not sent: a line has at most {MAX_TEXT} characters", flush=True)
            elif line:
                sock.send(f"C {line}".encode())
            typing = on_terminal
            line = input(PROMPT if on_terminal else "").strip()
            typing = False
    except (EOFError, KeyboardInterrupt):
        pass
    except OSError as error:                       # the terminal or the server is gone
        problem = error.strerror or str(error)

    leaving = True
    leave(sock)
    os.kill(other_half, signal.SIGTERM)            # if it has ended already, it is a zombie and does not mind
    _, status = os.waitpid(other_half, 0)
    if typing:
        with contextlib.suppress(OSError):         # the terminal may be the reason why we leave
            os.write(sys.stdout.fileno(), b"\n")   # the shell's prompt gets a line of its own
    if problem:
        sys.exit(f"chat_client: {problem}")
    return max(0, os.waitstatus_to_exitcode(status))


def look_for_signals_every(seconds):
    """Python runs signal handlers between two of its own steps, so a signal that comes just before a step that blocks
    would wait until that step is over. An alarm interrupts it."""
    signal.signal(signal.SIGALRM, lambda signum, frame: None)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def listen(sock, name, interval, parent, on_terminal):
    """The child: show what the room says and give the signs of life; return the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # a Ctrl-C reaches both halves; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if os.getppid() != parent:                     # it died before the prctl
        return 1

    def show(line):
        line = clean(line)
        print(f"{CLEAR_LINE}{line}" if on_terminal else line, flush=True)
        if on_terminal:
            os.kill(parent, signal.SIGUSR1)

    unanswered = 0
    next_sign = time.monotonic() + interval
    while True:
        wait = next_sign - time.monotonic()
        try:
            if wait <= 0 and unanswered == MISSED:
                show("! the server does not answer any more")
                return 1
            if wait <= 0:
                sock.send(f"L {name}".encode())
                unanswered += 1
                next_sign = time.monotonic() + interval
                continue
            sock.settimeout(wait)
            word, rest = receive(sock)
        except TimeoutError:
            continue
        except OSError:
            show("! the server is gone")
            return 1
        if word == "SAY":
            show(rest)
        elif word == "OK":
            unanswered = 0
        elif word == "NO" and unanswered:          # we were away for so long that the name has gone to somebody else
            show(f"! {rest}")
            return 1
        elif word == "END":
            show("! the room is closed")
            return 0


def clean(line):
    """Nothing from the network may move the cursor or change the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Take part in a chat room over UDP.")
    parser.add_argument("port", nargs="?", type=port_number, default=8888, help="UDP port of the server (default: 8888)")
    parser.add_argument("-H", "--host", default="127.0.0.1", help="address of the server (default: 127.0.0.1)")
    parser.add_argument("--name", help="ask for this name first")
    return parser.parse_args()


def port_number(text):
    port = int(text)
    if not 0 < port <= 65535:
        raise ValueError
    return port


if __name__ == "__main__":
    main()
