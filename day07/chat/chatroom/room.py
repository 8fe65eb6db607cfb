"""The room: who is in it, and who gets which line.
聊天室：谁在里面，谁收到什么

    to the server                          from the server
    L NAME   let me in; I am still here    OK SECONDS   you are in: repeat L NAME at this interval
                                           NO REASON    you are not in
    C TEXT   say TEXT to the room          SAY LINE     show this line
    Q        I am leaving                  END          the room closes

UDP has no connections. So the room recognizes a member by the sender's address, which the kernel
writes into each datagram; a name in the text would prove nothing.
成员以地址识别，而不是以数据报里的姓名识别。

A datagram can be lost. So a client repeats L until the server answers. After that, the client sends
L at a fixed interval, as its heartbeat (心跳). A member whose heartbeat stops is removed. A lost C
is not sent again.
"""
import time

from chatroom.names import ADMIN, comparable, objection_to
from chatroom.text import MAX_TEXT, TOO_LONG, one_line
from chatroom.watch import host_and_port

MAX_MEMBERS = 500
MAX_DATAGRAM = 8192             # bytes, enough for MAX_TEXT characters; a longer datagram is cut
HEARTBEATS = 5                  # a vanished member is removed within this many intervals
RETRY = 0.1                     # seconds to pause after recvfrom fails
MAX_SILENCE = 7                 # ticks; one interval is two ticks


class Room:
    """Keeps track of the members of the room, and does what each datagram asks for.

    sock: the bound UDP socket.  admin: the address from which the administrator writes.
    interval: seconds between two heartbeats of a member, sent to the member in OK.
    watch: a Watch that shows who joins and leaves, or None.
    """

    def __init__(self, sock, admin, interval, watch=None):
        self.sock = sock
        self.admin = admin
        self.interval = interval
        self.watch = watch
        # address -> name
        self.names = {}
        # comparable(name) -> address
        self.owners = {}
        # address -> the tick at which the member last sent a heartbeat or anything else
        self.heard = {}
        # The room's own clock, advanced by tick(). The clock stops while this process is stopped
        # (Ctrl-Z, a suspended machine), so a heartbeat that waits in the socket does not count as
        # late.
        self.now = 0
        # The tick at which the room last looked for silent members.
        self.looked = 0

    def tick(self):
        """Advance the room's clock. Call this twice in each interval."""
        self.now += 1

    def serve(self):
        """Receive datagrams, and do what they ask for. Never returns."""
        while True:
            try:
                datagram, address = self.sock.recvfrom(MAX_DATAGRAM)
            except OSError:
                # The system lacks memory (ENOMEM), for example: try again a moment later.
                time.sleep(RETRY)
                continue
            self.receive(datagram, address)

    def receive(self, datagram, address):
        """Do what one datagram asks for; ignore a datagram that is not a command."""
        if address in self.names:
            self.heard[address] = self.now
        # Look for silent members once per tick.
        if self.looked != self.now:
            self.looked = self.now
            self.remove_silent()

        # rstrip: a tool such as nc -u also sends the line end.
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
            # If this address already has another name, the member with that name leaves first.
            self.leave(address)
            self.names[address] = name
            self.heard[address] = self.now
            self.owners[comparable(name)] = address
        # Answer each L, because the previous answer may have been lost, but announce each member
        # only once.
        # 每次询问都应答，但只通知大家一次。
        self.send(f"OK {self.interval:g}", address)
        if old != name:
            self.note(name, "joined from", address)
            self.tell(f"{name} 进入了聊天室", but=address)

    def objection(self, address, name):
        """Return why this address cannot have this name, or None if it can."""
        if reason := objection_to(name):
            return reason
        if self.owners.get(comparable(name), address) != address:
            return f"the name {name} is taken · 这个姓名已有人使用"
        if address == self.admin:
            return "the administrator cannot join · 管理员不能作为成员进入"
        if len(self.names) >= MAX_MEMBERS and address not in self.names:
            return f"the room is full: at most {MAX_MEMBERS} · 聊天室已满，最多 {MAX_MEMBERS} 人"
        return None

    def leave(self, address):
        if address in self.names:
            name = self.remove(address)
            self.note(name, "left")
            self.tell(f"{name}退出了聊天室")

    def note(self, name, what, address=None):
        """Tell the watch, if there is one, what a member did."""
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

        A member stays if two of its heartbeats in a row are lost: when the third one arrives, the
        silence has lasted only about six ticks. A member that has been silent for MAX_SILENCE + 1
        ticks is removed as soon as any datagram arrives. The server sends itself an empty datagram
        at each tick, so a vanished member is removed within HEARTBEATS intervals.
        """
        silent = [address for address, when in self.heard.items() if self.now - when > MAX_SILENCE]
        names = []
        for address in silent:
            names.append(self.remove(address))
            self.note(names[-1], "fell silent")
        # Remove all silent members before telling the others: a removed member gets no more lines.
        for name in names:
            self.tell(f"{name}退出了聊天室")

    def close(self):
        """Tell every member that the room is closing."""
        for address in self.names:
            self.send("END", address)

    def tell(self, line, but=None):
        """Send a line to every member except the one at the address `but`."""
        datagram = f"SAY {line}".encode()
        # The loop below is the room's busiest part: look sendto up only once.
        sendto = self.sock.sendto
        for address in self.names:
            if address != but:
                try:
                    sendto(datagram, address)
                except OSError:
                    # The member cannot be reached now. If its heartbeat stops, it will be removed.
                    pass

    def send(self, text, address):
        try:
            self.sock.sendto(text.encode(), address)
        except OSError:
            # As in tell: the client cannot be reached now.
            pass
