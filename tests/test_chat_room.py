"""Test the chat's Room by itself, without a socket: the tests hand datagrams to it, and move its clock."""
import argparse
import re
import unicodedata

import chat                                        # noqa: F401 - it makes the package chatroom importable
import pytest
from chatroom import arguments, names, room, text, watch


class Post:
    """Replaces the UDP socket: keeps each datagram, and raises OSError for unreachable addresses. An address is any word."""

    def __init__(self, unreachable=()):
        self.unreachable = unreachable
        self.sent = []

    def sendto(self, datagram, address):
        if address in self.unreachable:
            raise OSError("unreachable")
        self.sent.append((address, datagram.decode()))

    def take(self):
        """Return the datagrams sent since the last call, as [(address, text)]."""
        sent, self.sent = self.sent, []
        return sent


class Chat(room.Room):
    """A room whose members Tom, Ann and Eve have the addresses tom, ann and eve."""

    def __init__(self, *members, **options):
        super().__init__(Post(**options), admin="admin", interval=6)
        for member in members:
            self.hear(member.lower(), f"L {member}")
        self.sock.take()

    def hear(self, address, words):
        """Give the room a datagram from this address; return the datagrams that it sends."""
        self.receive(words if isinstance(words, bytes) else words.encode(), address)
        return self.sock.take()

    def ticks(self, number):
        for _ in range(number):
            self.tick()


def test_chat_room_tells_who_comes_what_is_said_and_who_leaves():
    chat = Chat("Tom", "Ann")
    assert chat.hear("ming", "L 小明") == [("ming", "OK 6"), ("tom", "SAY 小明 进入了聊天室"), ("ann", "SAY 小明 进入了聊天室")]
    assert chat.hear("ming", "C 你好") == [("tom", "SAY 小明：你好"), ("ann", "SAY 小明：你好")]
    assert chat.hear("admin", "C 下课了") == [(who, "SAY 管理员消息：下课了") for who in ("tom", "ann", "ming")]
    assert chat.hear("ming", "Q") == [("tom", "SAY 小明退出了聊天室"), ("ann", "SAY 小明退出了聊天室")]
    chat.close()
    assert chat.sock.take() == [("tom", "END"), ("ann", "END")]


def test_chat_room_speaks_the_words_of_its_docstring():
    """Try each word of the table in the docstring of room.py."""
    rows = [line for line in room.__doc__.splitlines() if re.match(r"    .{30,}", line)][1:]
    theirs = dict(re.match(r"    (\w+)(?: \w+)? +(.*?)(?:  |$)", row).groups() for row in rows if row[4] != " ")
    ours = dict(re.match(r".{43}(\w+)(?: [A-Z]+)? +(.*)", row).groups() for row in rows)
    assert theirs.keys() == {"L", "C", "Q"} and ours.keys() == {"OK", "NO", "SAY", "END"}
    word = {meaning.split()[0]: word for word, meaning in theirs.items()}
    chat = Chat("Ann")
    [[_, let_in], [_, announced]] = chat.hear("tom", f"{word['let']} Tom")
    assert let_in.split() == ["OK", "6"] and "you are in" in ours["OK"] and announced.startswith("SAY ")
    assert chat.hear("tom", f"{word['say']} hello") == [("ann", "SAY Tom：hello")] and "show this line" in ours["SAY"]
    assert chat.hear("eve", f"{word['let']} Tom")[0][1].startswith("NO ") and ours["NO"] == "you are not in"
    assert chat.hear("tom", word["I"]) == [("ann", "SAY Tom退出了聊天室")]
    chat.close()
    assert chat.sock.take() == [("ann", "END")] and "closes" in ours["END"]


def test_chat_room_answers_each_l_and_announces_the_first():
    chat = Chat("Tom", "Ann")
    assert chat.hear("tom", "L Tom") == [("tom", "OK 6")]
    assert chat.hear("tom", "L Tim") == [("ann", "SAY Tom退出了聊天室"), ("tom", "OK 6"), ("ann", "SAY Tim 进入了聊天室")]


