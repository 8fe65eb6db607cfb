"""Test the chat's server: what its members see, that hostile datagrams do no harm, and how it ends."""
import contextlib
import os
import random
import re
import shutil
import signal
import socket
import time

import pytest
from chat import CLIENT, COMMAND, SERVER, Member, room
from harness import ROOT, TIMEOUT, Program, descriptors, gone, run, serve, wait_until
from screen import Screen

# What the members see

def test_chat_server_tells_the_others():
    with room("小明", "Tom", "Ann", stdin=None) as (server, ming, tom, ann):
        ming.say("C 你好")
        assert tom.hear() == ann.hear() == "SAY 小明：你好"
        server.write("下课了\n")
        assert ming.hear() == tom.hear() == ann.hear() == "SAY 管理员消息：下课了"
        tom.say("Q")
        assert ming.hear() == ann.hear() == "SAY Tom退出了聊天室"
    assert ming.transcript().count("小明") == 2   # in the heading and in L, but in no line that came back


def test_chat_server_says_goodbye():
    with room("A", "B") as (server, a, b):
        server.interrupt()
        assert a.hear() == b.hear() == "END"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_chat_server_ends_properly_on_other_signals(signum):
    with room("A") as (server, a):
        server.signal(signum)
        assert a.hear() == "END"


REFUSED = {
    "": "empty",
    "x" * 33: "at most 32", "汉" * 33: "at most 32",
    "a b": "spaces", "a\u3000b": "spaces", "a\tb": "spaces", " a": "spaces", "a\nb": "spaces",
    "a\x1b[31m": "control", "a\u200bb": "control", "a\u202eb": "control", b"\xff\xfe": "control",
    "管理员": "reserved", "管理员消息": "reserved",
    "管理员消息\ufe00": "invisible", "管理员\u034f": "invisible", "Tom\u3164": "invisible", "\u2800": "invisible",
    "Tom\U000e0100": "invisible", "Tom\uffa0": "invisible",
    "Tom": "taken", "tom": "taken", "Ｔｏｍ": "taken",
    "Tom：hello": "colon", "Tom:": "colon", "管理员消息：hello": "colon", "管理员消息∶hello": "colon",
}


def test_chat_server_refuses_a_name():
    with room("Tom") as (server, tom), Member(server) as new:
        for name, reason in REFUSED.items():
            new.say(b"L " + (name if isinstance(name, bytes) else name.encode()))
            assert re.fullmatch(f"NO .*{reason}.* · .*", new.hear())
        new.say("L Ann")                           # the next name is accepted, and Tom hears of no other
        assert new.hear().startswith("OK ")
        assert tom.hear() == "SAY Ann 进入了聊天室"


def test_chat_server_accepts_a_name():
    names = ["x" * 32, "汉" * 32, "O'Neil", "Zoë", "😀", "a.b-c_d", "Q", "管理"]
    with room(*names):
        pass


def test_chat_server_lets_a_name_free_when_its_owner_leaves():
    with room("Tom", "Ann") as (server, tom, ann):
        tom.say("Q")
        assert ann.hear() == "SAY Tom退出了聊天室"
        with Member(server, "Tom"):
            assert ann.hear() == "SAY Tom 进入了聊天室"


def test_chat_server_answers_each_join_but_announces_one():
    with room("Tom", "Ann") as (server, tom, ann):
        for _ in range(3):
            tom.say("L Tom")
            assert tom.hear().startswith("OK ")
        tom.say("C once")
        assert ann.hear() == "SAY Tom：once"
        tom.say("L Tim")                           # a new name counts as leaving and joining again
        assert tom.hear().startswith("OK ")
        assert [ann.hear(), ann.hear()] == ["SAY Tom退出了聊天室", "SAY Tim 进入了聊天室"]


def test_chat_server_gives_a_name_that_two_want_to_one():
    with serve(SERVER) as server:
        for number in range(100):
            with Member(server) as one, Member(server) as two:
                pair = random.sample([one, two], 2)
                for member in pair:
                    member.say(f"L name{number}")
                answers = [member.answer()[:2] for member in pair]
                assert sorted(answers) == ["NO", "OK"]


