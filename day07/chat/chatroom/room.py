"""The room: who is in it, and who hears what.
聊天室：谁在里面，谁听到什么

    to the server                          from the server
    L NAME   let me in; I am still here    OK SECONDS   you are in: repeat L NAME that often
                                           NO REASON    you are not
    C TEXT   say TEXT to the room          SAY LINE     show this line
    Q        I leave                       END          the room closes

UDP has no connections. A member is therefore an address, which the kernel writes into each
datagram; a name inside it would prove nothing. 成员以地址识别，而不是以数据报里的姓名识别。

A datagram may be lost. A client repeats its L until it is answered, and then goes on repeating it:
this is its heartbeat (心跳). A member without a heartbeat has left. A lost C is a lost line.
"""
from chatroom.names import ADMIN, comparable, objection_to
from chatroom.text import MAX_TEXT, TOO_LONG, one_line
from chatroom.watch import host_and_port

MAX_MEMBERS = 500
MAX_DATAGRAM = 8192             # bytes; MAX_TEXT characters take fewer, and the rest is cut off
HEARTBEATS = 5                  # in the time in which a vanished member must be noticed
MAX_SILENCE = 7                 # ticks, of which an interval has two


class Room:
    """The members, and what is done for each datagram.

    sock: the bound UDP socket.  admin: the address whose lines are the administrator's.
    interval: seconds between two heartbeats of a member; each who joins is told.
    watch: a Watch, which is told who comes and goes, or None.
    """

    def __init__(self, sock, admin, interval, watch=None):
        self.sock = sock
        self.admin = admin
        self.interval = interval
        self.watch = watch
        # address -> name
        self.names = {}
        # name, as compared -> address
        self.owners = {}
        # address -> the tick of the last heartbeat, or of anything else it sent
        self.heard = {}
        # The room's own clock, counted by tick(). It stops while this process is stopped (Ctrl-Z,
        # a suspended machine): the heartbeats that wait in the socket then do not come too late.
        self.now = 0
        self.looked = 0

    def tick(self):
        """Half an interval has gone by."""
        self.now += 1

    def serve(self):
        """Serve for ever."""
        while True:
            datagram, address = self.sock.recvfrom(MAX_DATAGRAM)
            self.receive(datagram, address)

    def receive(self, datagram, address):
        """Do what one datagram asks for. One that is no command is dropped without an answer."""
        if address in self.names:
            self.heard[address] = self.now
        # Once per tick is enough.
        if self.looked != self.now:
            self.looked = self.now
            self.remove_silent()

        # Without the line end that a person's tool adds: nc -u 127.0.0.1 8888
        command, _, text = datagram.decode(errors="replace").rstrip("\r\n").partition(" ")
        if command == "C":
            self.say(address, text)
        elif command == "L":
            self.join(address, text)
        elif command == "Q":
            self.leave(address)

    def say(self, address, text):
        if len(text) > MAX_TEXT:
            self.send(f"SAY {TOO_LONG}", address)
        elif address in self.names:
            self.tell(f"{self.names[address]}：{one_line(text)}", but=address)
        elif address == self.admin:
            self.tell(f"{ADMIN}：{one_line(text)}")
        else:
            self.send("SAY ! not sent: you are not in the room · 未发送：你不在聊天室里", address)

    def join(self, address, name):
        old = self.names.get(address)
        if old != name:
            reason = self.objection(address, name)
            if reason:
                self.send(f"NO {reason}", address)
                return
            # Another name from the same address.
            self.leave(address)
            self.names[address] = name
            self.heard[address] = self.now
            self.owners[comparable(name)] = address
        # Each L is answered, because the last answer may have been lost; but announced once.
        # 每次询问都应答，但只通知大家一次。
        self.send(f"OK {self.interval:g}", address)
        if old != name:
            self.note(name, "came from", address)
            self.tell(f"{name} 进入了聊天室", but=address)

    def objection(self, address, name):
        """Why this address may not have this name, or None."""
        if reason := objection_to(name):
            return reason
        if self.owners.get(comparable(name), address) != address:
            return f"the name {name} is taken · 这个姓名已有人使用"
        if address == self.admin:
            return "the administrator cannot join · 管理员不能作为成员进入"
        if len(self.names) >= MAX_MEMBERS and address not in self.names:
            return f"the room is full, it holds {MAX_MEMBERS} · 聊天室已满，最多 {MAX_MEMBERS} 人"
        return None

    def leave(self, address):
        if address in self.names:
            name = self.remove(address)
            self.note(name, "left")
            self.tell(f"{name}退出了聊天室")

    def note(self, name, what, address=None):
        """Tell the watch, if there is one, how the room has changed."""
        if self.watch is not None:
            where = f" {host_and_port(address)}" if address else ""
            self.watch.tell(name, what + where, len(self.names))

    def remove(self, address):
        del self.heard[address]
        name = self.names.pop(address)
        del self.owners[comparable(name)]
        return name

    def remove_silent(self):
        """Remove the members whose heartbeat has stopped. 心跳停止的成员算作退出。

        Three heartbeats may be lost. A member that vanishes is noticed within HEARTBEATS intervals:
        MAX_SILENCE ticks, the tick that has begun, and an interval until another datagram comes:
        from a member, or at the latest the empty one that the server sends itself at each tick.
        """
        silent = [address for address, when in self.heard.items() if self.now - when > MAX_SILENCE]
        names = []
        for address in silent:
            names.append(self.remove(address))
            self.note(names[-1], "fell silent")
        # All are removed before the others are told: those who vanish are not told of each other.
        for name in names:
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
                except OSError:
                    # Unreachable now. If that lasts, its heartbeat is missed and it is removed.
                    pass

    def send(self, text, address):
        try:
            self.sock.sendto(text.encode(), address)
        except OSError:
            # As in tell.
            pass