def test_chat_room_knows_members_by_their_address():
    chat = Chat("Tom", "Ann")
    assert chat.hear("eve", "Q Tom") == []
    [(address, answer)] = chat.hear("eve", "C I am Tom")
    assert address == "eve" and answer.startswith("SAY ! not sent: you are not in the room")
    [(address, answer)] = chat.hear("eve", "L tOM")
    assert address == "eve" and answer.startswith("NO the name tOM is taken")
    [(address, answer)] = chat.hear("admin", "L Boss")
    assert address == "admin" and answer.startswith("NO the administrator cannot join")
    assert chat.names == {"tom": "Tom", "ann": "Ann"}


@pytest.mark.parametrize("datagram", [b"", b"x", b"LTom", b"X Tom", b"\xff", b"\0" * 100, b"SAY hello", b"END", b"OK 6", b"l Tom"])
def test_chat_room_drops_what_is_no_command(datagram):
    chat = Chat("Tom")
    assert chat.hear("tom", datagram) == chat.hear("eve", datagram) == []


def test_chat_room_takes_a_line_end_off():
    chat = Chat("Tom")
    assert chat.hear("ann", "L Ann\r\n")[1] == ("tom", "SAY Ann 进入了聊天室")


def test_chat_room_goes_on_if_one_member_cannot_be_reached():
    chat = Chat("Tom", "Ann", "Eve", unreachable=["ann"])
    assert chat.hear("tom", "C hello") == [("eve", "SAY Tom：hello")]
    chat.close()
    assert chat.sock.take() == [("tom", "END"), ("eve", "END")]


def test_chat_room_goes_on_if_the_system_cannot_receive_now(monkeypatch):
    chat, pauses = Chat("Tom"), []
    monkeypatch.setattr(room.time, "sleep", pauses.append)
    results = [OSError("no memory"), (b"L Tom", "tom"), EOFError]

    def recvfrom(size):
        result = results.pop(0)
        if isinstance(result, tuple):
            return result
        raise result
    chat.sock.recvfrom = recvfrom
    with pytest.raises(EOFError):
        chat.serve()
    assert chat.sock.take() == [("tom", "OK 6")] and pauses == [room.RETRY]


def test_chat_room_removes_a_member_whose_heartbeat_has_stopped():
    """The member is removed within HEARTBEATS intervals: eight ticks, and at most one interval until another member sends."""
    chat = Chat("Tom", "Ann")
    chat.ticks(4)
    assert chat.hear("ann", "L Ann") == [("ann", "OK 6")]
    chat.ticks(3)
    assert chat.hear("ann", "L Ann") == [("ann", "OK 6")]              # Tom is silent, but not yet too long
    chat.ticks(1)
    assert chat.hear("ann", "L Ann") == [("ann", "SAY Tom退出了聊天室"), ("ann", "OK 6")]
    assert chat.hear("new", "L Tom")[0] == ("new", "OK 6")             # the name is free
    assert 8 / 2 + 1 == room.HEARTBEATS


def test_chat_room_two_heartbeats_in_a_row_may_be_lost_but_not_three():
    chat = Chat("Tom", "Ann")
    for lost, stays in (2, True), (3, False):
        # A heartbeat is due every two ticks. At each tick, the server sends itself an empty datagram.
        for _ in range(2 * (lost + 1)):
            chat.ticks(1)
            chat.hear("server", b"")
            chat.heard["ann"] = chat.now
        assert ("tom" in chat.names) is stays
        chat.hear("tom", "L Tom")


def test_chat_room_any_datagram_is_a_sign_of_life():
    chat = Chat("Tom", "Ann")
    for words in ["C hello", "", "nonsense", "L Tom"]:
        chat.ticks(7)
        chat.hear("ann", "L Ann")
        chat.hear("tom", words)
    assert set(chat.names) == {"tom", "ann"}


def test_chat_room_does_not_tell_those_who_vanish_together_of_each_other():
    chat = Chat("Tom", "Ann", "Eve")
    chat.ticks(8)
    assert chat.hear("eve", "L Eve") == [("eve", "SAY Tom退出了聊天室"), ("eve", "SAY Ann退出了聊天室"), ("eve", "OK 6")]


