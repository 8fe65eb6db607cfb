"""The Makefile and the environment that it makes."""
import ast
import json
import os
import re
import shlex
import shutil
import signal
import sys
from pathlib import Path

import course
import harness
import pip
import pytest
from harness import ROOT, TIMEOUT, Program, run, wait_until
from packages import NotMade, call


@pytest.fixture
def packages(tmp_path):
    """packages.py in a folder of its own, where it needs no package and so no network."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/packages.py", tmp_path / "tests")
    (tmp_path / "requirements.txt").write_text("# none\n")
    return tmp_path / "tests/packages.py"


def test_two_at_once_make_one_environment_and_the_next_call_none(packages, monkeypatch):
    monkeypatch.setattr(harness, "BUSY", 60)            # pip computes for about five seconds on a quiet machine
    folder = packages.parent.parent / "env"
    home = {"HOME": str(packages.parent)}               # pip writes there
    with Program(packages, folder, env=home) as one, Program(packages, folder, env=home) as two:
        one.wait(4 * TIMEOUT)
        two.wait(4 * TIMEOUT)
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
import os, signal, sys
sys.path.remove(os.path.dirname(__file__))
import venv                                        # the standard library's
venv.main(["--without-pip", *sys.argv[1:]])
if "PAUSE" in os.environ:                          # the test ends it in the middle of its work
    signal.pause()
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
    with Program(packages, old, env={**quick, "PAUSE": "1"}) as program:
        program.expect("setting up", stream="stderr")
        wait_until((old / "bin").exists, lambda: "it does not begin")
        os.killpg(program.pid, signum)             # it and the venv or pip that it waits for
        program.wait()
    if signum == signal.SIGKILL:                   # nobody has cleaned up: the next one does, though it fails
        (packages.parent.parent / "requirements.txt").write_text("no-such-package-for-this-course==1\n")
        run(packages, old, status=1, stderr="(?s).*", env={**NO_NETWORK, **quick})
    assert "3.0" in (old / "made-for").read_text() and works(old)
    assert not old.with_name("env.old").exists()


@pytest.fixture
def no_ensurepip(packages):
    """Variables with which Python has no ensurepip, as on Debian without python3-venv."""
    (packages.parent / "sitecustomize.py").write_text("import sys; sys.modules['ensurepip'] = None\n")
    (packages.parent / "show.py").write_text("import sys; print(sys.prefix, *sys.argv[1:])\n")
    return {"PYTHONPATH": str(packages.parent)}


def test_a_python_without_ensurepip_says_what_to_do(packages, tmp_path, no_ensurepip):
    failed = run(packages, tmp_path / "env", "needed", packages.parent / "show.py", status=1, env=no_ensurepip, stderr=".*\n")
    assert re.fullmatch("make: .*sudo apt install python3-venv.*make demo.*\n", failed.stderr) and not failed.stdout


def test_a_venv_that_fails_is_not_taken_for_a_missing_network(packages, tmp_path):
    (packages.parent / "venv.py").write_text("import sys; sys.exit('broken')\n")
    run(packages, tmp_path / "env", status=1, env={"PYTHONPATH": str(packages.parent)},
        stderr="setting up env .once.\nmake: this Python cannot make a virtual environment: .* venv said: broken .*\n")


def test_what_needs_no_package_runs_without_an_environment(packages, tmp_path, no_ensurepip):
    show = packages.parent / "show.py"
    wanted = run(packages, tmp_path / "env", "wanted", show, "a b", "c", env=no_ensurepip, stderr="[^\n]+\n")
    assert wanted.stderr.startswith("make: going on without env: this Python has no ensurepip")
    assert wanted.stdout == f"{sys.prefix} a b c\n"
    # It does not even try.
    assert run(packages, tmp_path / "env", "unneeded", show, env=no_ensurepip).stdout == f"{sys.prefix}\n"
    assert not (tmp_path / "env").exists()
    # Nor does a folder matter in which nothing can be written.
    wanted = run(packages, "/proc/env", "wanted", show, stderr="make: going on without env: cannot write /proc/env: .*\n")
    assert wanted.stdout == f"{sys.prefix}\n"


def test_what_needs_no_package_uses_the_environment_that_is_there(packages, quick, no_ensurepip):
    folder, show = packages.parent.parent / "env", packages.parent / "show.py"
    made = run(packages, folder, "wanted", show, "x", env=quick, stderr="setting up env .once.\n")
    assert made.stdout == f"{folder} x\n"
    assert run(packages, folder, "unneeded", show).stdout == f"{folder}\n"
    # One with the packages of older requirements is better than none; one of another Python is not the Python that was asked for.
    (packages.parent.parent / "requirements.txt").write_text("# others\n")
    assert run(packages, folder, "unneeded", show).stdout == f"{folder}\n"
    old = run(packages, folder, "wanted", show, env=no_ensurepip, stderr="make: going on with the old env: .*\n")
    assert old.stdout == f"{folder}\n"
    (folder / "made-for").write_text("3.0")
    assert run(packages, folder, "unneeded", show).stdout == f"{sys.prefix}\n"


def test_the_exit_status_is_that_of_the_script(packages):
    (packages.parent / "end.py").write_text("raise SystemExit(7)\n")
    run(packages, packages.parent / "env", "unneeded", packages.parent / "end.py", status=7)


def test_an_old_python_and_a_folder_of_others_say_what_to_do(packages, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.version_info = (3, 9, 1, 'final', 0)\n")
    run(packages, tmp_path / "env", status=1, env={"PYTHONPATH": str(tmp_path)},
        stderr="make: this is Python 3.9, but the course needs 3.10 or newer: .*\n")
    run(packages, "/proc/env", status=1, stderr="make: cannot write /proc/env: .*\n")


def test_an_old_python_understands_packages_py_as_far_as_it_must(packages):
    """It reads the whole file before it runs the first line. Python 2 has no f-strings, no [*a, *b], no print(file=...)."""
    source = packages.read_text()
    tree = ast.parse(source, feature_version=(3, 6))
    assert source.isascii() and "print(" not in source
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr), f"line {node.lineno} has an f-string"
        assert not any(isinstance(one, ast.Starred) for one in getattr(node, "elts", ())), f"line {node.lineno} has a star"
    _, sys_import, check = tree.body[:3]
    assert ast.unparse(sys_import) == "import sys" and "version_info" in ast.unparse(check.test)


OLD_PYTHONS = [python for version in ("2.7", "3.6", "3.9")
               for python in Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python")]


@pytest.mark.parametrize("python", OLD_PYTHONS, ids=lambda python: python.parts[-3])
def test_an_old_python_says_so_in_one_line(packages, python):
    run(python, packages, packages.parent / "env", "unneeded", "x.py", status=1,
        stderr="make: this is Python [23].[0-9], but the course needs 3.10 or newer: [^\n]+\n")


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_without_python_make_says_what_to_install():
    failed = run("make", "demo", "PYTHON=nosuchpython", cwd=ROOT, status=2, stderr=".*")
    assert failed.stderr.startswith("make: cannot find nosuchpython: sudo apt install python3 python3-venv, or make PYTHON=another\n")


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize("target, command", [
    ("demo", "wanted tests/tour.py  "),
    ("demo DAY='07 08'", "unneeded tests/tour.py 07 08 "),
    ("demo DAY=12", "wanted tests/tour.py 12 "),
    ("demo SCRIPT=day10/race.py", "unneeded tests/tour.py  day10/race.py"),
    ("demo SCRIPT=day12/greenlet_0.py", "wanted tests/tour.py  day12/greenlet_0.py"),
    ("race", "wanted day12/server_race.py "),
    ("serve ARGS=8080", "unneeded day12/http_server.py 8080"),
    ("practice", "unneeded tests/practice.py"),
    ("practice EX=day10/transfer", "unneeded tests/practice.py day10/transfer"),
    ("practice ALL=1", "unneeded tests/practice.py  --all"),
    ("practice RESET=day10/transfer", "unneeded tests/practice.py   --reset=day10/transfer"),
    ("class ARGS=0", "unneeded day12/classroom.py 0"),
    ("bench-ftp", "unneeded tests/bench_ftp.py "),
    ("bench-http", "unneeded tests/bench_http.py "),
    ("readme", "needed tests/readme.py"),
    ("packages", ""),
    ("test ARGS='-k chat'", "needed tests/run.py -k chat"),
])
def test_targets(target, command):
    printed = run("make", "--no-print-directory", "-n", *shlex.split(target), cwd=ROOT).stdout
    assert printed.rstrip("\n").rstrip(" ").rpartition("; ")[2] == f'exec "python3" tests/packages.py ".venv" {command}'.rstrip(" ")


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize("target, command", [("demo", "wanted tests/tour.py"), ("practice", "unneeded tests/practice.py")])
def test_variables_of_the_environment_do_not_count(target, command):
    env = {name: "day10/x" for name in ("DAY", "SCRIPT", "EX", "ALL", "RESET")}
    assert run("make", "-n", target, cwd=ROOT, env=env).stdout.rstrip().endswith(command)


def test_packages_are_for_day_12():
    """So make demo needs none for the other days."""
    for script in course.scripts_in_order():
        text = (ROOT / script.path).read_text(encoding="utf-8")
        assert script.day == "12" or not re.search(r"^\s*(?:import|from) g(?:event|reenlet)", text, re.MULTILINE), script.path


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_ctrl_c_is_how_serve_ends_and_no_failure(packages):
    """Of make there is no word: neither Interrupt nor Error.

    GNU Make has a race of its own here: it says "wait: No child processes" if its child has ended before make sees the signal.
    So the child waits until make has seen it."""
    shutil.copy(ROOT / "Makefile", packages.parent.parent)
    (packages.parent.parent / "day12").mkdir()
    (packages.parent.parent / "day12/http_server.py").write_text(
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
        "print('listening', flush=True)\nsignal.sigwait([signal.SIGINT])\n"
        "import os, pathlib, re\n"
        "def state(): return pathlib.Path(f'/proc/{os.getppid()}/status').read_text()\n"
        "while 'State:\\tS' not in state() or re.search('(?:Shd|Sig)Pnd:\\t0*2\\n', state()): os.sched_yield()\n")
    with Program("make", "serve", f"PYTHON={sys.executable}", tty=True, cwd=packages.parent.parent) as make:
        make.expect("listening\n")
        make.write("\x03")
        make.finish(status=-signal.SIGINT)         # a shell says nothing of that either
    assert make.stdout == "listening\n^C"


def test_a_command_that_fails_has_the_last_word_and_holds_the_lock(tmp_path):
    with open(tmp_path / "lock", "w") as lock:
        with pytest.raises(NotMade, match="^nothing works: pip said: no network$"):
            call(["sh", "-c", "echo looking; echo 'Warning: x' >&2; echo 'ERROR: no network' >&2; exit 3"], lock, "nothing works: pip")
        with pytest.raises(NotMade, match="said: looking$"):
            call(["sh", "-c", "echo looking; exit 3"], lock, "pip")
        with pytest.raises(NotMade, match="said: status 3$"):
            call(["sh", "-c", "exit 3"], lock, "pip")
        # If we are killed, the command is still at work.
        call([sys.executable, "-c", f"import os; os.write({lock.fileno()}, b'held')"], lock, "it does not have the lock")
    assert (tmp_path / "lock").read_text() == "held"


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_clean_removes_what_was_made_and_nothing_else(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    made = [".venv/bin/python", ".venv.lock", ".venv.old/made-for", ".venv-ci-3.10/made-for", ".pytest_cache/README.md",
            "day07/__pycache__/fork.pyc", "day07/chat/chatroom/__pycache__/room.pyc", "tests/__pycache__/run.pyc"]
    theirs = ["README.md", "day07/fork.py", "day07/chat/chatroom/room.py", "day11/ftp/downloads/welcome.txt", "tests/run.py",
              "other/__pycache__/mine.pyc", "venv/bin/python"]
    for path in made + theirs:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    run("make", "--no-print-directory", "clean", cwd=tmp_path)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(tmp_path)) for path in left) == sorted(["Makefile", *theirs])
    assert not any((tmp_path / path).parent.exists() for path in made if "__pycache__" in path)


def test_requirements_are_the_three_packages():
    text = (ROOT / "requirements.txt").read_text()
    assert sorted(re.findall(r"^[a-z]+", text, re.MULTILINE)) == ["gevent", "greenlet", "pytest"]


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_help_names_every_target():
    printed = run("make", "--no-print-directory", cwd=ROOT).stdout
    targets = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    for target in set(targets) - {"help"}:
        assert f"make {target} " in printed
    assert max(map(course.columns, printed.splitlines())) <= 80


def test_the_container_sets_up_what_make_needs():
    """What it does in VS Code and Codespaces cannot be seen here; that it is valid, and names what there is, can."""
    text = (ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8")
    container = json.loads(re.sub(r"^ *//.*", "", text, flags=re.MULTILINE))
    assert re.fullmatch(r"python:3\.1\d", container["image"])
    assert container["init"] is True               # or orphans stay zombies
    command, target = container["postCreateCommand"].split()
    assert command == "make" and re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert container["remoteEnv"]["PATH"].startswith("${containerWorkspaceFolder}/.venv/bin:")
