"""Walk through the course: every script with its heading, its command and its live output.

Run:    python tests/tour.py [DAY]                 such as 07; all days if there is none
        make demo                                  the same

A demo runs by itself. A server is shown with its clients, in a scene: who said what stands in front of each line. The
tour ends by itself, and its exit status is 1 if a script failed.
"""
import contextlib
import os
import signal
import socket
import sys
import time

import course
import harness
from harness import Failure, Program, serve

COLOURS = {"heading": "1", "command": "36", "good": "32", "bad": "31", "who": "2"}


def main():
    scripts = course.scripts_in_order()
    if len(sys.argv) > 1:
        day = sys.argv[1].zfill(2)
        scripts = [script for script in scripts if script.day == day]
        if not scripts:
            print(f"tour: there is no day {sys.argv[1]}", file=sys.stderr)
            sys.exit(2)
    started = time.monotonic()
    failed = []
    for number, script in enumerate(scripts, 1):
        try:
            show(script, f"{number}/{len(scripts)}")
        except Failure as failure:
            failed.append(script.path)
            print(paint("bad", f"FAILED: {failure}"))
        print(flush=True)
    seconds = time.monotonic() - started
    print(paint("bad" if failed else "good",
                f"{len(scripts) - len(failed)} of {len(scripts)} scripts showed their facts, in {seconds:.1f} s"
                + "".join(f"\n    failed: {path}" for path in failed)))
    sys.exit(1 if failed else 0)


def show(script, place):
    print(paint("heading", f"[{place}] {script.path}   {script.heading}"))
    print(script.title, flush=True)
    SCENES.get(script.path, show_demo)(script)


def paint(what, text):
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return f"\x1b[{COLOURS[what]}m{text}\x1b[0m"
    return text


def show_demo(script):
    """Run a script as its docstring says, with its output as it comes."""
    print(paint("command", f"$ {script.commands[0]}"), flush=True)
    _, path, *args = script.commands[0].split()
    with Program(path, *args, stdin="", echo=write) as program:
        program.finish(orphans=course.orphans(path))


def write(data):
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


class Voices:
    """The output of several programs, line by line, each with its name in front."""

    def __init__(self, *names):
        self.width = max(map(course.columns, names))

    def of(self, name):
        """A function for Program's echo."""
        rest = b""

        def echo(data):
            nonlocal rest
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self.show(name, "  ", line.decode(errors="replace"))
        return echo

    def types(self, name, program, text):
        """Type a line for a program, and show it."""
        self.show(name, "< ", text)
        program.write(text + "\n")

    def show(self, name, mark, text):
        print(paint("who", f"{name}{' ' * (self.width - course.columns(name))} |"), f"{mark}{text}", flush=True)


# Scenes

def show_chat_server(script):
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]}"), flush=True)
    voices = Voices("server", "小明", "Tom")
    with serve(script.path, stdin=None, echo=voices.of("server")) as server:
        with chat_client(server, voices, "小明") as ming, chat_client(server, voices, "Tom") as tom:
            ming.expect("Tom 进入了聊天室")
            voices.types("小明", ming, "大家好")
            tom.expect("小明：大家好")
            voices.types("server", server, "五分钟后下课")
            ming.expect("管理员消息：五分钟后下课")
            tom.expect("管理员消息：五分钟后下课")
            voices.types("Tom", tom, "quit")
            tom.finish()
            ming.expect("Tom退出了聊天室")
            server.interrupt()
            ming.expect("the room is closed")
            ming.finish()


def show_chat_client(script):
    print(paint("command", f"$ {script.commands[1].partition(' [')[0]} --name 小明"), flush=True)
    voices = Voices("小明", "other")
    with serve("day07/chat/chat_server.py") as server, chat_client(server, voices, "小明") as ming:
        with chat_client(server, voices, "小明", "other", joins=False) as other:
            other.expect("the name 小明 is taken", stream="stderr")
            voices.types("other", other, "管理员")
            other.expect("is reserved", stream="stderr")
            voices.types("other", other, "Tom")
            ming.expect("Tom 进入了聊天室")
            other.close_stdin()
            other.finish(stderr=".*")
            ming.expect("Tom退出了聊天室")
        voices.types("小明", ming, "quit")
        ming.finish()


def show_echo_server(script):
    """Two clients at once: one is in the middle of something, and the other is served all the same."""
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]}"), flush=True)
    voices = Voices("server", "A", "B")
    with serve(script.path, echo=voices.of("server")) as server:
        with echo_client(server, voices, "A") as a, echo_client(server, voices, "B") as b:
            says(voices, "A", a, "hello")
            says(voices, "B", b, "你好")
            show_what_serves(voices, server)
            says(voices, "A", a, "bye")


def show_iterative_server(script):
    """The second client gets its echo when the first has gone."""
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]}"), flush=True)
    voices = Voices("server", "A", "B")
    with serve(script.path, echo=voices.of("server")) as server:
        with Program("day10/echo_client.py", server.port, echo=voices.of("A")) as a:
            says(voices, "A", a, "hello")
            with echo_client(server, voices, "B") as b:
                voices.types("B", b, "is anybody there?")
                says(voices, "A", a, "bye")
                a.close_stdin()
                voices.show("A", "  ", "(leaves)")
                a.finish()
                b.expect("is anybody there")