def test_chat_room_is_full_with_its_last_member():
    chat = Chat(*(f"member{number}" for number in range(room.MAX_MEMBERS)))
    [(_, answer)] = chat.hear("new", "L new")
    assert answer.startswith("NO the room is full: at most 500")
    assert ("member0", "OK 6") in chat.hear("member0", "L other")      # a member can change its name in a full room


class Noted(list):
    """Replaces the Watch: keeps what the room tells it."""

    def tell(self, name, what, members):
        self.append((name, what, members))


def test_chat_room_tells_its_watch_who_comes_and_goes():
    chat = room.Room(Post(), admin="admin", interval=6, watch=Noted())
    for datagram, address in [("L 小明", ("127.0.0.1", 40001)), ("L 小明", ("127.0.0.1", 40001)), ("L Ann", ("::1", 2, 0, 0)),
                              ("L 小明", ("127.0.0.1", 3)), ("C hello", ("127.0.0.1", 3)), ("L Eve", ("::1", 2, 0, 0)), ("Q", ("::1", 2, 0, 0))]:
        chat.receive(datagram.encode(), address)
    for _ in range(8):
        chat.tick()
    chat.receive(b"", "admin")                     # at each tick, the server sends this to itself
    assert chat.watch == [("小明", "joined from 127.0.0.1:40001", 1), ("Ann", "joined from [::1]:2", 2), ("Ann", "left", 1),
                          ("Eve", "joined from [::1]:2", 2), ("Eve", "left", 1), ("小明", "fell silent", 0)]


class Screenless:
    """Replaces the Terminal: keeps the lines to show, or raises the given error."""

    def __init__(self, error=None):
        self.error = error
        self.shown = []

    def show(self, line):
        if self.error:
            raise self.error
        self.shown.append(line)


def test_chat_watch_hands_lines_over_and_waits_for_nothing(impatient):
    watched = watch.Watch()
    with watched.for_room, watched.for_child:
        watched.tell("小明", "joined from 127.0.0.1:40001", 2)
        watched.tell("a\x1b[2J\n", "left", 1)      # the room refuses this name, but the watch cleans it too
        terminal = Screenless()
        watched.show(terminal)
        watched.show(terminal)                     # no new line has come
        assert terminal.shown == ["小明 joined from 127.0.0.1:40001 -> 2 in the room", "a\ufffd[2J  left -> 1 in the room"]
        for number in range(100_000):              # no child takes these lines
            watched.tell("Tom", "left", number)
        watched.show(Screenless(OSError("no terminal")))
        watched.show(terminal)
        assert len(terminal.shown) == 2 + watch.LINES_PER_LOOK
    watched.tell("Tom", "left", 1)                 # the child's socket is closed


@pytest.mark.parametrize("read, right, wrong", [
    (arguments.port_to_listen_on, ["0", "1", "65535"], ["-1", "65536", "x", "", "1.0"]),
    (arguments.port_of_server, ["1", "65535"], ["0", "65536", "-1"]),
    (arguments.timeout, ["0.005", "1", "86400"], ["0.0049", "86400.1", "-1", "nan", "x"]),
])
def test_chat_room_takes_arguments_within_limits(read, right, wrong):
    assert [read(text) for text in right] == [float(text) for text in right]
    for text in wrong:
        with pytest.raises(argparse.ArgumentTypeError, match=f"not {text} · "):
            read(text)


@pytest.mark.parametrize("one, other, same", [
    ("Bob", "bob", True), ("Bob", "Ｂｏｂ", True), ("straße", "STRASSE", True), ("Bob", "Rob", False), ("小明", "小名", False),
    ("José", "Jose\u0301", True), ("José", "Jose", False), ("member1", "member2", False),
    ("сосо", "coco", True), ("Том", "Tom", True), ("ΑΒΕ", "abe", True),                    # Cyrillic, Greek
    ("Paul", "PauI", True), ("Paul", "Pau1", True), ("B0b", "Bob", True), ("Ti\u0307m", "Tim", True), ("İpek", "ipek", True),
    ("Bob\u0332", "Bob", True), ("エ明", "工明", True), ("O’Neil", "O'Neil", True)])
def test_chat_room_names_that_are_the_same(one, other, same):
    assert (names.comparable(one) == names.comparable(other)) == same


