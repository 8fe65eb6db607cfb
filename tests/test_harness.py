"""The harness itself: it sees what a program does, and it sees what a program leaves behind."""
import os
import signal
import socket
import sys
import textwrap
import time
from types import SimpleNamespace

import harness
import pytest
from harness import Failure, Program, Wire, run, serve

LEAK = f"/dev/shm/psm_course_{os.getpid()}"


@pytest.fixture
def script(tmp_path):
    """Returns a function that makes a script of a text and returns its path."""
    def write(text):
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(text))
        return path
    return write


def test_run_returns_what_a_program_printed(script):
    result = run(script("import sys; print('你好', sys.argv[1], input())"), "x", stdin="typed\n")
    assert (result.stdout, result.stderr, result.status) == ("你好 x typed\n", "", 0)


def test_a_program_has_its_own_environment_session_and_folder(script, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    result = run(script("""
        import os
        print("PYTHONUNBUFFERED" in os.environ, os.getsid(0) == os.getpid(), os.listdir())
        """))
    assert result.stdout == "False True []\n"


@pytest.mark.parametrize("text, complaint", [
    ("import sys; sys.exit(3)", "ended with status 3 instead of 0"),
    ("import sys; print('oops', file=sys.stderr)", "wrote to stderr:\noops"),
    ("import tempfile; tempfile.mkstemp()", "left files behind: tmp/tmp"),
    ("open('here', 'w')", "left files behind: cwd/here"),
    # A program of another test may use shared memory at the same time, so LEAK need not be the first name.
    (f"import multiprocessing; open('{LEAK}', 'w')", f"left files behind: .*{LEAK}"),
    ("import os, signal; os.fork() or signal.pause()", "left processes behind:\n    PID"),
    ("import os, signal; os.fork() or os.setsid() or signal.pause()", "left processes behind:\n    PID"),
    # A child that has ended by itself, but that nobody has waited for.
    ("import os; pid = os.fork() or os._exit(0); os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)", "a zombie"),
    # A leaked child that holds on to the output must not make the harness wait for its end.
    ("import os, signal; print('x', flush=True); os.fork() or os.fork() or signal.pause()", "left processes behind"),
])
def test_what_a_program_leaves_fails_it(script, text, complaint, monkeypatch):
    monkeypatch.setattr(harness, "ORPHAN_TIMEOUT", 0.2)
    try:
        with pytest.raises(Failure, match=complaint):
            run(script(text))
    finally:
        if os.path.exists(LEAK):
            os.unlink(LEAK)
    assert harness.adopted_by_us() == []


def test_a_semaphore_that_another_program_uses_was_not_left_behind(script):
    holder = """if True:
        import multiprocessing
        input()
        lock = multiprocessing.get_context("spawn").Lock()
        print(lock._semlock.name, flush=True)
        input()
        """
    with Program(script("import multiprocessing; input()")) as program, Program(sys.executable, "-c", holder) as holder:
        holder.write("\n")
        name = "sem." + holder.expect(r"/(mp-\S+)")[1]
        assert name in harness.shared_memory() and harness.in_use({name}) == {name}
        program.write("\n")
        program.finish()
        holder.write("\n")
        holder.finish(orphans=range(5))
    assert not harness.in_use({name})


def test_a_program_that_is_destroyed_leaves_no_semaphore(script):
    maker = script("""
        import multiprocessing
        lock = multiprocessing.get_context("spawn").Lock()
        print(lock._semlock.name, flush=True)
        input()
        """)
    with Program(maker) as program:
        name = "sem." + program.expect(r"/(mp-\S+)")[1]
        assert name in harness.shared_memory()
    assert name not in harness.shared_memory()


def test_a_process_that_has_no_command_line_yet_is_looked_at_again(monkeypatch):
    texts = ["PID 2, state R: (no command line: a zombie)", "python -c from multiprocessing.resource_tracker import main"]
    monkeypatch.setattr(harness, "describe", lambda pid: texts.pop(0) if len(texts) > 1 else texts[0])
    monkeypatch.setattr(harness, "state_of", lambda pid: "R")
    assert harness.is_resource_tracker(2)


def test_orphans_are_allowed_by_number(script):
    # The child lives until the parent has gone, which closes the pipe.
    orphan = script("""
        import os
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        """)
    run(orphan, orphans=1)
    with pytest.raises(Failure, match="left processes behind"):
        run(orphan)
    with pytest.raises(Failure, match="left processes behind"):
        run(orphan, orphans=2)


def test_waits_are_bounded(script, impatient):
    with pytest.raises(Failure, match="did not end within 0.1 seconds"):
        run(script("import signal; signal.pause()"), timeout=0.1)
    with Program(script("print('a', flush=True); input()")) as program:
        with pytest.raises(Failure, match="did not print 'b' within 0.1 seconds"):
            program.expect("b", timeout=0.1)
    with Program(script("print('a')")) as program:
        with pytest.raises(Failure, match="ended without printing 'b'"):
            program.expect("b")
    # Output without an end is no reason to wait longer.
    with pytest.raises(Failure, match="did not end within 0.1 seconds"):
        run("yes", timeout=0.1)
    with Program("yes") as program:
        with pytest.raises(Failure, match="did not print 'no' within 0.1 seconds"):
            program.expect("no", timeout=0.1)


def test_expect_on_stderr(script):
    with Program(script("import sys; print('out'); print('oops 7', file=sys.stderr)")) as program:
        assert program.expect(r"oops (\d)", stream="stderr")[1] == "7"
        program.finish(stderr="oops 7\n")


def test_what_is_left_belongs_to_the_program_that_left_it(script):
    orphan = "import os, signal; print('here', flush=True); os.fork() or signal.pause()"
    with Program(script(orphan)) as other:
        other.expect("here")
        other.wait()
        run("true")                                # not blamed, and does not end it
        with pytest.raises(Failure, match="left processes behind"):
            other.finish()
    assert harness.adopted_by_us() == []


def test_a_program_need_not_read_its_input():
    for _ in range(20):
        run("true", stdin="hello\n")


def test_no_such_program():
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError):
        run("no-such-program")
    assert os.listdir("/proc/self/fd") == before


