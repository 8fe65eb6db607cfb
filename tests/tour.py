"""Walk through the course: show every script with its heading, its command and its live output.

Run:    python tests/tour.py [DAY or SCRIPT]...    such as 07 or day10/race.py; by default, all scripts
        make demo                                  the same

A demo is a script that runs by itself. A server is shown in a scene, together with its clients: each line begins with the
name of the program that printed it. On a terminal the tour stops after each script (see walk.py); elsewhere it does not stop.
The exit status is 1 if a script failed.
"""
import ast
import contextlib
import importlib.util
import os
import re
import signal
import socket
import sys
import time

import course
import harness
import walk
from harness import Failure, Program, serve

COLOURS = {"heading": "1", "command": "36", "good": "32", "bad": "31", "who": "2"}
CAME, LEFT = r"^\S+ -> .+\n", r"^\S+ left.+\n"      # what an echo server prints when a client comes, and when it leaves
WIDTH = 80                                         # columns of a terminal


def main():
    scripts, missing, left_out = what_can_run(choose(course.scripts_in_order(), sys.argv[1:]))
    if not scripts:
        fail(f"{missing} not installed; make packages installs what is missing (you need a network)")
    if left_out:
        print(fold(f"left out, because {missing} not installed (没有安装，略过): {left_out}"), end="\n\n", flush=True)
    started, stops = time.monotonic(), walk.is_possible()
    results = go_through(scripts, stops)           # path of each script that was shown -> whether it succeeded
    took = "" if stops else f", in {time.monotonic() - started:.1f} s"
    failed = [path for path, did_well in results.items() if not did_well]
    print(paint("bad" if failed else "good",
                f"{len(results) - len(failed)} of {len(results)} scripts passed their own checks{took}"
                + "".join(f"\n    failed: {path}" for path in failed)))
    sys.exit(1 if failed else 0)


def choose(scripts, words):
    """Return the scripts that the words name (a word is a day or a script); all scripts if there are no words."""
    chosen = set()
    for word in words:
        named = [script.path for script in scripts
                 if script.day == word.removeprefix("day").zfill(2) or f"/{script.path}".endswith(f"/{word}")]
        if not named and word.endswith(".py"):
            fail(f"there is no script {word}; README.md lists all scripts")
        if not named:
            fail(f"there is no day {word}; the days are {' '.join(sorted({script.day for script in scripts}))}")
        chosen.update(named)
    return [script for script in scripts if script.path in chosen or not words]


def fail(message):
    print(f"tour: {message}", file=sys.stderr)
    sys.exit(2)


def what_can_run(scripts):
    """Return the scripts whose packages are installed, a phrase that names the missing packages, and the other scripts' names."""
    missing = {script.path: missing_packages(script.path) for script in scripts}
    packages = sorted(set().union(*missing.values()))
    words = " and ".join(packages) + (" are" if len(packages) > 1 else " is")
    names = ", ".join(os.path.basename(path) for path, lacks in missing.items() if lacks)
    return [script for script in scripts if not missing[script.path]], words, names


def missing_packages(path):
    """Return the names of the packages that a script imports and that are not installed."""
    return {name for name in imported(path) - sys.stdlib_module_names - course.packages_beside(path)
            if importlib.util.find_spec(name) is None}


def imported(path):
    """Return the names of all modules and packages that a script imports."""
    names = set()
    for node in ast.walk(ast.parse((course.ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    return names


def go_through(scripts, stops):
    """Show the scripts in turn; if stops is true, ask the user after each. Return {path: whether the script succeeded}."""
    results, position = {}, 0
    while position < len(scripts):
        path = scripts[position].path
        results[path] = show_safely(path, f"{position + 1}/{len(scripts)}")
        answer = ask_about(path, position + 1 == len(scripts)) if stops else walk.NEXT
        if answer == walk.QUIT:
            break
        if answer == walk.ALL:
            stops = False
        if answer != walk.AGAIN:
            position += 1
    return results


def ask_about(path, is_last):
    """Ask the user what comes next, and return the answer. If the user asks for the script's source, show it and ask again."""
    while (answer := walk.ask(is_last)) == walk.SOURCE:
        walk.show_source(path)
    return answer


def show_safely(path, place):
    """Show a script as its file is now, because the user may have edited it; return whether it succeeded."""
    try:
        show(course.describe(path), place)
        return True
    except Failure as failure:
        print(paint("bad", f"FAILED: {failure}"))
        return False
    finally:
        print(flush=True)


def show(script, place):
    notes = f"   {course.NOTES}{script.heading}" if script.heading else ""
    print(paint("heading", fold(f"[{place}] {script.path}{notes}")))
    print(fold(script.title))
    print(fold(script.title_zh), flush=True)
    SCENES.get(script.path, show_demo)(script)


def fold(text):
    """Break a line into lines that fit on the terminal: between words, or between any two Chinese characters."""
    lines, line = [], ""
    # No line begins with a punctuation mark such as a comma.
    for word in re.findall(r" *(?:[!-~]+|[^ ])[，。：；？！）」、]*", text):
        if line and course.columns(line + word) > WIDTH:
            lines.append(line)
            line, word = "    ", word.lstrip()
        line += word
    return "\n".join([*lines, line])


def paint(what, text):
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return f"\x1b[{COLOURS[what]}m{text}\x1b[0m"
    return text


def show_demo(script):
    """Run a script with the command in its docstring, and show its output as it comes."""
    print(paint("command", f"$ {script.commands[0]}"), flush=True)
    _, path, *args = script.commands[0].split()
    with Program(path, *args, stdin="", echo=write) as program:
        program.finish(orphans=course.orphans(path))


def write(data):
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


class Voices:
    """Shows the output of several programs line by line, with the name of the program in front of each line."""

    def __init__(self, *names):
        self.width = max(map(course.columns, names))

    def of(self, name):
        """Return a function to pass to Program as echo: this function shows what the program prints, under this name."""
        rest = b""

        def echo(data):
            nonlocal rest
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self.show(name, "  ", line.decode(errors="replace"))
        return echo

    def types(self, name, program, text):
        """Write a line to the stdin of a program, and show the line."""
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
    """Show two clients at once: the server serves client B while client A is still connected."""
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]} -v"), flush=True)
    voices = Voices("server", "A", "B")
    with serve(script.path, "-v", echo=voices.of("server")) as server:
        with echo_client(server, voices, "A") as a:
            server.expect(CAME)
            says(voices, "A", a, "hello")
            with echo_client(server, voices, "B") as b:
                server.expect(CAME)
                says(voices, "B", b, "你好")
                show_what_serves(voices, server)
                says(voices, "A", a, "bye")
            server.expect(LEFT)
        server.expect(LEFT)


def show_iterative_server(script):
    """Show two clients at once: client B gets its echo only after client A has left."""
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]} -v"), flush=True)
    voices = Voices("server", "A", "B")
    with serve(script.path, "-v", echo=voices.of("server")) as server:
        with Program("day10/echo_client.py", server.port, echo=voices.of("A")) as a:
            server.expect(CAME)
            says(voices, "A", a, "hello")
            with echo_client(server, voices, "B") as b:
                voices.types("B", b, "is anybody there?")
                says(voices, "A", a, "bye")
                a.close_stdin()
                voices.show("A", "  ", "(leaves)")
                a.finish()
                server.expect(LEFT)
                server.expect(CAME)
                b.expect("is anybody there")


