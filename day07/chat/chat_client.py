"""A group chat room over UDP, the client: one process reads what you type, a forked one shows what the room says.
群聊聊天室

Run:    python day07/chat/chat_server.py                        first, in another terminal
        python day07/chat/chat_client.py [port] [-H HOST] [--name NAME]

       what you type --> this process --.           .--> L, C, Q  to the server
                                        |--> UDP ---|
    what you see <------ forked half <--'           '<-- OK, NO, SAY, END  from the server

Both halves use one socket, which is what fork makes easy. The one that reads what you type also repeats L NAME as often
as the server asks for, to say that we are still here; the answers tell that the server is. chat_server.py explains the words.
To leave: quit, end of input (Ctrl-D) or Ctrl-C.
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

PROMPT = "> "
MAX_TEXT = 1000                                    # characters in a line
ASK_AGAIN = 0.5                                    # seconds without an answer until the first L is repeated
TRIES = 10
MISSED = 5                                         # intervals without a word from the server until we give it up
MAX_INTERVAL = 86400                               # seconds
RECEIVE_BUFFER = 1 << 20                           # bytes: lines may come faster than a terminal shows them
CLEAR_LINE = "\r\x1b[K"
PR_SET_PDEATHSIG = 1                               # from <sys/prctl.h>
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNALS = (*ENDING, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1)

try:
    import readline                                # with it, input() edits lines
except ImportError:
    readline = None


def main():
    args = parse_arguments()
    if sys.stdin is None or sys.stdout is None:
        sys.exit("chat_client: standard input and output must be open")
    sys.stdin.reconfigure(errors="replace")
    sys.stdout.reconfigure(errors="replace")
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    settings = termios.tcgetattr(sys.stdin) if on_terminal else None

    for signum in ENDING:
        if signal.getsignal(signum) is not signal.SIG_IGN:             # as nohup asks for
            signal.signal(signum, signal.default_int_handler)
    try:
        sock, name, interval = join(args.host, args.port, args.name, on_terminal)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.exit(f"chat_client: no chat room at {args.host} port {args.port}: {reason}")
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nchat_client: left before joining" if on_terminal else "chat_client: left before joining")

    try:
        print(f"You are in the room as {clean(name)}. To leave: quit, Ctrl-D or Ctrl-C.", flush=True)
    except OSError:                                # nobody can see it
        leave(sock)
        os._exit(1)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        listen(sock, interval, parent, on_terminal)
    else:
        talk(sock, name, interval, pid, settings)


def join(host, port, name, on_terminal):
    """Ask for names until the server accepts one; return the socket, the name and the seconds between signs of life.

    When it returns, SIGNALS are blocked: they wait until each half has said what they mean to it.
    Raises EOFError when there is no more input, and OSError when no server answers.
    """
    while True:
        if name is None:
            name = input("Your name: " if on_terminal else "").strip()
        # A socket for each name, so that a late answer about one is not taken for an answer about the next.
        sock = connect(host, port)
        try:
            word, rest = ask(sock, f"L {name}")
            if word == "OK":
                signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
                return sock, name, seconds(rest)
        except BaseException:
            leave(sock)                            # perhaps we are in, and only the answer is missing
            sock.close()
            raise
        sock.close()
        print(f"! {clean(rest)}", file=sys.stderr, flush=True)
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
    for _ in range(TRIES):
        sock.send(question.encode())
        deadline = time.monotonic() + ASK_AGAIN
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                word, rest = receive(sock)
            except TimeoutError:
                break                              # the question or its answer was lost
            if word in ("OK", "NO"):               # and not what the room says in the meantime
                return word, rest
    raise TimeoutError(f"no answer in {ASK_AGAIN * TRIES:g} seconds")


def seconds(text):
    """The interval that the server asks for. Raises OSError for what no chat server would say."""
    try:
        if 0 < float(text) <= MAX_INTERVAL:
            return float(text)
    except ValueError:
        pass
    raise OSError(f"its answer was {clean(text)!r}")


def receive(sock):
    word, _, rest = sock.recv(65536).decode(errors="replace").partition(" ")
    return word, rest


def leave(sock):
    try:
        sock.send(b"Q")
    except OSError:                                # the server was here before us: it is gone
        pass


def talk(sock, name, interval, other_half, settings):
    """The parent: send what is typed and the signs of life, until one of the ways to leave.

    settings: those of the terminal, or None if there is none.
    """
    ended = typing = False

    # The way out is the signal handler itself. An exception thrown from a handler could come at any moment, also
    # while the last one is still being dealt with.
    def end(status, problem=None):
        nonlocal ended
        if ended:                                  # a second Ctrl-C, in the middle of this
            return
        ended = True
        signal.setitimer(signal.ITIMER_REAL, 0)    # no sign of life after the goodbye
        leave(sock)
        os.kill(other_half, signal.SIGKILL)        # not SIGTERM: it may be stopped. If it is dead already, no harm is done
        os.waitpid(other_half, 0)
        with contextlib.suppress(OSError, termios.error):              # the terminal may be the reason why we leave
            if typing:
                os.write(1, b"\n")                 # the shell's prompt gets a line of its own
            if settings:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
            if problem:
                os.write(2, f"chat_client: {problem}\n".encode())
        os._exit(status)

    def child_changed(signum, frame):              # it may also have been stopped, or gone on
        if not ended:
            child = os.waitid(os.P_PID, other_half, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if child:
                end(child.si_status if child.si_code == os.CLD_EXITED else 1)

    def give_a_sign(signum, frame):
        try:
            sock.send(f"L {name}".encode())
        except OSError as error:
            end(1, error.strerror)

    def redraw(signum, frame):                     # the child has written over the line that is being typed
        if typing and readline:
            library = ctypes.CDLL(getattr(readline, "__file__", None))
            if signum == signal.SIGCONT:           # after a Ctrl-Z, the shell has left its own settings of the terminal
                library.rl_deprep_terminal()
                library.rl_prep_terminal(1)
            library.rl_forced_update_display()

    for signum in ENDING:
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, lambda signum, frame: end(0))
    signal.signal(signal.SIGCHLD, child_changed)
    signal.signal(signal.SIGALRM, give_a_sign)
    signal.signal(signal.SIGUSR1, redraw)
    signal.signal(signal.SIGCONT, redraw)
    signal.setitimer(signal.ITIMER_REAL, interval, interval)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    try:
        line = ""
        while line != "quit":
            if len(line) > MAX_TEXT:
                os.write(2, f"! not sent: a line has at most {MAX_TEXT} characters\n".encode())
            elif line:
                sock.send(f"C {line}".encode())
            typing = settings is not None
            line = input(PROMPT if typing else "").strip()
            typing = False
    except EOFError:
        end(0)
    except OSError as error:                       # the server or the terminal is gone
        end(1, error.strerror)
    end(0)


def listen(sock, interval, parent, on_terminal):
    """The child: show what the room says, until it closes or the server falls silent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # a Ctrl-C reaches both halves; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if os.getppid() != parent:                     # it died before the prctl
        os._exit(1)

    def show(line):
        line = clean(line)
        if on_terminal:
            line = CLEAR_LINE + fold(line, os.get_terminal_size(1).columns or 80)
        try:
            sys.stdout.write(line + "\n")          # in one piece: the parent writes to this terminal too
            sys.stdout.flush()
        except OSError:                            # nobody can see it any more
            os._exit(1)
        if on_terminal:
            os.kill(parent, signal.SIGUSR1)

    def end(line, status):
        show(line)
        os._exit(status)                           # the parent hears of it by SIGCHLD

    sock.settimeout(interval)                      # each sign of life is answered, so there is always something to hear
    missed = 0
    while missed < MISSED:
        try:
            word, rest = receive(sock)
        except TimeoutError:
            missed += 1
            continue
        except OSError:
            end("! the server is gone", 1)
        missed = 0
        if word == "SAY":
            show(rest)
        elif word == "NO":                         # we were away for so long that the name has gone to somebody else
            end(f"! {rest}", 1)
        elif word == "END":
            end("! the room is closed", 0)
    end("! the server does not answer any more", 1)


def fold(line, columns):
    """Break a line where the terminal would and indent what follows, so that only a speaker's name stands at the edge."""
    indent = "    "
    folded, width = "", 0
    for c in line:
        size = 2 if unicodedata.east_asian_width(c) in "WFA" else 1
        if width + size > columns:
            folded, width = f"{folded}\n{indent}", len(indent)
        folded += c
        width += size
    return folded


def clean(line):
    """Nothing from the network may move the cursor or change the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Take part in a chat room over UDP.")
    parser.add_argument("port", nargs="?", type=port_number, default=8888, help="UDP port of the server (default: 8888)")
    parser.add_argument("-H", "--host", default="127.0.0.1", help="address of the server (default: 127.0.0.1)")
    parser.add_argument("--name", type=readable, help="ask for this name first")
    return parser.parse_args()


def readable(text):
    """An argument may be any bytes; what travels is UTF-8."""
    return text.encode(errors="replace").decode()


def port_number(text):
    if not text.isdecimal() or not 0 < int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text}")
    return int(text)


if __name__ == "__main__":
    main()