def test_a_program_ends_with_the_process_that_started_it(script, tmp_path):
    """kill -9 on a test run or on the tour leaves nothing running."""
    starter = script("""
        import harness, signal
        program = harness.Program("sleep", "60")
        print(program.pid, flush=True)
        signal.pause()
        """)
    with Program(starter, env={"PYTHONPATH": str(harness.ROOT / "tests")}) as program:
        pid = int(program.expect(r"\d+")[0])
        program.signal(signal.SIGKILL)
        program.wait()
        assert harness.gone(pid, harness.ORPHAN_TIMEOUT)
        with pytest.raises(Failure, match="left files behind: tmp/course-"):
            program.finish(status=-signal.SIGKILL, orphans=1)


def test_only_programs_that_run_are_ended_with_us(monkeypatch):
    """The PID of one that has ended may be another process's by then."""
    told = []
    monkeypatch.setattr(harness, "tell_guardian", told.append)
    program = run("true")
    assert told == [f"+{program.pid}", f"-{program.pid}"]


def test_expect_goes_on_where_it_stopped(script):
    with Program(script("print('a 1'); print('a 2', flush=True); print(input())")) as program:
        assert program.expect(r"a (\d)")[1] == "1"
        assert program.expect(r"a (\d)")[1] == "2"
        program.write("a 3\n")
        assert program.expect(r"a (\d)")[1] == "3"
        program.finish()


def test_a_terminal(script):
    text = "import os; print(os.isatty(0), os.isatty(1), os.tcgetpgrp(0) == os.getpgrp()); print('got', input('? '))"
    with Program(script(text), tty=True) as program:
        program.expect("True True True")
        program.expect(r"\? ")
        program.write("x\n")
        program.expect("got x")
        program.finish()
    with Program(script("import signal; print('ready', flush=True); signal.pause()"), tty=True) as program:
        program.expect("ready")
        program.hang_up()
        program.finish(status=-signal.SIGHUP)


SERVER = """
    import signal, socket, sys
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
        print("listening on %s:%d" % listener.getsockname(), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            {end}
    """


def test_serve_knows_the_address_and_ends_it_with_ctrl_c(script):
    with serve(script(SERVER.format(end="pass"))) as server:
        socket.create_connection((server.host, server.port)).close()
        assert server.threads() == 1 and server.children() == [] and server.memory() > 1000
        assert any(what.startswith("socket:") for what in server.descriptors().values())
    with pytest.raises(Failure, match="wrote to stderr:\nTraceback"):
        with serve(script(SERVER.format(end="raise"))):
            pass