def show_echo_client(script):
    print(paint("command", f"$ {script.commands[0].partition(' [')[0]}"), flush=True)
    voices = Voices("client")
    with serve("day10/thread_server.py") as server, echo_client(server, voices, "client") as client:
        says(voices, "client", client, "one")
        says(voices, "client", client, "two")


def show_server_race(script):
    """Show a short race, so that you see what the report looks like."""
    command = f"{script.commands[0].partition(' [')[0]} --quick"
    print(paint("command", f"$ {command}"), flush=True)
    with Program(script.path, "--quick", echo=write) as program:
        program.finish(stderr="start\n.*\nmemory\n")       # the race reports its progress on stderr


def show_ftp_server(script):
    """Show the lines of both FTP connections, control and data, as they are sent."""
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
    """Show requests and answers as they are sent, two requests at once on one connection, and the server's log."""
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


def show_classroom(script):
    """Show what the classroom's page asks the server, and what the server answers."""
    from classroom_client import Page

    print(paint("command", f"$ {script.commands[0].partition(' [')[0]}"), flush=True)
    voices = Voices("server", "page")
    with serve(script.path, echo=voices.of("server")) as server:
        page = Page(server)
        voices.show("page", "< ", "POST /api/runs  day07/get_pid.py")
        run = page.start("day07/get_pid.py")
        voices.show("page", "< ", f"GET {run}?from=0")
        answer = page.finish(run)
        for lane in answer["lanes"]:
            said = "".join(piece["text"] for piece in answer["pieces"] if piece["lane"] == lane["lane"])
            for line in said.splitlines():
                voices.show("page", "  ", f"{lane['name']['en']}: {line}")
        voices.show("page", "< ", "POST /api/runs  day10/fork_server.py")
        run = page.serve("day10/fork_server.py")
        voices.show("page", "< ", f"POST {run}/clients  connect, 2")
        page.connect(run, 2)
        voices.show("page", "< ", f"GET {run}/system")
        page.until(lambda: len(page.get(f"{run}/system")["processes"]) == 3)
        for process in page.get(f"{run}/system")["processes"]:
            sockets = [f"{one['kind']} {one['remote']}".strip() for one in process["sockets"]]
            voices.show("page", "  ", f"PID {process['pid']}, {process['state']}: {', '.join(sockets)}")


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
    """Start a chat client and yield it once it is in the room; if joins is false, yield it immediately."""
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
    "day12/classroom.py": show_classroom,
    **dict.fromkeys([
        "day10/fork_server.py", "day10/thread_server.py", "day11/select_server.py", "day12/poll_server.py",
        "day12/epoll_server.py", "day12/coroutine_server.py", "day12/gevent_server.py", "day12/asyncio_server.py"],
        show_echo_server),
}


if __name__ == "__main__":
    # Write UTF-8 in a POSIX locale too: the programs write UTF-8, and we pass on their bytes unchanged.
    sys.stdout.reconfigure(encoding="utf-8")
    for terminating in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(terminating, lambda signum, frame: sys.exit(128 + signum))
    try:
        main()
    except KeyboardInterrupt:
        # On a terminal, Ctrl-C ends the tour like the key q, so make must not report a failure.
        sys.exit(0 if walk.is_possible() else 130)
    except BrokenPipeError:                        # the program that reads our output has exited, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
    finally:
        for program in harness.running():
            program.destroy()