def test_chat_server_lets_200_in_at_once():
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(SERVER))
        members = [stack.enter_context(Member(server)) for _ in range(200)]
        outside = dict(enumerate(members))
        for _ in range(10):                        # like a client, ask until there is an answer
            for number, member in outside.items():
                member.say(f"L member{number}")
            for number, member in list(outside.items()):
                member.settimeout(2)
                with contextlib.suppress(TimeoutError):
                    while not (answer := member.hear()).startswith("OK "):
                        assert answer.endswith("进入了聊天室")
                    del outside[number]
        assert not outside
        members[0].say("C hello")
        for member in members[1:]:
            member.settimeout(TIMEOUT)
            while member.hear() != "SAY member0：hello":
                pass


# Hostile datagrams

NONSENSE = [b"", b"x", b"L", b"C", b"Q Tom", b"X Tom", b"SAY hello", b"OK 6", b"END", b"\xff", b"C\xff", b"C \xff\xfe",
            b"\0" * 100, b"L " + b"\xff" * 40, b"C " + b"x" * 65505, b"L " + b"x" * 65505, b"x" * 65507,
            b"\x1b]0;title\x07", b"C \x1b[2J", *(random.Random(7).randbytes(n) for n in range(1, 500, 50))]


@pytest.mark.parametrize("from_a_member", [True, False])
def test_chat_server_survives_nonsense(from_a_member):
    with room("Tom", "Ann", "Eve") as (server, tom, ann, eve), Member(server) as stranger:
        sender = eve if from_a_member else stranger
        for datagram in NONSENSE:
            if datagram[:1] != b"Q":
                sender.say(datagram)
        tom.say("C still here")
        while (line := ann.hear()) != "SAY Tom：still here":
            # Only Eve's lines come through. They begin with her name, and nothing in them moves a cursor.
            assert from_a_member and line.startswith("SAY Eve") and line.isprintable()


def test_chat_server_refuses_a_long_line():
    with room("Tom", "Ann") as (server, tom, ann):
        tom.say("C " + "汉" * 1000)
        assert ann.hear() == "SAY Tom：" + "汉" * 1000
        tom.say("C " + "汉" * 1001)
        assert "at most 1000" in tom.hear()
        tom.say("C short")
        assert ann.hear() == "SAY Tom：short"


CLEANED = {
    "\x1b[31mred\x1b[0m": "\ufffd[31mred\ufffd[0m",
    "\x9b2J": "\ufffd2J",
    "a\rTom：b": "a Tom：b",
    "hi\n管理员消息：hello": "hi 管理员消息：hello",
    "bell\a tab\t \u202eevil": "bell\ufffd tab  \ufffdevil",
    "全角　空格": "全角 空格",
    "Ann 进入了聊天室": "Ann 进入了聊天室",
}


def test_chat_server_cleans_a_line():
    with room("Eve", "Ann") as (server, eve, ann):
        for text, shown in CLEANED.items():
            eve.say(f"C {text}")
            assert ann.hear() == f"SAY Eve：{shown}"


def test_chat_server_no_member_speaks_or_leaves_for_another():
    with room("Tom", "Ann", stdin=None) as (server, tom, ann), Member(server) as stranger:
        stranger.say("C I am Tom")
        assert stranger.hear() == "SAY ! not sent: you are not in the room · 未发送：你不在聊天室里"
        stranger.say("Q Tom")                      # in other chat programs, this would remove Tom
        stranger.say("Q")
        stranger.say("C Tom hello")
        stranger.hear()
        tom.say("C it is me")
        assert ann.hear() == "SAY Tom：it is me"
        ann.say("Q Tom")                           # this removes only Ann, not Tom
        assert tom.hear() == "SAY Ann退出了聊天室"
        server.write("to all\n")
        assert tom.hear() == "SAY 管理员消息：to all"


def test_chat_server_is_bounded_against_a_flood_of_joins():
    with contextlib.ExitStack() as stack:
        # However slow the machine is: no member times out and makes room for another one.
        server = stack.enter_context(serve(SERVER, "--timeout", "600"))
        tom = stack.enter_context(Member(server, "Tom"))
        before = server.memory()
        addresses = set()
        for number in range(5000):
            with Member(server) as one:
                one.say(f"L flood{number}")
                answer = one.answer()
                if answer.startswith("OK "):
                    addresses.add(one.getsockname())       # if a port is used again, this only changes the name
                else:
                    assert answer == "NO the room is full: at most 500 · 聊天室已满，最多 500 人"
        assert len(addresses) == 499
        assert server.memory() < before + 4096
        tom.drain()                                # Tom has not read for so long that his buffer is full
        tom.say("L Tom")                           # Tom is still a member, and gets an answer
        assert tom.answer().startswith("OK ")