USUAL = """
    Олег 小明 José Jose\u0301 김철수 Ελένη محمد योगेश क़ासिम สมชาย ทองคำ བསྟན་འཛིན 阿凡提·买买提 ジョン・スミス らーめん 山田ゆうき Tom小明 Əli Łukasz
    Nguyễn O'Neil O’Neil Zoë Straße İpek گۈل שרה ꆈꌠ ᠮᠣᠩᠭᠣᠯ မြို့ மணி 二〇 々木 ㅋㅋ 小明！ （小明） 😀 👍🏻 a.b-c_d Q 管理 5 Ｔｏｍ
    T\u0316\u0317\u0318\u0319om
    """


def test_chat_room_accepts_a_name_in_one_script():
    assert {name: reason for name in USUAL.split() if (reason := names.objection_to(name))} == {}


LOOK_ALIKES = {
    "colon": "Bob︰hi Bobːhi Bob꞉hi Bob܃hi Bobःhi रामः Bob⦂hi Bob‥hi Bob﹕hi Bob˸hi Bob᠄hi Bob︓hi",
    "cannot contain": "Bob፡hi Bob։hi Bob׃hi Bob⁝hi Bob⠆hi Bob⋮hi ꓐꓳꓐ ᏴᎾᏏ ʙob bɑb ǃTom 🅱ob 🇹🇴 ⺠ ㇀ 〡 ㈱ ㇐ ￥Tom Bob‑ т\u20ddom",
    "mix": "Bоb Βob Tοm Оlga Олеg Αnn ロо 小о",
    "reserved": "管理員消息 管理員 管理员訊息 管理者 -管理员 管·理员 管理员消息! 管理员1",
    "invisible": "Bob\u115f Bob\u1160 Bob\u3164 Bob\uffa0 Bob\u034f Bob\u17b4 Bob\u17b5 Bob\u180b Bob\u2800 Bob\ufe0f Bob\U000e0101",
    "control": "Bob\u200b Bob\u2060 Bob\u00ad Bob\u061c Bob\ufeff Bob\u180e Bob\ue000 Bob\U000e0041",
    "mark": "\u0301Tom T\u0316\u0317\u0318\u0319\u031com",
}


@pytest.mark.parametrize("reason", LOOK_ALIKES)
def test_chat_room_refuses_a_name_that_looks_like_another(reason):
    objections = {ascii(name): names.objection_to(name) or "none" for name in LOOK_ALIKES[reason].split()}
    assert {name: said for name, said in objections.items() if reason not in said or " · " not in said or not said.isprintable()} == {}


def test_chat_room_names_follow_a_rule():
    """Try all of Unicode but the ideographs: allowed are letters, marks, numbers, pictures and a few signs."""
    few = [*range(0x3400), *range(0xa000, 0xac00), *range(0xd7b0, 0x17000), *range(0x1b000, 0x20000), *range(0xe0000, 0xe0200)]
    passing = [c for c in map(chr, few) if names.objection_to(c) is None]
    for c in passing:
        plain = unicodedata.normalize("NFKC", c)
        category, wide = unicodedata.category(c), unicodedata.east_asian_width(c) == "W"
        assert c.isprintable() and not c.isspace()
        assert category[0] in "LMN" or c in names.PUNCTUATION or category in ("So", "Sk") and wide or plain != c, ascii(c)
        assert not re.search("COLON|FILLER|SELECTOR|BLANK", unicodedata.name(c).replace("SEMICOLON", "")), ascii(c)
        assert ":" not in plain and (len(plain) == 1 or plain.isprintable()), ascii(c)
    assert len(passing) > 5_000


@pytest.mark.parametrize("line, columns, folded", [
    ("abc", 3, "abc"), ("abcd", 3, "abc\n    d"), ("汉字", 4, "汉字"), ("a汉字", 4, "a汉\n    字"),
    ("x" * 75 + "管理员消息：hi", 80, "x" * 75 + "管理\n    员消息：hi")])
def test_chat_room_folds_a_line(line, columns, folded):
    assert text.fold(line, columns) == folded


def test_chat_room_cleans_a_line():
    assert text.clean("a\tb\x1b[2J\n") == "a\ufffdb\ufffd[2J\ufffd"
    assert text.one_line("a\tb\x1b[2J\n") == "a b\ufffd[2J "