def show_echo_client(script):
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]}"), flush=True)
    voices = Voices("client")
    with serve("day10/thread_server.py") as server, echo_client(server, voices, "client") as client:
        says(voices, "client", client, "one")
        says(voices, "client", client, "two")


def show_server_race(script):
    """A short one, to see what it looks like."""
    command = f"{script.commands[0].partition(' [')[0]} --quick"
    print(paint("command", f"$ {command}"), flush=True)
    with Program(script.path, "--quick", echo=write) as program:
        program.finish(stderr="start\n.*\nmemory\n")       # how far it is


def show_ftp_server(script):
    """The two connections, as they are on the wire."""
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]}"), flush=True)
    voices = Voices("server", "control", "data")
    with serve(script.path, echo=voices.of("server")) as server:
        address = server.host, server.port
        with socket.create_connection(address, harness.TIMEOUT) as control, control.makefile("r", newline="\r\n") as replies:
            def ask(command):
                if command:
                    voices.show("control", "< ", command)
                    control.sendall(f"{command}\r\n".encode())
                reply = replies.readline().rstrip()
                voices.show("control", "  ", reply)
                return reply

            for command in ("", "USER anonymous", "PASS me@here"):
                ask(command)
            port = int(ask("EPSV").split("|")[3])
            with socket.create_connection((server.host, port), harness.TIMEOUT) as data, data.makefile(newline="\r\n") as lines:
                ask("NLST")
                for line in lines:
                    voices.show("data", "  ", line.rstrip())
            ask("")
            ask("QUIT")


def show_ftp_client(script):
    print(paint("command", f"$ {script.commands[1].partition(' [')[0]}"), flush=True)
    voices = Voices("client")
    with serve("day11/ftp/ftp_server.py") as server:
        with Program(script.path, server.port, stdin=None, echo=voices.of("client")) as client:
            voices.types("client", client, "list")
            client.expect("课堂笔记.txt")          # the last line of the list
            voices.types("client", client, "get welcome.txt")
            client.expect("got welcome.txt")
            (client.folder / "welcome.txt").unlink()
            voices.types("client", client, "quit")
            client.finish()


def show_http_server(script):
    """Requests and answers as they are on the wire, two at once on one connection, and the log."""
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]}"), flush=True)
    voices = Voices("server", "client")
    with serve(script.path, stderr=".*", echo=voices.of("server")) as server:
        with socket.create_connection((server.host, server.port), harness.TIMEOUT) as client, client.makefile("rb") as answers:
            def ask(*requests):
                for request in requests:
                    voices.show("client", "< ", request)
                client.sendall("".join(f"{request}\r\nHost: {server.host}\r\n\r\n" for request in requests).encode())
                return [answer(request.startswith("HEAD")) for request in requests]

            def answer(is_head):
                """Show the head of an answer, and return its body."""
                length = 0
                while line := answers.readline().decode().strip():
                    name, _, value = line.partition(": ")
                    if name not in ("Server", "Date", "Accept-Ranges", "Cache-Control"):
                        voices.show("client", "  ", line)
                    length = int(value) if name == "Content-Length" else length
                return b"" if is_head else answers.read(length)

            ask("HEAD / HTTP/1.1")
            ask("GET /none HTTP/1.1", "HEAD /style.css HTTP/1.1")
            voices.show("client", "  ", ask("GET /api/status HTTP/1.1")[0].decode())
            show_what_serves(voices, server)


def show_what_serves(voices, server):
    children, threads, epolls = server.children(), server.threads(), server.descriptors().values()
    voices.show("server", "  ", f"(PID {server.pid}: threads {threads}, child processes {len(children)}"
                f"{', waits in epoll' if 'anon_inode:[eventpoll]' in epolls else ''})")


def says(voices, name, program, text):
    voices.types(name, program, text)
    program.expect(f"^{text}\n")


@contextlib.contextmanager
def echo_client(server, voices, name):
    with Program("day10/echo_client.py", server.port, echo=voices.of(name)) as client:
        yield client
        client.close_stdin()                       # Ctrl-D
        client.finish()


@contextlib.contextmanager
def chat_client(server, voices, name, voice=None, joins=True):
    """A client, once it is in the room; or at once, if it will not be let in."""
    with Program("day07/chat/chat_client.py", server.port, "--name", name, echo=voices.of(voice or name)) as program:
        if joins:
            program.expect("You are in the room")
        yield program


SCENES = {
    "day07/chat/chat_server.py": show_chat_server,
    "day07/chat/chat_client.py": show_chat_client,
    "day10/iterative_server.py": show_iterative_server,
    "day10/echo_client.py": show_echo_client,
    "day11/ftp/ftp_server.py": show_ftp_server,
    "day11/ftp/ftp_client.py": show_ftp_client,
    "day12/http_server.py": show_http_server,
    "day12/server_race.py": show_server_race,
    **dict.fromkeys([
        "day10/fork_server.py", "day10/thread_server.py", "day11/select_server.py", "day12/poll_server.py",
        "day12/epoll_server.py", "day12/coroutine_server.py", "day12/gevent_server.py", "day12/asyncio_server.py"],
        show_echo_server),
}


if __name__ == "__main__":
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError) as ending:
        for program in harness.running():
            program.destroy()
        if isinstance(ending, KeyboardInterrupt):
            sys.exit(130)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)                   # whoever read this has gone, as head does
        sys.exit(1)
