"""Test the chat's client: joining, leaving, what it shows, and what it does when the server fails."""
import contextlib
import os
import re
import signal
import socket

import harness
import pytest
from chat import CLIENT, COMMAND, SERVER, client, room
from harness import ROOT, Program, Wire, run, serve


def test_chat_client_shows_the_room():
    with room("Ann", stdin=None) as (server, ann), client(server) as tom:
        assert ann.hear() == "SAY Tom 进入了聊天室"
        tom.write("hello\n")
        assert ann.hear() == "SAY Tom：hello"
        ann.say("C hi")
        server.write("quiet\n")
        tom.expect("^Ann：hi\n管理员消息：quiet\n")
        ann.hear()
        tom.write("quit\n")
        tom.finish()
        assert ann.hear() == "SAY Tom退出了聊天室"


def test_chat_client_with_a_full_output_that_does_not_block():
    """Some programs start the client with a non-blocking standard output. The client waits while the output is full."""
    with room("Ann") as (server, ann), Program(*harness.NARROW_OUTPUT, ROOT / CLIENT, server.port, "--name", "Tom") as tom:
        tom.expect("You are in the room")
        for number in range(20):                   # no process reads what Tom's client prints
            ann.say(f"C {number:>500}")
        harness.assert_idle(tom)
        tom.expect("^Ann： +19\n")
        tom.write("quit\n")
        tom.finish()


def test_chat_client_does_not_send_a_long_line():
    with room("Ann") as (server, ann), client(server) as tom:
        assert ann.hear() == "SAY Tom 进入了聊天室"
        tom.write("x" * 1001 + "\n" + "y" * 70_000 + "\nshort\n")
        assert ann.hear() == "SAY Tom：short"
        tom.close_stdin()
        tom.finish(stderr="(! not sent: a line has at most 1000 characters · .*\n){2}")


def test_chat_client_shows_lines_that_come_faster_than_it_wakes_up():
    """The client shows all lines in order. It shows the last one without waiting for another signal."""
    with room("Ann") as (server, ann), client(server) as tom:
        tom.expect("You are in the room")
        for number in range(300):
            ann.say(f"C line {number}")
        tom.expect("line 299\n")
        assert [line for line in tom.stdout.splitlines() if "：" in line][-300:] == [f"Ann：line {n}" for n in range(300)]
        tom.close_stdin()
        tom.finish()


def test_chat_client_from_a_pipe():
    with room("Ann") as (server, ann):
        run(CLIENT, server.port, stdin=" Tom \nfirst\n\n  second  \n")
        assert [ann.hear() for _ in range(4)] == [
            "SAY Tom 进入了聊天室", "SAY Tom：first", "SAY Tom：second", "SAY Tom退出了聊天室"]


@pytest.mark.parametrize("how", ["quit", "end of input", "Ctrl-C", "SIGTERM"])
def test_chat_client_leaves(how):
    with room("Ann") as (server, ann), client(server) as tom:
        assert ann.hear() == "SAY Tom 进入了聊天室"
        ann.say("C hello")
        tom.expect("Ann：hello")                   # so the client has joined, and receives lines
        if how == "quit":
            tom.write("quit\n")
        elif how == "end of input":
            tom.close_stdin()
        elif how == "Ctrl-C":
            tom.interrupt()
        else:
            tom.signal(signal.SIGTERM)
        tom.finish()
        assert ann.hear() == "SAY Tom退出了聊天室"


def test_chat_client_asks_for_another_name():
    with room("Ann") as (server, ann), client(server, name="Ann") as program:
        program.expect("^! the name Ann is taken · 这个姓名已有人使用$", stream="stderr")
        program.write("a b\n")
        program.expect("^! a name cannot contain spaces", stream="stderr")
        program.write("Tom\n")
        assert ann.hear() == "SAY Tom 进入了聊天室"
        program.close_stdin()
        program.finish(stderr="! the name.*\n! a name cannot.*\n")


