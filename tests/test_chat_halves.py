"""Test the two halves of the chat's programs: what one half does when the other ends, stops, or misses a signal."""
import os
import signal
import sys

import pytest
from chat import SERVER
from harness import ORPHAN_TIMEOUT, ROOT, Program, reap, run, state_of, wait_until

BEGIN = f"""if True:
    import os, signal, sys
    sys.path.insert(0, {str((ROOT / SERVER).parent)!r})
    from chatroom.halves import Handover, Parent, become_child, every, hold_signals, release_signals
"""
# A signal that comes just before pause() does not end it. Each signal also writes a byte to the waker: reading it misses none.
# What comes next is the rest of the child's block.
FORK = BEGIN + """
    awake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    hold_signals()
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        become_child(parent)
"""
# A parent and a child, neither of which ends by itself.
PAIR = FORK + """
        print("child", flush=True)
        while True:
            signal.pause()
    else:
        Parent("pair", pid, lambda: print("goodbye", flush=True))
        release_signals()
        while True:
            os.read(awake, 1)
"""


@pytest.fixture
def pair():
    with Program(sys.executable, "-c", PAIR) as program:
        program.expect("child")
        program.wait_until_asleep()
        [program.child] = program.children()
        yield program


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_chat_halves_end_when_the_parent_is_signalled(pair, signum):
    pair.signal(signum)
    pair.expect("goodbye")
    pair.finish()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGHUP])
def test_chat_halves_signals_of_the_terminal_are_the_parents(pair, signum):
    os.kill(pair.child, signum)
    os.kill(pair.child, signal.SIGSTOP)            # when the child stops, it has received and ignored signum
    wait_until(lambda: state_of(pair.child) == "T", lambda: f"state {state_of(pair.child)}")
    os.killpg(pair.pid, signum)
    pair.expect("goodbye")
    pair.finish()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_chat_halves_end_when_the_child_is_killed(pair, signum):
    os.kill(pair.child, signum)
    pair.expect("goodbye")
    pair.finish(status=1, stderr="pair: the other process was killed · .*\n")


def test_chat_halves_end_when_the_parent_is_killed(pair):
    pair.signal(signal.SIGKILL)
    pair.wait()
    assert reap(pair.child, ORPHAN_TIMEOUT)
    assert "goodbye" not in pair.stdout


def test_chat_halves_end_when_the_parent_was_killed_before_the_child_asked_the_kernel():
    """The child then has another parent, whose end would kill it much later. So the child must exit immediately."""
    assert run(sys.executable, "-c", BEGIN + """
    become_child(os.getppid() + 1)
    print("still there", flush=True)
    """, status=1).stdout == ""


def test_chat_halves_a_second_signal_changes_nothing():
    """The second signal may come while the halves are being ended, or may be pending together with the first."""
    assert run(sys.executable, "-c", FORK + """
        signal.pause()
    def goodbye():
        print("goodbye", flush=True)
        for signum in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD:
            os.kill(parent, signum)
        print("bye", flush=True)
    Parent("pair", pid, goodbye)
    for signum in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        os.kill(parent, signum)
    release_signals()
    signal.pause()
    """).stdout == "goodbye\nbye\n"


def test_chat_halves_the_parent_takes_the_childs_exit_status():
    run(sys.executable, "-c", FORK + """
        os._exit(7)
    Parent("pair", pid, lambda: None)
    release_signals()
    os.read(awake, 1)
    """, status=7)


def test_chat_halves_the_child_rings_until_it_is_heard():
    """A signal that comes just before the parent waits has no effect. Here the handler ignores the first two signals to imitate this."""
    assert run(sys.executable, "-c", BEGIN + """
    handover, rings = Handover(), []           # if this process is slow, the child rings more often
    def ring(signum, frame):
        rings.append(signum)
        if len(rings) > 2:
            handover.take(lambda line: print(line, "after", min(len(rings), 3), flush=True))
            handover.take(print)                   # a signal without a line does nothing
    signal.signal(signal.SIGUSR1, ring)
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        handover.give("hello", parent)
        print("given", flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    os._exit(0)
    """).stdout == "hello after 3\ngiven\n"


def test_chat_halves_call_nothing_more_at_the_end():
    """If a heartbeat were sent after the goodbye, the client would join again."""
    assert run(sys.executable, "-c", FORK + """
        signal.pause()
    every(60, lambda: None)
    Parent("pair", pid, lambda: print(signal.getitimer(signal.ITIMER_REAL), flush=True)).end(0)
    """).stdout == "(0.0, 0.0)\n"


def test_chat_halves_listener_gives_up_after_five_intervals_without_a_word():
    """The five intervals must follow each other: when a datagram comes, the client counts from 0 again."""
    run(sys.executable, "-c", f"""if True:
        import sys
        sys.path.insert(0, {str((ROOT / SERVER).parent)!r})
        import chat_client
        from types import SimpleNamespace as Object
        heard, shown = iter([None] * 4 + [b"SAY hello"] + [None] * 5 + [b"SAY too late"]), []
        def recv(size):
            datagram = next(heard)
            if datagram is None:
                raise TimeoutError
            return datagram
        assert chat_client.listen(Object(recv=recv), shown.append) == 1
        assert shown[0] == "hello" and shown[1].startswith("! the server does not answer") and len(shown) == 2, shown
        assert list(heard) == [b"SAY too late"]
        """)


def test_chat_halves_keyboard_is_another_programs_if_we_run_in_the_background():
    """If a background process reads from its terminal, the kernel stops it (SIGTTIN)."""
    run(sys.executable, "-c", f"""if True:
        import os, sys
        sys.path.insert(0, {str((ROOT / SERVER).parent)!r})
        from chatroom import terminal
        from types import SimpleNamespace as Object
        sys.stdin = Object(isatty=lambda: True, fileno=lambda: 0)
        for group, is_ours in ((os.getpgrp(), True), (os.getpgrp() + 1, False)):
            os.tcgetpgrp = lambda fd: group
            assert terminal.is_ours() == is_ours
        """)


def test_chat_halves_server_names_another_port():
    assert run(sys.executable, "-c", f"""if True:
        import errno, sys
        sys.path.insert(0, {str((ROOT / SERVER).parent)!r})
        import chat_server
        for port in (8888, 65535):
            print(chat_server.next_step(OSError(errno.EADDRINUSE, "taken"), port).split()[-1])
        """).stdout == "8889\n1\n"


def test_chat_halves_every_calls_again_and_again():
    assert run(sys.executable, "-c", BEGIN + """
    calls = []
    every(0.01, lambda: calls.append(1))
    while len(calls) < 3:
        signal.pause()
    print("three", flush=True)
    os._exit(0)
    """).stdout == "three\n"


def test_chat_halves_every_never_calls_from_within_a_call():
    """On a terminal stopped by Ctrl-S, a call that prints waits, and further signals arrive meanwhile."""
    assert run(sys.executable, "-c", BEGIN + """
    calls, signals = [], []
    def wait():
        calls.append(1)
        while len(signals) < 3:
            signals.append(signal.pause())
    every(0.01, wait)
    while len(calls) < 2:
        signal.pause()
    print(len(signals), flush=True)
    os._exit(0)
    """).stdout == "3\n"