def test_chat_server_goes_on_beside_a_member_who_does_not_read():
    """When a receiver's buffer is full, the kernel drops its datagrams. The other members lose nothing."""
    # However slow the machine is: Ann, who only listens, does not time out.
    with room("Tom", "Ann", "Deaf", args=["--timeout", "600"]) as (server, tom, ann, deaf):
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        for number in range(500):
            tom.say(f"C line {number}")
            assert ann.hear() == f"SAY Tom：line {number}"
        arrived = deaf.drain()
        assert 0 < len(arrived) < 500
        assert arrived == [f"SAY Tom：line {number}" for number in range(len(arrived))]


def test_chat_server_notices_who_has_vanished():
    # This process may stop for 2 s: Tom is silent meanwhile, but not yet too long.
    with room("Tom", args=["--timeout", "3"]) as (server, tom):
        with Member(server, "Ghost"):
            tom.hear_of("SAY Ghost 进入了聊天室")
        heard = tom.hear_of("SAY Ghost退出了聊天室")                        # Tom sends heartbeats, Ghost does not
        assert [line for line in heard if line.startswith("SAY")] == ["SAY Ghost退出了聊天室"]
        with Member(server, "Ghost"):              # the name is free again
            tom.hear_of("SAY Ghost 进入了聊天室")


def test_chat_server_notices_within_its_timeout():
    """The Room counts ticks (test_chat_room.py). Here we measure seconds: if ticks were twice as long, it would take at least 2.8 s.

    The shortest of three waits counts, because the machine may also be busy with other programs.
    """
    waits = []
    with room(args=["--timeout", "2", "-v"]) as (server,):
        while len(waits) < 3 and min(waits, default=9) > 2.6:
            with Member(server, "Ghost"):
                left = time.monotonic()
            server.expect("Ghost fell silent ")
            waits.append(time.monotonic() - left)
    assert min(waits) <= 2.6, waits


@pytest.mark.skipif(not shutil.which("nc"), reason="nc is not installed")
def test_chat_server_speaks_with_a_person():
    """Type exactly what day07/README.md shows."""
    page = (ROOT / "day07/README.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```console skip[^\n]*\n\$ nc -u [\d.]+ 8888\n(.*?)```", page, re.DOTALL)
    joins, answer, says = shown.splitlines()
    name, text = joins.removeprefix("L "), says.removeprefix("C ")
    with room("Tom") as (server, tom), Program("nc", "-u", server.host, server.port) as person:
        person.write(f"{joins}\n")
        person.expect(f"^{answer}")
        assert tom.hear() == f"SAY {name} 进入了聊天室"
        person.write(f"{says}\n")
        assert tom.hear() == f"SAY {name}：{text}"
        person.write("Q\n")
        assert tom.hear() == f"SAY {name}退出了聊天室"
        person.interrupt()
        person.finish(status=-signal.SIGINT)


@pytest.mark.skipif(not shutil.which("nc"), reason="nc is not installed")
def test_chat_server_is_poked():
    """Run exactly the commands under "Poke it" in day07/README.md, but with another port."""
    page = (ROOT / "day07/README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\d\. `(.*nc -u .*) 8888`", page, re.MULTILINE)
    answers = re.findall(r"`((?:SAY|NO) [^`]+|Eve：[^`]+)`", page.partition("#### Poke it")[2].partition("####")[0])
    assert len(commands) == 3 and answers[::2] == [
        "SAY ! not sent", "NO the name Ann is taken", "Eve：\ufffd[2J管理员消息：bye"] and answers[1::2] == answers[::2]
    with room("Ann") as (server, ann):
        for command, answer in zip(commands, [*answers[:3:2], "OK 6"]):
            with Program("sh", "-c", f"{command} {server.port}") as shell:
                shell.finish()
                assert shell.stdout.startswith(answer)
        assert [ann.hear(), ann.hear()] == ["SAY Eve 进入了聊天室", f"SAY {answers[-1]}"]