def test_chat_client_and_server_where_the_encoding_knows_no_chinese():
    latin = {"PYTHONIOENCODING": "latin-1"}
    for script in (SERVER, CLIENT):
        assert "port" in run(script, "--help", env=latin).stdout
    with room("小明", tty=True, env=latin) as (server, ming), client(server, env=latin) as tom:
        tom.expect("You are in the room")
        ming.say("C 你好 hello")
        tom.expect(r"\?\?\?\?\? hello")
        tom.close_stdin()
        tom.finish()


def test_chat_client_without_a_name():
    with serve(SERVER) as server:
        run(CLIENT, server.port, status=1, stderr="chat_client: left before joining · 没有进入聊天室\n")


def test_chat_client_says_that_there_is_no_room():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for name in (["--name", "Tom"], []):           # without --name, the client says so before it asks for a name
        alone = run(CLIENT, port, *name, status=1, stderr="chat_client: no chat room at .*refused; .*\n")
        assert alone.stderr.endswith(f": python {ROOT / SERVER} {port}\n")
    run(CLIENT, "0", status=2, stderr=".*a port is a number.*")
    run(CLIENT, "-H", "127.0.0..1", status=1, stdin="Tom\n", stderr="chat_client: no chat room at 127.0.0..1.*\n")
    run(CLIENT, "-H", "no such host", "--name", "Tom", status=1, stderr="chat_client: no chat room at no such host.*\n")


def test_chat_client_ends_when_the_room_closes():
    with room("Ann") as (server, ann), client(server) as tom:
        ann.hear()
        server.interrupt()
        tom.expect("^! the room is closed · 聊天室已关闭$")
        tom.finish()


def test_chat_client_ends_when_the_server_is_killed():
    with Program(SERVER, "0", "--timeout", "1") as server:
        server.host, server.port = "127.0.0.1", int(server.expect(r"listening on .*:(\d+)")[1])
        with client(server) as tom:
            tom.expect("You are in the room")
            server.signal(signal.SIGKILL)
            server.wait()
            tom.wait()                             # the kernel reports the error once, to the half that uses the socket first
            # If the parent is slow, it sends nothing for so long that the child finds the server silent before that.
            assert tom.status == 1 and (re.search("! the server (has stopped · 服务器已停止|does not answer any more .*)\n", tom.stdout)
                                        or "refused" in tom.stderr)
        server.finish(status=-signal.SIGKILL, orphans=1)


def test_chat_client_ends_when_the_server_falls_silent():
    """The server answers once and never again, like a machine that was unplugged."""
    with Wire(socket.AF_INET, socket.SOCK_DGRAM, name="server") as server:
        server.bind(("127.0.0.1", 0))
        with Program(CLIENT, server.getsockname()[1], "--name", "Tom") as tom:
            datagram, address = server.recvfrom(100)
            assert datagram == b"L Tom"
            server.sendto(b"OK 0.05", address)
            tom.expect("^! the server does not answer any more · 服务器不再应答$")
            tom.finish(status=1)


def test_chat_client_takes_its_leave_also_when_only_the_answer_was_missing():
    """The server may have let the client in already, so the client sends Q before it ends."""
    with Wire(socket.AF_INET, socket.SOCK_DGRAM, name="server") as server:
        server.bind(("127.0.0.1", 0))
        with Program(CLIENT, server.getsockname()[1], "--name", "Tom") as tom:
            assert server.recv(100) == b"L Tom"
            tom.interrupt()
            while (heard := server.recv(100)) == b"L Tom":
                pass
            assert heard == b"Q"
            tom.finish(status=1, stderr="chat_client: left before joining · 没有进入聊天室\n")


def test_chat_client_repeats_what_was_lost():
    """The first question and the first answer are lost on the way: the client asks again, and joins."""
    with room("Ann") as (server, ann), Wire(socket.AF_INET, socket.SOCK_DGRAM, name="network") as network:
        network.bind(("127.0.0.1", 0))
        with Program(CLIENT, network.getsockname()[1], "--name", "Tom") as tom:
            question, tom_address = network.recvfrom(100)              # lost
            for lost in (True, False):
                assert network.recvfrom(100) == (question, tom_address)
                network.sendto(question, (server.host, server.port))
                while (answer := network.recv(100)) == question:       # the client has repeated its question
                    pass
                if not lost:
                    network.sendto(answer, tom_address)
            tom.write("quit\n")
            while (said := network.recvfrom(100)) == (question, tom_address):
                pass
            assert said == (b"Q", tom_address)
            network.sendto(b"Q", (server.host, server.port))
            tom.finish()
        assert [ann.hear(), ann.hear()] == ["SAY Tom 进入了聊天室", "SAY Tom退出了聊天室"]