def test_a_failing_test_still_ends_the_server(script):
    with pytest.raises(ZeroDivisionError):
        with serve(script(SERVER.format(end="pass"))) as server:
            1 / 0
    assert server.status == -signal.SIGKILL and harness.gone(server.pid)


# What a test leaves in its own process is found too. These run a pytest in the test.

def run_inner_test(folder, body):
    (folder / "conftest.py").write_bytes((harness.ROOT / "tests" / "conftest.py").read_bytes())
    (folder / "test_inner.py").write_text("import harness, os, signal, socket, threading\n\n"
                                          "def test_inner():\n" + textwrap.indent(textwrap.dedent(body), "    "))
    return run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", folder, status=1,
               env={"PYTHONPATH": str(harness.ROOT / "tests"), "PYTHONDONTWRITEBYTECODE": "1"}).stdout


@pytest.mark.parametrize("leak", [
    "os.dup(1)",
    "threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "os.fork() or signal.pause()",
    "os.waitid(os.P_PID, os.fork() or os._exit(0), os.WEXITED | os.WNOWAIT)",
    "harness.Program('sleep', '30')",
])
def test_what_a_test_leaves_fails_it(leak, tmp_path):
    report = run_inner_test(tmp_path, leak)
    assert "this test left behind" in report and "1 passed, 1 error" in report


def test_a_failure_shows_what_was_said(tmp_path):
    report = run_inner_test(tmp_path, """
        with harness.Wire(socket.AF_INET, socket.SOCK_DGRAM, name="client 7") as wire:
            wire.bind(("127.0.0.1", 0))
            wire.sendto(b"hello there", wire.getsockname())
            wire.recv(100)
            harness.run("sh", "-c", "echo from the program; exit 5")
        """)
    for text in ("client 7", "sent hello there", "got  hello there", "from the program", "status 5"):
        assert text in report


# A wait ends early when nothing can come any more

PAUSE = "import signal, sys; print('ready', flush=True); signal.pause()"


def test_a_program_that_only_sleeps_is_not_waited_for_to_the_end(script):
    began = time.monotonic()
    with Program(script(PAUSE)) as program:
        program.expect("ready")
        with pytest.raises(Failure, match="did not end within .* or only sleeps"):
            program.wait(still=1)
        with pytest.raises(Failure, match="did not print 'more' within .* or only sleeps"):
            program.expect("more", still=1)
    assert time.monotonic() - began < harness.TIMEOUT / 2


def test_sockets_and_conditions_are_not_waited_for_when_all_programs_only_sleep(script, monkeypatch):
    monkeypatch.setattr(harness.Stillness.__init__, "__defaults__", (1,))
    near, far = socket.socketpair()
    with near, far, Wire(fileno=near.detach()) as wire, Program(script(PAUSE)) as program:
        wire.settimeout(harness.TIMEOUT)
        program.expect("ready")
        with pytest.raises(TimeoutError, match="all programs only sleep or compute"):
            wire.recv(1)
        with pytest.raises(TimeoutError, match="all programs only sleep or compute"):
            harness.receive(wire, 1)
        with pytest.raises(AssertionError, match="never true .and all programs only sleep or compute"):
            harness.wait_until(lambda: False, lambda: "never true")


WORK = ["while time.monotonic() < end: pass", "subprocess.run([sys.executable, '-c', 'import time; end = time.monotonic() + 2\\nwhile time.monotonic() < end: pass'])"]
WORK.append(WORK[1].replace("pass'])", "pass'], start_new_session=True)"))


@pytest.mark.parametrize("work", WORK)
def test_a_program_that_works_silently_is_waited_for(script, work):
    run(script(f"import subprocess, sys, time; end = time.monotonic() + 2\n{work}"), still=1)


def test_a_program_that_only_computes_is_not_waited_for_to_the_end(script, monkeypatch):
    began = time.monotonic()
    with Program(script("print('ready', flush=True)\nwhile True: pass")) as program:
        program.expect("ready")
        # A busy machine gives the program only a small part of each second.
        monkeypatch.setattr(harness, "BUSY", 0.1)
        with pytest.raises(Failure, match="did not end within .* or only sleeps or computes"):
            program.wait()
    assert time.monotonic() - began < harness.TIMEOUT / 2