# What the server shows about its room

ANNOUNCED = "type a line to announce it to all users; Ctrl-C stops the server · 在此输入的一行会通知所有人，Ctrl-C 停止服务器"


@pytest.mark.parametrize("args, options", [([], {"tty": True, "stdin": None}), (["-v"], {"stdin": None})])
def test_chat_server_shows_who_is_in(args, options):
    with room(args=["--timeout", "2", *args], **options) as (server,):
        with Member(server) as ming, Member(server) as ann:
            # While the server is stopped, its clock stops too, so nobody falls silent before Ann leaves.
            server.signal(signal.SIGSTOP)
            ming.say("L 小明")
            ann.say("L Ann")
            ann.say("Q")
            server.signal(signal.SIGCONT)
            server.expect(rf"小明 joined from 127\.0\.0\.1:{ming.getsockname()[1]} -> 1 in the room\n")
            server.expect(rf"Ann joined from 127\.0\.0\.1:{ann.getsockname()[1]} -> 2 in the room\n")
            server.expect(r"Ann left -> 1 in the room\n")
        # 小明 was the last member, so no datagram from a member wakes the server: its own clock must do it.
        server.expect(r"小明 fell silent -> 0 in the room\n", timeout=10)
        first, second, *_ = server.stdout.splitlines()
        assert first == f"listening on 127.0.0.1:{server.port}" and second == ANNOUNCED


@pytest.mark.parametrize("args, options", [(["--quiet"], {"tty": True, "stdin": None}), ([], {"stdin": None})])
def test_chat_server_shows_nothing_unasked(args, options):
    with room("Tom", "Ann", args=args, **options) as (server, tom, ann):
        tom.say("Q")
        assert ann.hear() == "SAY Tom退出了聊天室"
    assert server.stdout.splitlines()[0] == f"listening on 127.0.0.1:{server.port}"
    assert "came" not in server.stdout and "left" not in server.stdout and "announced" not in server.stdout
    assert run(SERVER, "-v", "--quiet", status=2, stderr=".*not allowed with.*").stdout == ""


def test_chat_server_draws_what_is_half_typed_again():
    """A new member does not break the administrator's half-typed line: it is drawn again below the new line."""
    screen = Screen()
    with room(tty=True, stdin=None, echo=screen.feed) as (server,), Member(server, "Ann") as ann:
        server.expect("Ann joined .*\n")
        server.write("half ")
        server.expect("half ")
        with Member(server, "Tom"):
            assert ann.hear() == "SAY Tom 进入了聊天室"
            server.expect("Tom joined .*\n.*half ")
            assert screen.lines()[-1] == "half"
            server.write("a line\r")
            assert ann.hear() == "SAY 管理员消息：half a line"


@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
def test_chat_server_goes_on_when_it_cannot_show_its_room(output):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Program("sh", "-c", f"exec {COMMAND[SERVER]} {port} --timeout 1 -v {output}") as server:
        server.host, server.port = "127.0.0.1", port
        wait_until(lambda: len(server.children()) == 1, lambda: "it has not forked")
        server.wait_until_asleep()
        with Member(server, "Tom"), Member(server) as new:
            new.join_after("Tom")                  # after 1 s, in which the child has looked for lines ten times
        server.interrupt()
        server.finish()


@pytest.mark.skipif(not shutil.which("head"), reason="head is not installed")
def test_chat_server_goes_on_when_its_reader_has_gone():
    with Program("sh", "-c", f"{COMMAND[SERVER]} 0 --timeout 1 -v | head -1") as program:
        program.host, program.port = "127.0.0.1", int(program.expect(r"listening on .*:(\d+)")[1])
        with Member(program, "Tom"), Member(program) as new:
            new.join_after("Tom")
        program.interrupt()
        program.finish(status=-signal.SIGINT)


