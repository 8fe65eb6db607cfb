"""The tour, make demo: it shows each script, says which fail and which it leaves out, and walks or runs through."""
import os
import shutil
import sys

import course
import pytest
import tour
import walk
from harness import ROOT, Program, run


@pytest.fixture
def copy(tmp_path):
    """A copy of the course with a single day of two scripts, to break."""
    for folder in ("tests", "day07"):
        (tmp_path / folder).mkdir()
    for file in ("tests/tour.py", "tests/walk.py", "tests/course.py", "tests/harness.py", "day07/fork1.py", "day07/wait.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "README.md").write_text("| [fork1.py](day07/fork1.py) | x |\n| [wait.py](day07/wait.py) | x |\n")
    return tmp_path


def docstring(script):
    return script.read_text(encoding="utf-8").split('"""')[1]


def replace(script, body):
    """Give a script another body. It keeps its docstring."""
    script.write_text(f'"""{docstring(script)}"""\n{body}\n', encoding="utf-8")


def titled(script, *lines):
    """Give a script other headings."""
    text = script.read_text(encoding="utf-8")
    script.write_text('"""' + "\n".join(lines) + "\n\n" + text.partition("\n\n")[2], encoding="utf-8")


def test_it_shows_a_day():
    printed = run("tests/tour.py", "7", timeout=60).stdout
    scripts = [script for script in course.scripts_in_order() if script.day == "07"]
    heads = [line for line in printed.splitlines() if line.startswith("[")]
    assert [line.split()[1] for line in heads] == [script.path for script in scripts]
    assert heads[0].startswith(f"[1/{len(scripts)}] ")
    assert "\n$ python day07/fork.py\nbefore the fork: one process" in printed
    assert "\n小明   |   管理员消息：五分钟后下课\n" in printed and "\nTom    | < quit\n" in printed
    assert f"\n{len(scripts)} of {len(scripts)} scripts passed their own checks, in " in printed
    assert "\x1b" not in printed                   # colour is for terminals
    assert "Enter" not in printed                  # and so is the menu


def test_it_shows_both_titles_and_the_heading_of_the_notes(copy):
    titled(copy / "day07/fork1.py", "Shows it.", "演示。", "讲义: 基于fork的多进程编程")
    titled(copy / "day07/wait.py", "Shows that.", "演示那个。", "讲义之外")
    printed = run(copy / "tests/tour.py").stdout
    assert "[1/2] day07/fork1.py   讲义: 基于fork的多进程编程\nShows it.\n演示。\n$ python day07/fork1.py\n" in printed
    assert "[2/2] day07/wait.py\nShows that.\n演示那个。\n$ python day07/wait.py\n" in printed


def test_what_it_shows_of_a_script_fits_on_a_terminal():
    for script in course.scripts_in_order():
        for text in (f"[61/61] {script.path}   讲义: {script.heading}", script.title, script.title_zh):
            lines = tour.fold(text).split("\n")
            assert max(map(course.columns, lines)) <= 80
            assert "".join("".join(lines).split()) == "".join(text.split()), "nothing is lost"


@pytest.mark.parametrize("text, lines", [
    ("short", ["short"]),
    ("", [""]),
    ("word " * 16 + "next", [("word " * 16).rstrip(), "    next"]),
    ("字" * 40, ["字" * 40]),
    ("字" * 39 + "，" + "字", ["字" * 39 + "，", "    字"]),
    ("字" * 40 + "，", ["字" * 39, "    字，"]),        # no line begins with a comma
    ("a" * 100 + " b", ["a" * 100, "    b"]),       # a word that is too long stays whole
])
def test_fold(text, lines):
    assert tour.fold(text).split("\n") == lines


@pytest.mark.parametrize("words, paths", [
    ([], ["fork1", "wait"]), (["7"], ["fork1", "wait"]), (["07", "08"], ["fork1", "wait"]), (["day07"], ["fork1", "wait"]),
    (["day07/wait.py"], ["wait"]), (["wait.py"], ["wait"]), (["wait.py", "fork1.py"], ["fork1", "wait"]), (["ait.py"], None),
])
def test_it_shows_what_was_asked_for(copy, words, paths):
    readme = copy / "README.md"
    (copy / "day08").mkdir()
    shutil.copy(ROOT / "day08/process1.py", copy / "day08")
    readme.write_text(readme.read_text() + "| [process1.py](day08/process1.py) | x |\n")
    if paths is None:
        run(copy / "tests/tour.py", *words, status=2, stderr="tour: there is no script ait.py; README.md lists all scripts\n")
        return
    printed = run(copy / "tests/tour.py", *words).stdout
    if words in ([], ["07", "08"]):
        paths = [*paths, "process1"]
    assert [line.partition("/")[2].removesuffix(".py") for line in printed.splitlines() if line.startswith("$ python ")] == paths


def test_it_knows_no_other_day():
    run("tests/tour.py", "99", status=2, stderr="tour: there is no day 99; the days are 07 08 09 10 11 12\n")


def test_without_a_package_its_scripts_are_left_out_by_name(copy):
    replace(copy / "day07/wait.py", "def main():\n    import nosuch.thing, os.path")
    tour = run(copy / "tests/tour.py")
    assert tour.stdout.startswith("left out, because nosuch is not installed (没有安装，略过): wait.py\n\n[1/1] day07/fork1.py")
    assert "\n1 of 1 scripts passed their own checks" in tour.stdout
    run(copy / "tests/tour.py", "wait.py", status=2, stderr="tour: nosuch is not installed; make packages installs [^\n]+\n")
    replace(copy / "day07/fork1.py", "from nosuchelse.thing import x")
    run(copy / "tests/tour.py", status=2, stderr="tour: nosuch and nosuchelse are not installed; [^\n]+\n")


def test_only_the_scripts_of_gevent_and_greenlet_need_a_package(monkeypatch):
    monkeypatch.setattr(tour.importlib.util, "find_spec", lambda name: None)           # nothing is installed
    missing = {script.path: tour.missing_packages(script.path) for script in course.scripts_in_order()}
    assert set().union(*missing.values()) == {"gevent", "greenlet"}
    assert {path for path, packages in missing.items() if packages == {"gevent"}} == {
        f"day12/gevent_{name}.py" for name in ("test", "joinall", "monkey", "server")}


def test_it_works_in_a_posix_locale(copy):
    printed = run(copy / "tests/tour.py", env={"LANG": "POSIX", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert "多进程" in printed.stdout


# It walks

@pytest.mark.parametrize("typed, meant", [
    ("\n", walk.NEXT), ("\r", walk.NEXT), ("S", walk.SOURCE), ("\x04", walk.QUIT), ("", walk.QUIT), ("x", None), ("中", None),
    ("\x1b[A", None), ("\x1bOA", None), ("\x1b[1;5A", None), ("x\x1b[Aq", walk.QUIT)])
def test_meaning_of_keys(typed, meant):
    assert walk.meaning(typed) == meant


@pytest.fixture
def walking(copy):
    """The tour on a terminal, after its first script."""
    with Program(copy / "tests/tour.py", tty=True, env={"NO_COLOR": "1", "PAGER": "cat"}) as program:
        menu(program, "next")
        yield program


def menu(program, first):
    program.expect(rf"^Enter \S+ {first} · s 源码 source · r 再来 again · a 全部 all · q 结束 quit ")


def shown(program):
    return [line.split()[1] for line in program.stdout.splitlines() if line.startswith("[")]


def test_on_a_terminal_it_stops_after_each_script(walking):
    assert shown(walking) == ["day07/fork1.py"]
    assert course.columns(walking.stdout.splitlines()[-1]) < 80        # or \r would not come back to its beginning
    walking.write("x\x1b[A")                       # keys that mean nothing
    walking.write("\r")
    menu(walking, "end")
    walking.write("\r")
    walking.finish()
    assert shown(walking) == ["day07/fork1.py", "day07/wait.py"]
    assert walking.stdout.endswith("\r2 of 2 scripts passed their own checks\n")           # the menu has gone


def test_s_shows_the_source(walking, copy):
    walking.write("s")
    menu(walking, "next")                          # and it waits again
    assert (copy / "day07/fork1.py").read_text(encoding="utf-8") in walking.stdout
    assert shown(walking) == ["day07/fork1.py"]
    walking.write("q")
    walking.finish()


def test_r_shows_the_script_again_as_it_is_now(walking, copy):
    replace(copy / "day07/fork1.py", "print('changed')")
    walking.write("r")
    walking.expect("^changed$")
    menu(walking, "next")
    assert shown(walking) == ["day07/fork1.py"] * 2
    walking.write("q")
    walking.finish()
    assert "1 of 1 scripts passed" in walking.stdout


def test_a_shows_all_the_others_without_a_stop(walking):
    walking.write("a")
    walking.finish()
    assert shown(walking) == ["day07/fork1.py", "day07/wait.py"] and walking.stdout.count("Enter") == 1


@pytest.mark.parametrize("key", ["q", "\x04", "\x03"], ids=["q", "Ctrl-D", "Ctrl-C"])
def test_q_ends_the_tour_and_the_terminal_is_as_it_was(copy, key):
    with Program(copy / "tests/tour.py", tty=True) as program:
        menu(program, "next")
        assert program.terminal_settings() != program.first_terminal_settings
        program.wait_until_asleep()
        program.write(key)
        program.expect("1 of 1 scripts passed their own checks")
        assert program.terminal_settings() == program.first_terminal_settings
        program.finish()
    assert shown(program) == []                    # with colours, no line begins with [


def test_an_enter_too_many_skips_no_script(copy):
    replace(copy / "day07/fork1.py", "print('waits', flush=True)\nwith open(__file__ + '.fifo') as fifo: fifo.read()")
    os.mkfifo(copy / "day07/fork1.py.fifo")
    with Program(copy / "tests/tour.py", tty=True, env={"NO_COLOR": "1"}) as program:
        program.expect("waits")
        program.write("\n\n")
        program.expect(r"\n\n\n")                  # the end of "waits", and both: the terminal has them
        open(copy / "day07/fork1.py.fifo", "w").close()
        menu(program, "next")
        program.write("q")
        program.finish()
    assert "1 of 1 scripts passed" in program.stdout and "[2/2]" not in program.stdout


def test_it_ends_with_its_terminal(walking):
    walking.hang_up()
    assert walking.wait() != 0
    walking.finish(status=walking.status)          # and leaves nothing


def test_without_a_terminal_on_one_side_it_runs_through(copy):
    with Program("sh", "-c", f"{sys.executable} {copy}/tests/tour.py </dev/null", tty=True) as program:
        program.finish()
    assert "2 of 2 scripts passed their own checks" in program.stdout and "Enter" not in program.stdout
    with Program("sh", "-c", f"{sys.executable} {copy}/tests/tour.py | cat", tty=True) as program:
        program.finish()
    assert "2 of 2 scripts passed their own checks" in program.stdout and "Enter" not in program.stdout


def test_it_shows_colour_on_a_terminal(copy):
    for env, head in (({}, "\n\x1b[1m[2/2] day07/wait.py"), ({"NO_COLOR": "1"}, "\n[2/2] day07/wait.py")):
        with Program(copy / "tests/tour.py", tty=True, env=env) as tour:
            menu(tour, "next")
            tour.write("a")
            tour.finish()
        assert head in tour.stdout.replace("\r", "\n") and ("\x1b" in tour.stdout) == (not env)


@pytest.mark.parametrize("broken, complaint", [
    ("import sys; print('half way', flush=True); sys.exit(3)", "ended with status 3"),
    ("import os, signal; print('half way', flush=True); os.fork() or signal.pause()", "left processes behind"),
    # Also a child that ends by itself, which a script may leave only if course.ORPHANS says so.
    ("import os; print('half way', flush=True); os.fork() or os._exit(0); os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)",
     "left processes behind"),
])
def test_it_tells_of_a_script_that_fails(copy, broken, complaint):
    replace(copy / "day07/fork1.py", broken)
    tour = run(copy / "tests/tour.py", status=1)
    assert f"half way\nFAILED: {sys.executable} day07/fork1.py {complaint}" in tour.stdout
    assert "killed by signal 9" in tour.stdout     # it goes on with the next one
    assert "1 of 2 scripts passed their own checks" in tour.stdout and "\n    failed: day07/fork1.py\n" in tour.stdout


def test_it_ends_at_ctrl_c(copy):
    replace(copy / "day07/fork1.py", "import signal; print('waiting', flush=True); signal.pause()")
    with Program(copy / "tests/tour.py") as tour:
        tour.expect("waiting")
        tour.interrupt()
        tour.finish(status=130)
    with Program(copy / "tests/tour.py", tty=True) as tour:
        tour.expect("waiting")
        tour.write("\x03")
        tour.finish()


def test_it_ends_when_its_output_is_not_read(copy):
    words = [sys.executable, str(copy / "tests/tour.py")]
    run(sys.executable, "-c", "import os; r, w = os.pipe(); os.dup2(w, 1); os.close(r); os.close(w); "
        f"os.execv({words[0]!r}, {words!r})", status=1)