@pytest.mark.parametrize("looks, found", [
    ([({1: 5}, False), ({1: 6}, False), ({1: 6}, True), *[({1: 6}, False)] * 4], "---++"),
    ([({1: 5, 2: 5}, False), ({1: 5}, False), ({1: 5}, False), ({1: 5}, False)], "--+"),
    ([({1: 5}, False), ({1: 5}, False), ({1: 5}, True)], "--"),             # the second look of the second time sees one run
    ([({}, False)] * 3, "---"),
    ([({1: 900}, True), ({1: 1000}, True), ({1: 1600}, True), ({1: 1700}, True)], "---+"),
    ([({1: 5}, False), ({1: 5, 2: 300}, True), ({2: 790, 3: 5}, True), ({3: 20}, True)], "---+"),
])
def test_what_stillness_is(monkeypatch, looks, found):
    """The same CPU times again and again, for 10 s, and in a second look; or 8 s of CPU time since the first look, of whatever processes."""
    now, answers = [0], iter(looks)
    monkeypatch.setattr(harness, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(harness, "activity", lambda: next(answers))
    monkeypatch.setattr(harness.os, "sysconf", lambda name: 100)
    stillness, answered = harness.Stillness(10), ""
    for _ in found:
        now[0] += 10
        answered += "-+"[stillness.is_long()]
    monkeypatch.undo()
    assert answered == found


def test_a_program_that_gets_no_cpu_is_not_still(script, monkeypatch):
    with Program(script(PAUSE)) as program:
        program.expect("ready")
        program.wait_until_asleep()
        _, *fields = harness.stat_of(program.pid)
        for state, is_running in ("S", False), ("T", False), ("R", True), ("D", True):
            monkeypatch.setattr(harness, "stat_of", lambda pid: [state, *fields])
            assert harness.activity()[1] == is_running
        monkeypatch.undo()


def test_a_program_that_speaks_now_and_then_is_waited_for(script):
    text = "import time\nfor n in range(5): print(n, flush=True); time.sleep(0.5)"
    assert run(script(text), still=1).stdout == "0\n1\n2\n3\n4\n"


# What else a failure hangs on

def test_an_orphan_that_stays_is_found_though_one_is_allowed(script, monkeypatch):
    monkeypatch.setattr(harness, "ORPHAN_TIMEOUT", 0.2)
    with pytest.raises(Failure, match="left processes behind"):
        run(script("import os, signal; os.fork() or signal.pause()"), orphans=1)


def test_a_warning_fails_a_program(script):
    with pytest.raises(Failure, match="ResourceWarning"):
        run(script("import socket; socket.socket()"))


def test_a_server_that_spins_is_not_idle(script, monkeypatch):
    with Program(script("print('x', flush=True)\nwhile True: pass")) as program:
        def sleep(seconds):
            """Wait until the program has had a quarter of a CPU for so long: on a busy machine, that takes longer."""
            enough = harness.ticks(program) + 0.25 * seconds * os.sysconf("SC_CLK_TCK")
            harness.wait_until(lambda: harness.ticks(program) >= enough, lambda: "it gets no CPU")

        program.expect("x")
        monkeypatch.setattr(harness.time, "sleep", sleep)
        with pytest.raises(AssertionError):
            harness.assert_idle(program)


def test_a_program_starts_with_no_signal_ignored(script):
    """Also when we are started as `make test &` does, with SIGINT ignored, or nohup, with SIGHUP; or with SIGCHLD ignored."""
    starter = script("""
        import harness, sys
        harness.become_subreaper()
        print(harness.run(sys.executable, "-c", "if True:"
            "   import signal as s;"
            "   print(s.getsignal(s.SIGINT) is s.default_int_handler, int(s.getsignal(s.SIGHUP)), int(s.getsignal(s.SIGCHLD)))").stdout)
        """)
    ignore = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = f"trap '' INT HUP; exec '{sys.executable}' -c '{ignore}' {starter}"
    result = run("sh", "-c", command, env={"PYTHONPATH": str(harness.ROOT / "tests")})
    assert result.stdout == "True 0 0\n\n"          # SIG_DFL is 0