def test_chat_server_waits_for_no_terminal():
    """On a terminal stopped by Ctrl-S, print waits. Here the whole half that prints is stopped, and the room goes on."""
    # However slow the machine is: Ann, who only listens, does not time out.
    with room("Ann", args=["--timeout", "600"], tty=True, stdin=None) as (server, ann):
        server.expect("Ann joined")
        os.kill(server.children()[0], signal.SIGSTOP)      # this half would print; now it takes no more lines
        for number in range(1000):
            with Member(server, f"Tom{number}") as tom:
                tom.say("Q")
            assert [ann.hear(), ann.hear()] == [f"SAY Tom{number} 进入了聊天室", f"SAY Tom{number}退出了聊天室"]


# The server as a program

@pytest.mark.parametrize("args, complaint", [
    (["x"], "a port is a number"), (["70000"], "a port is a number"), (["-1"], "unrecognized|required|invalid|argument"),
    (["--timeout", "0"], "a time is a number"), (["--timeout", "nan"], "a time is a number"),
    (["--timeout", "1e9"], "a time is a number"), (["--timeout", "0.0001"], "a time is a number"),
    (["0", "-b", "203.0.113.1"], "Cannot assign"), (["0", "-b", "no such host"], "not known|resolution|No address"),
    (["0", "-b", "127.0.0..1"], "127.0.0..1"), (["0", "-b", "127.255.255.255"], "Permission|Network|Cannot"),
])
def test_chat_server_says_what_is_wrong_with_its_arguments(args, complaint):
    wrong = run(SERVER, *args, status=2, stderr=".*")
    assert re.search(complaint, wrong.stderr.splitlines()[-1]) and "Traceback" not in wrong.stderr


def test_chat_server_port_in_use():
    with serve(SERVER) as server:
        second = run(SERVER, server.port, status=2, stderr=".*Address already in use; .*\n")
        assert second.stderr.count("\n") == 1
        # The message ends with a command that works.
        other = re.search(r"python (\S+chat_server.py) (\d+)$", second.stderr)
        assert other[1] == str(ROOT / SERVER) and int(other[2]) == server.port % 65535 + 1


def test_chat_server_on_ipv6():
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("this machine has no IPv6")
    with serve(SERVER, "-b", "::1", stdin=None) as server:
        with Program(CLIENT, server.port, "-H", "::1", tty=True) as six:
            six.write("Six\r")
            six.expect("You are in the room as Six")
            server.write("hello\n")
            six.expect("管理员消息：hello\n")
            six.write("quit\r")
            six.finish()


@pytest.mark.parametrize("killed", ["server", "terminal"])
def test_chat_server_its_halves_end_together(killed):
    with Program(SERVER, "0") as program:
        program.expect("listening on")
        [terminal] = program.children()
        if killed == "server":
            program.signal(signal.SIGKILL)
            program.finish(status=-signal.SIGKILL, orphans=1)
        else:
            os.kill(terminal, signal.SIGKILL)
            program.finish(status=1, stderr=".*was killed · .*\n")
        assert gone(terminal)


def test_chat_server_ends_when_its_terminal_closes():
    with Program(SERVER, "0", tty=True) as program:
        program.expect("listening on")
        program.hang_up()
        program.finish()


def test_chat_server_its_keyboard_half_has_one_socket_and_that_is_not_the_rooms():
    """If this half had a copy of the room's socket, the port would stay in use for a moment after the room has ended."""
    with serve(SERVER) as server:
        [child] = server.children()
        wait_until(lambda: len(sockets(child)) == 1, lambda: f"{sockets(child)}")
        assert len(sockets(server.pid)) == 2 and sockets(child) < sockets(server.pid)


def sockets(pid):
    return {what for what in descriptors(pid).values() if what.startswith("socket:")}


def test_chat_server_leaves_the_terminal_as_it_was():
    with Program(SERVER, "0", tty=True) as program:
        program.expect("listening on")
        program.write("x")
        program.expect("x")                        # the line editor echoes it, so it has changed the settings
        program.signal(signal.SIGTERM)
        program.wait()
        assert program.terminal_settings() == program.first_terminal_settings


@pytest.mark.parametrize("how", ["stopped", "ignoring SIGTERM"])
def test_chat_server_ends_whatever_its_other_half_does(how):
    python = f"exec {COMMAND[SERVER]} 0"
    with Program("sh", "-c", python if how == "stopped" else f"trap '' TERM; {python}") as program:
        program.expect("listening on")
        if how == "stopped":
            os.kill(program.children()[0], signal.SIGSTOP)
        program.interrupt()
        program.finish()


