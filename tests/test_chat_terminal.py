"""Test the chat's client on a terminal: what the screen shows when lines arrive while the user types."""
import signal

import pytest
from chat import client, room
from harness import state_of, wait_until
from screen import Screen, wrapped


def test_chat_client_on_a_terminal():
    """A line that arrives replaces the half-typed line, which is then drawn again below it."""
    with room("Ann") as (server, ann), client(server, tty=True) as tom:
        tom.expect("You are in the room as Tom")
        assert ann.hear() == "SAY Tom 进入了聊天室"
        tom.expect("> ")
        tom.write("half a ")
        tom.expect("half a ")
        ann.say("C look")
        tom.expect("\r\x1b\\[KAnn：look\n")
        tom.expect("^> half a ")
        tom.write("line\r")
        assert ann.hear() == "SAY Tom：half a line"

        tom.expect("line\n> ")
        tom.write("abcdef" + "\x1b[D" * 3)         # three times cursor left
        tom.expect("abcdef\b\b\b")
        ann.say("C look again")
        tom.expect("look again\n> abcdef")
        tom.write("X\r")
        assert ann.hear() == "SAY Tom：abcXdef"

        ann.say("C " + "x" * 75 + "管理员消息：not at the edge")
        tom.expect("：" + "x" * 75 + "\n    管理员消息：not at the edge\n")
        tom.write("\x03")                          # Ctrl-C, typed
        tom.finish()
        assert ann.hear() == "SAY Tom退出了聊天室"


def test_chat_client_edits_on_after_a_pause():
    """After Ctrl-Z and fg, the terminal has the shell's settings. The client must restore those of the line editor."""
    with room("Ann") as (server, ann), client(server, tty=True) as tom:
        assert ann.hear() == "SAY Tom 进入了聊天室"
        tom.expect("You are in the room.*\n> ")
        edited = tom.terminal_settings()
        assert edited != tom.first_terminal_settings
        tom.wait_until_asleep()                    # the client waits for input when Ctrl-Z comes
        tom.signal(signal.SIGSTOP)
        wait_until(lambda: state_of(tom.pid) == "T", lambda: "the client does not stop")
        tom.change_terminal_settings(tom.first_terminal_settings)
        tom.signal(signal.SIGCONT)
        # Wait for the settings, not for a prompt: the prompt may be drawn again for another reason.
        wait_until(lambda: tom.terminal_settings() == edited, lambda: f"{tom.terminal_settings()} instead of {edited}")
        tom.write("back\r")
        assert ann.hear() == "SAY Tom：back"
        tom.write("quit\r")
        tom.finish()


def test_chat_client_leaves_when_its_terminal_closes():
    with room("Ann") as (server, ann), client(server, tty=True) as tom:
        assert ann.hear() == "SAY Tom 进入了聊天室"
        tom.expect("> ")
        tom.hang_up()
        tom.finish()
        assert ann.hear() == "SAY Tom退出了聊天室"


TYPED = ["short", "x" * 78, "x" * 79, "x" * 150 + " end", "x" * 158, "three rows " + "y" * 200, "汉" * 39, "汉" * 100, "a" + "汉字" * 55,
         "four rows " + "z" * 290]


@pytest.mark.parametrize("back", [0, 3, 100])
def test_chat_client_draws_a_half_typed_line_again(back):
    """However many rows the line takes, and wherever its cursor is, it is drawn below the new lines, whole and only once."""
    screen = Screen()
    with room("Ann") as (server, ann), client(server, tty=True, echo=screen.feed) as tom:
        assert ann.hear() == "SAY Tom 进入了聊天室"
        tom.expect("You are in the room.*\n> ")
        shown = screen.lines()[:-1]
        for typed in TYPED:
            *first, last = typed
            tom.write("".join(first) + "\x1b[D" * min(back, len(first)))             # cursor left
            for number in range(3):
                ann.say(f"C line {number}")
                tom.expect(f"line {number}\n")
            tom.write(last + "\r")                 # goes to the cursor's position
            first.insert(max(0, len(first) - back), last)
            edited = "".join(first)
            assert ann.hear() == f"SAY Tom：{edited}"
            tom.expect(r"\n[^\n]*> \Z")
            shown += [f"Ann：line {number}" for number in range(3)] + wrapped(f"> {edited}")
            assert screen.lines() == [*shown, ">"][-24:]
        tom.write("quit\r")
        tom.finish()


def test_chat_client_draws_a_half_typed_line_again_on_the_last_row():
    """On the last row, the screen must scroll to make room for a new line."""
    screen = Screen()
    typed = "three rows " + "y" * 180
    with room("Ann") as (server, ann), client(server, tty=True, echo=screen.feed) as tom:
        assert ann.hear() == "SAY Tom 进入了聊天室"
        for number in range(30):
            ann.say(f"C line {number}")
            tom.expect(f"line {number}\n")
        tom.write(typed)
        tom.expect("y" * 20)
        ann.say("C look")
        tom.expect("look\n")
        tom.write("\r")
        assert ann.hear() == f"SAY Tom：{typed}"
        tom.expect(r"\n[^\n]*> \Z")
        assert screen.lines() == [*(f"Ann：line {number}" for number in range(11, 30)), "Ann：look", *wrapped(f"> {typed}"), ">"]
        tom.write("quit\r")
        tom.finish()


def test_chat_client_gives_the_terminal_back():
    with room("Ann") as (server, ann), client(server, tty=True) as tom:
        tom.expect("You are in the room.*\n> ")
        assert tom.terminal_settings() != tom.first_terminal_settings
        tom.signal(signal.SIGTERM)
        tom.wait()
        assert tom.terminal_settings() == tom.first_terminal_settings
        assert tom.stdout.endswith("> \n")         # the shell's prompt gets a row of its own
