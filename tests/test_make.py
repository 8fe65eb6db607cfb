"""The Makefile and the environment that it makes."""
import re
import shlex
import shutil
import sys

import pytest
from harness import ROOT, Program, run


@pytest.fixture
def packages(tmp_path):
    """packages.py in a folder of its own, where it needs no package and so no network."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/packages.py", tmp_path / "tests")
    (tmp_path / "requirements.txt").write_text("# none\n")
    return tmp_path / "tests/packages.py"


def test_two_at_once_make_one_environment_and_the_next_call_none(packages):
    folder = packages.parent.parent / "env"
    home = {"HOME": str(packages.parent)}               # pip writes there
    with Program(packages, folder, env=home) as one, Program(packages, folder, env=home) as two:
        one.wait()
        two.wait()
        assert (one.status, two.status) == (0, 0)
        assert (one.stderr + two.stderr) == "setting up env (once)\n"
    assert run(folder / "bin" / "python", "-c", "print('it works')").stdout == "it works\n"
    made = (folder / "pyvenv.cfg").stat().st_mtime_ns
    run(packages, folder)
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == made

    # Made for another Python, for other packages, or broken off by a kill -9: it is made again. Here, that fails.
    stamp = folder / "made-for"
    assert sys.version in stamp.read_text() and "# none" in stamp.read_text()
    stamp.write_text(stamp.read_text().replace(sys.version, "3.0"))
    (packages.parent.parent / "requirements.txt").write_text("no-such-package-for-this-course==1\n")
    failed = run(packages, folder, status=1, env={"PIP_NO_INDEX": "1", **home}, stderr="(?s).*")
    [_, line] = failed.stderr.splitlines()
    assert line.startswith("make: could not install the packages of requirements.txt: if there is no network, connect")
    assert not stamp.exists()


def test_a_python_without_ensurepip_says_what_to_do(packages, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['ensurepip'] = None\n")
    failed = run(packages, tmp_path / "env", status=1, env={"PYTHONPATH": str(tmp_path)}, stderr=".*\n")
    assert re.fullmatch("make: .*sudo apt install python3-venv.*\n", failed.stderr)


def test_an_old_python_and_a_folder_of_others_say_what_to_do(packages, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.version_info = (3, 9, 1, 'final', 0)\n")
    run(packages, tmp_path / "env", status=1, env={"PYTHONPATH": str(tmp_path)},
        stderr="make: this is Python 3.9, the course needs 3.10 or newer: .*\n")
    run(packages, "/proc/env", status=1, stderr="make: cannot write /proc/env: .*\n")


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize("target, command", [
    ("demo DAY=07", '".venv/bin/python" tests/tour.py 07'),
    ("race", '".venv/bin/python" day12/server_race.py '),
    ("serve ARGS=8080", '".venv/bin/python" day12/http_server.py 8080'),
    ("bench-ftp", '".venv/bin/python" tests/bench_ftp.py '),
    ("bench-http", '".venv/bin/python" tests/bench_http.py '),
    ("readme", '".venv/bin/python" tests/readme.py'),
    ("test ARGS='-k chat'", '".venv/bin/python" tests/run.py -k chat'),
])
def test_targets(target, command):
    commands = run("make", "--no-print-directory", "-n", *shlex.split(target), cwd=ROOT).stdout.splitlines()
    assert commands == ['"python3" tests/packages.py ".venv"', command]


def test_requirements_are_the_three_packages():
    text = (ROOT / "requirements.txt").read_text()
    assert sorted(re.findall(r"^[a-z]+", text, re.MULTILINE)) == ["gevent", "greenlet", "pytest"]


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_help_names_every_target():
    printed = run("make", "--no-print-directory", cwd=ROOT).stdout
    targets = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    for target in set(targets) - {"help", "packages"}:
        assert f"make {target}" in printed