def test_chat_server_and_client_respect_nohup():
    server = f"trap '' HUP; exec {COMMAND[SERVER]} 0"
    with Program("sh", "-c", server) as server:
        server.host, server.port = "127.0.0.1", int(server.expect(r"listening on .*:(\d+)")[1])
        client = f"trap '' HUP; exec {COMMAND[CLIENT]} {server.port} --name Tom"
        with Program("sh", "-c", client) as tom, Member(server, "Ann") as ann:
            tom.expect("You are in the room")
            server.signal(signal.SIGHUP)
            tom.signal(signal.SIGHUP)
            ann.say("C hello")
            tom.expect("Ann：hello")
            tom.close_stdin()
            tom.finish()
        server.interrupt()
        server.finish()


def test_chat_server_ends_on_time_at_any_moment():
    """The server's clock is SIGALRM. This signal must not kill the process while the interpreter shuts down."""
    for _ in range(20):
        with room("Tom", args=["--timeout", "0.005"]):
            pass


def test_chat_server_works_without_standard_input():
    for streams in ("<&-", "</dev/null", "<&- 2>&-"):
        with Program("sh", "-c", f"exec {COMMAND[SERVER]} 0 {streams}") as program:
            program.expect("listening on")
            program.interrupt()
            program.finish()


def test_chat_server_a_stop_and_a_continue_change_nothing():
    with room("Tom", "Ann") as (server, tom, ann):
        [terminal] = server.children()
        os.kill(terminal, signal.SIGSTOP)
        os.kill(terminal, signal.SIGCONT)
        tom.say("C hello")
        assert ann.hear() == "SAY Tom：hello"


WINDOWS = """
import ctypes, os, signal, sys
for module in "termios", "fcntl", "readline", "resource", "pwd":
    sys.modules[module] = None
for name in "fork", "waitid", "getppid", "tcgetpgrp", "getpgrp", "WNOHANG":
    if hasattr(os, name):
        delattr(os, name)
for name in list(vars(signal)):
    if name.startswith("SIG") and name not in ("SIGINT", "SIGTERM", "SIGABRT", "SIG_DFL", "SIG_IGN") or "itimer" in name.lower():
        delattr(signal, name)
del signal.pause, signal.pthread_sigmask
def cannot(name, *args, **options):
    raise TypeError("bad argument type for built-in operation")
ctypes.CDLL = cannot
"""


@pytest.mark.parametrize("script", [SERVER, CLIENT])
def test_chat_says_what_it_needs_where_even_more_is_missing(script, tmp_path):
    """Windows lacks not only fork, but also termios, readline and SIGHUP. The imports must work, so that main() can say what is missing."""
    (tmp_path / "sitecustomize.py").write_text(WINDOWS)
    windows = run(script, status=2, stderr="this needs os.fork: [^\n]+\n", env={"PYTHONPATH": str(tmp_path)})
    assert windows.stdout == ""


NO_PRCTL = """
import ctypes
class CDLL(ctypes.CDLL):
    def __getattr__(self, name):
        if name == "prctl":
            raise AttributeError(name)
        return super().__getattr__(name)
ctypes.CDLL = CDLL
"""


@pytest.mark.parametrize("script", [SERVER, CLIENT])
def test_chat_says_that_it_needs_prctl(script, tmp_path):
    """macOS has fork, but not prctl."""
    (tmp_path / "sitecustomize.py").write_text(NO_PRCTL)
    mac = run(script, status=2, stderr="this needs Linux's prctl: [^\n]+\n", env={"PYTHONPATH": str(tmp_path)})
    assert mac.stdout == ""


def test_chat_server_two_datagrams_are_two_messages():
    """UDP keeps message boundaries: two datagrams wait in the socket of a stopped server, and are read one by one."""
    with room("Tom", "Ann") as (server, tom, ann):
        server.signal(signal.SIGSTOP)
        tom.say("C one")
        tom.say("C two")
        server.signal(signal.SIGCONT)
        assert [ann.hear(), ann.hear()] == ["SAY Tom：one", "SAY Tom：two"]