def test_chat_client_comes_back_after_a_long_pause():
    """A client that is stopped for longer than the server's timeout is removed. When it continues, it joins again by itself."""
    with room(args=["--timeout", "1", "-v"]) as (server,), client(server) as tom:
        server.expect("Tom joined ")
        os.killpg(tom.pid, signal.SIGSTOP)
        server.expect("Tom fell silent ")
        os.killpg(tom.pid, signal.SIGCONT)
        server.expect("Tom joined ")
        tom.close_stdin()
        tom.finish()


def test_chat_client_asks_again_while_others_talk():
    """A line from the room is not the answer to L, so the client goes on asking."""
    with Wire(socket.AF_INET, socket.SOCK_DGRAM, name="server") as server:
        server.bind(("127.0.0.1", 0))
        with Program(CLIENT, server.getsockname()[1], "--name", "Tom") as tom:
            question, address = server.recvfrom(100)
            server.settimeout(0.1)
            again = None
            for _ in range(60):
                server.sendto("SAY Ann：hello".encode(), address)
                with contextlib.suppress(TimeoutError):
                    again = server.recv(100)
                    break
            assert again == question
            server.sendto(b"OK 60", address)
            tom.expect("You are in the room")
            server.sendto(b"END", address)
            tom.finish()


@pytest.mark.parametrize("answer", ["OK", "OK abc", "OK nan", "OK -1", "OK 0", "OK 1e300"])
def test_chat_client_does_not_believe_everything(answer):
    with Wire(socket.AF_INET, socket.SOCK_DGRAM, name="server") as server:
        server.bind(("127.0.0.1", 0))
        with Program(CLIENT, server.getsockname()[1], "--name", "Tom") as tom:
            _, address = server.recvfrom(100)
            server.sendto(answer.encode(), address)
            tom.finish(status=1, stderr="chat_client: no chat room at .*unexpected answer.*\n")


def test_chat_client_whose_output_nobody_reads():
    with room("Ann") as (server, ann):
        run("sh", "-c", f"{COMMAND[CLIENT]} {server.port} --name Tom >/dev/full || exit 7",
            status=7, stdin=None, stderr="")
        assert [ann.hear(), ann.hear()] == ["SAY Tom 进入了聊天室", "SAY Tom退出了聊天室"]


@pytest.mark.parametrize("killed", ["parent", signal.SIGKILL, signal.SIGTERM], ids=["parent", "child", "child, by SIGTERM"])
def test_chat_client_its_halves_end_together(killed):
    with room("Ann") as (server, ann), client(server) as tom:
        assert ann.hear() == "SAY Tom 进入了聊天室"
        ann.say("C hello")
        tom.expect("Ann：hello")                   # the child has received this, so it is running
        [child] = tom.children()
        if killed == "parent":
            tom.signal(signal.SIGKILL)
            tom.wait()
            assert harness.reap(child, harness.ORPHAN_TIMEOUT)
        else:
            os.kill(child, killed)
            tom.finish(status=1, stderr="chat_client: the other process was killed · .*\n")
            assert ann.hear() == "SAY Tom退出了聊天室"


def test_chat_client_does_not_trust_the_server():
    with Wire(socket.AF_INET, socket.SOCK_DGRAM, name="server") as server:
        server.bind(("127.0.0.1", 0))
        with Program(CLIENT, server.getsockname()[1], "--name", "Tom") as tom:
            _, address = server.recvfrom(100)
            server.sendto(b"OK 60", address)
            server.sendto(b"SAY \x1b[2J\xff\n", address)
            tom.expect("^\ufffd\\[2J\ufffd\ufffd$")
            for huge in (b"\xff" * 60_000, "😀".encode() * 15_000, b""):
                server.sendto(b"SAY " + huge, address)
            tom.expect("^\ufffd{10000}\n😀{10000}\n\n")
            server.sendto(b"END", address)
            tom.finish()
