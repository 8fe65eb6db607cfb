"""The Makefile and the environment that it makes."""
import os
import re
import shlex
import shutil
import signal
import sys
from pathlib import Path

import pip
import pytest
from harness import ROOT, Program, run, wait_until


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

    # An activated environment is no reason to make itself again.
    run("sh", "-c", f". {folder}/bin/activate && exec python {packages} {folder}")
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == made


# Most of the time that an environment takes goes into its own pip. With this on PYTHONPATH it has none, and uses ours.
VENV_WITHOUT_PIP = """
import os, sys
sys.path.remove(os.path.dirname(__file__))
import venv                                        # the standard library's
venv.main(["--without-pip", *sys.argv[1:]])
"""


@pytest.fixture
def quick(packages):
    """Variables with which packages.py is quick."""
    folder = packages.parent / "quick"
    folder.mkdir()
    (folder / "venv.py").write_text(VENV_WITHOUT_PIP)
    (folder / "pip").symlink_to(Path(pip.__file__).parent)
    return {"PYTHONPATH": str(folder), "HOME": str(folder)}


@pytest.fixture
def old(packages, quick):
    """An environment that was made for another Python."""
    folder = packages.parent.parent / "env"
    run(packages, folder, stderr="setting up env .once.\n", env=quick)
    stamp = folder / "made-for"
    assert sys.version in stamp.read_text() and "# none" in stamp.read_text()
    stamp.write_text(stamp.read_text().replace(sys.version, "3.0"))
    return folder


def works(folder):
    """Whether it can be activated, and its Python is used then."""
    return run("sh", "-c", f". {folder}/bin/activate && python -c 'import sys; print(sys.prefix)'").stdout == f"{folder}\n"


def test_an_environment_that_is_made_again_from_inside_works_afterwards(packages, old, quick):
    run("sh", "-c", f". {old}/bin/activate && exec python {packages} {old}", stderr="setting up env .once.\n",
        env=quick)
    assert sys.version in (old / "made-for").read_text() and works(old)
    assert not old.with_name("env.old").exists()


NO_NETWORK = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}


@pytest.mark.parametrize("activated", [False, True])
def test_an_environment_that_cannot_be_made_again_is_left_as_it_was(packages, old, quick, activated):
    (packages.parent.parent / "requirements.txt").write_text("no-such-package-for-this-course==1\n")
    python = f". {old}/bin/activate && exec python" if activated else f"exec {sys.executable}"
    failed = run("sh", "-c", f"{python} {packages} {old}", status=1, stderr="(?s).*",
                 env={**NO_NETWORK, **quick})
    line = failed.stderr.splitlines()[-1]
    assert line.startswith("make: could not install the packages of requirements.txt: if there is no network, connect")
    assert "3.0" in (old / "made-for").read_text() and works(old)


def test_a_first_environment_that_cannot_be_made_leaves_nothing(packages, quick):
    (packages.parent.parent / "requirements.txt").write_text("no-such-package-for-this-course==1\n")
    run(packages, packages.parent.parent / "env", status=1, stderr="(?s).*", env={**NO_NETWORK, **quick})
    assert not (packages.parent.parent / "env").exists()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_environment_that_is_being_made_again_when_we_are_ended_comes_back(packages, old, quick, signum):
    (packages.parent.parent / "requirements.txt").write_text("# others\n")
    with Program(packages, old, env=quick) as program:
        program.expect("setting up", stream="stderr")
        wait_until((old / "bin").exists, lambda: "it does not begin")
        os.killpg(program.pid, signum)             # it and the venv or pip that it waits for
        program.wait()
    if signum == signal.SIGKILL:                   # nobody has cleaned up: the next one does, though it fails
        (packages.parent.parent / "requirements.txt").write_text("no-such-package-for-this-course==1\n")
        run(packages, old, status=1, stderr="(?s).*", env={**NO_NETWORK, **quick})
    assert "3.0" in (old / "made-for").read_text() and works(old)
    assert not old.with_name("env.old").exists()


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
