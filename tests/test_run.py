"""tests/run.py and conftest.py: a run of all shares tells of all that fails, and of what a test leaves behind."""
import re
import shutil
import sys

import pytest
from harness import ROOT, run
from run import SHARES, divide

PASSES = "def test_x():\n    pass\n"


@pytest.fixture
def suite(tmp_path):
    """A folder with run.py, conftest.py and three test files, of two shares."""
    for name in ("run.py", "conftest.py", "harness.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path)
    for name in ("test_ftp_x", "test_a", "test_b"):
        (tmp_path / f"{name}.py").write_text(PASSES)
    return tmp_path


def summary(suite, *args, status=0):
    """The last line of a run, without its time."""
    printed = run(suite / "run.py", "-p", "no:cacheprovider", *args, status=status, env={"PYTHONDONTWRITEBYTECODE": "1"}).stdout
    return re.fullmatch(r"(.+) in \d+ s", printed.splitlines()[-1])[1]


def test_every_file_is_in_one_share_and_no_share_is_empty():
    files = sorted(file.name for file in (ROOT / "tests").glob("test_*.py"))
    shares = divide(files)
    assert len(shares) == len(SHARES) and sorted(name for share in shares for name in share) == files


def test_all_files_of_all_shares_are_run_and_counted_once(suite):
    assert summary(suite) == "3 passed, 0 failed"
    assert summary(suite, "-k", "test_b") == "1 passed, 0 failed, 2 deselected"
    assert summary(suite, "-k", "no_such_test", status=5) == "0 passed, 0 failed, 3 deselected"


@pytest.mark.parametrize("name, text, outcome", [
    ("test_ftp_x", "def test_x():\n    assert False", "2 passed, 1 failed"),
    ("test_a", "def test_x():\n    assert False", "2 passed, 1 failed"),
    ("test_ftp_x", "def test_x(no_such_fixture):\n    pass", "2 passed, 0 failed, 1 error"),
    ("test_ftp_x", "def test_x():\n    import os\n    os._exit(3)", "2 passed, 0 failed, broken off"),
    ("test_a", "def test_x():\n    import os\n    os._exit(3)", "1 passed, 0 failed, broken off"),
])
def test_what_happens_in_any_share_is_told(suite, name, text, outcome):
    (suite / f"{name}.py").write_text(text)
    assert summary(suite, status=3 if "_exit" in text else 1) == outcome


@pytest.mark.parametrize("line, left", [
    ("os.fork() or signal.pause()", "PID"),
    ("os.fork() or os._exit(0); os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)", "a zombie"),
    ("os.dup(0)", "descriptor"),
    ("fd = os.open('/etc', os.O_RDONLY); os.dup2(fd, 0); os.close(fd)", "descriptor 0: /etc"),
    ("threading.Thread(target=threading.Event().wait, args=(5,)).start()", "Thread"),
    ("harness.Program(sys.executable, '-c', 'import signal; signal.pause()')", "running"),
])
def test_what_a_test_leaves_behind_fails_it(suite, line, left):
    (suite / "test_a.py").write_text(f"import os, signal, sys, threading, harness\ndef test_x():\n    {line}\n")
    printed = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_a.py", cwd=suite, status=1,
                  env={"PYTHONDONTWRITEBYTECODE": "1"}).stdout
    assert left in printed.split("this test left behind:")[1]


def test_a_test_that_only_computes_is_ended(suite):
    conftest = suite / "conftest.py"
    text = conftest.read_text()
    assert "OWN_CPU_TIME = 8 " in text
    conftest.write_text(text.replace("OWN_CPU_TIME = 8 ", "OWN_CPU_TIME = 0.2 "))
    (suite / "test_a.py").write_text("def test_x():\n    while True: pass\n\n\ndef test_y():\n    pass\n")
    printed = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_a.py", cwd=suite, status=1,
                  env={"PYTHONDONTWRITEBYTECODE": "1"}).stdout
    assert "this test has computed for 0.2 s: an endless loop?" in printed and "1 failed, 1 passed" in printed
