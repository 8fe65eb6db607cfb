"""The tour, make demo: it shows each script, tells of those that fail, and ends by itself."""
import shutil
import sys

import pytest
from harness import ROOT, Program, run


@pytest.fixture
def copy(tmp_path):
    """A copy of the course with a single day of two scripts, to break."""
    for folder in ("tests", "day07"):
        (tmp_path / folder).mkdir()
    for file in ("tests/tour.py", "tests/course.py", "tests/harness.py", "day07/fork1.py", "day07/wait.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "README.md").write_text("| [fork1.py](day07/fork1.py) | x |\n| [wait.py](day07/wait.py) | x |\n")
    return tmp_path


def test_it_shows_a_day():
    printed = run("tests/tour.py", "7", timeout=60).stdout
    assert "[1/13] day07/fork.py   基于fork的多进程编程" in printed
    assert "\n$ python day07/fork.py\nbefore the fork: one process" in printed
    assert "\n小明   |   管理员消息：五分钟后下课\n" in printed and "\nTom    | < quit\n" in printed
    assert "\n13 of 13 scripts showed their facts" in printed
    assert "\x1b" not in printed                   # colour is for terminals


def test_it_shows_colour_on_a_terminal(copy):
    with Program(copy / "tests/tour.py", tty=True) as tour:
        tour.finish()
    assert "\x1b[1m[2/2] day07/wait.py" in tour.stdout
    with Program(copy / "tests/tour.py", tty=True, env={"NO_COLOR": "1"}) as tour:
        tour.finish()
    assert "\x1b" not in tour.stdout


@pytest.mark.parametrize("broken, complaint", [
    ("import sys; print('half way', flush=True); sys.exit(3)", "ended with status 3"),
    ("import os, signal; print('half way', flush=True); os.fork() or signal.pause()", "left processes behind"),
])
def test_it_tells_of_a_script_that_fails(copy, broken, complaint):
    script = copy / "day07/fork1.py"
    docstring = script.read_text().rpartition('"""')[0] + '"""'
    script.write_text(f"{docstring}\n{broken}\n")
    tour = run(copy / "tests/tour.py", status=1)
    assert f"half way\nFAILED: {sys.executable} day07/fork1.py {complaint}" in tour.stdout
    assert "killed by signal 9" in tour.stdout     # it goes on with the next one
    assert "1 of 2 scripts showed their facts" in tour.stdout and "\n    failed: day07/fork1.py\n" in tour.stdout


def test_it_ends_at_ctrl_c(copy):
    script = copy / "day07/fork1.py"
    docstring = script.read_text().rpartition('"""')[0] + '"""'
    script.write_text(f"{docstring}\nimport signal; print('waiting', flush=True); signal.pause()\n")
    with Program(copy / "tests/tour.py") as tour:
        tour.expect("waiting")
        tour.interrupt()
        tour.finish(status=130)


def test_it_ends_when_nobody_reads_it(copy):
    words = [sys.executable, str(copy / "tests/tour.py")]
    run(sys.executable, "-c", "import os; r, w = os.pipe(); os.dup2(w, 1); os.close(r); os.close(w); "
        f"os.execv({words[0]!r}, {words!r})", status=1)


def test_it_knows_no_other_day():
    run("tests/tour.py", "99", status=2, stderr="tour: there is no day 99\n")
