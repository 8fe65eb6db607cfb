"""What the tests of the chat need: the commands, members that speak the room's protocol, and a room with some of them.

Datagrams on one machine arrive in the order in which they were sent, and the server handles them one by one. So "nothing
was sent to her" needs no waiting: something is sent to her afterwards, and it must be the next thing that arrives.
"""
import contextlib
import re
import shlex
import socket
import sys

import harness
from harness import ROOT, Program, Wire, serve, wait_until

SERVER, CLIENT = "day07/chat/chat_server.py", "day07/chat/chat_client.py"
COMMAND = {script: shlex.join([sys.executable, str(ROOT / script)]) for script in (SERVER, CLIENT)}    # for a shell
# The rooms of the chat can be imported: from chatroom.room import Room
sys.path.insert(0, str((ROOT / SERVER).parent))


class Member(Wire):
    """Someone who speaks the room's protocol; joins at once if there is a name."""

    def __init__(self, server, name=None):
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM, name=name or "stranger")
        self.connect((server.host, server.port))
        if name:
            self.say(f"L {name}")
            assert re.fullmatch(r"OK [\d.]+", self.hear())

    def say(self, text):
        self.send(text.encode() if isinstance(text, str) else text)

    def hear(self):
        return self.recv(65536).decode()

    def answer(self):
        """The next thing that is not for the whole room: a port may come back, and with it what is said to its last owner."""
        while (heard := self.hear()).startswith("SAY "):
            pass
        return heard

    def join_after(self, name):
        """Ask for a name until the server has removed the member who has it."""
        def is_in():
            self.say(f"L {name}")
            return self.hear().startswith("OK ")
        wait_until(is_in, lambda: f"{name} is not removed")

    def hear_of(self, line):
        """Wait until the room says this, and give signs of life meanwhile."""
        heard = []

        def is_heard():
            self.say(f"L {self.name}")
            with contextlib.suppress(TimeoutError):
                heard.append(self.hear())
            return line in heard
        self.settimeout(0.1)
        wait_until(is_heard, lambda: f"{line} is missing among {heard}")
        self.settimeout(harness.TIMEOUT)
        return heard

    def drain(self):
        """Everything that has arrived."""
        heard = []
        self.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.append(self.hear())
        self.settimeout(harness.TIMEOUT)
        return heard


@contextlib.contextmanager
def room(*names, args=(), **options):
    """A server and members of those names, who have all heard of each other's coming."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(SERVER, *args, **options))
        members = []
        for name in names:
            newcomer = stack.enter_context(Member(server, name))
            assert [other.hear() for other in members] == [f"SAY {name} 进入了聊天室"] * len(members)
            members.append(newcomer)
        yield server, *members


@contextlib.contextmanager
def client(server, *args, name="Tom", **options):
    with Program(CLIENT, server.port, "--name", name, *args, **options) as program:
        yield program
