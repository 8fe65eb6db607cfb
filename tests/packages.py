"""Make the virtual environment of the Makefile's commands, unless it exists; then run a script with its Python.

    packages.py FOLDER                             only make the environment in FOLDER
    packages.py FOLDER needed SCRIPT ARGUMENTS     make it; if that is impossible, run nothing
    packages.py FOLDER wanted SCRIPT ARGUMENTS     make it; if that is impossible, run the script anyway
    packages.py FOLDER unneeded SCRIPT ARGUMENTS   do not make it, but use it if it exists

The environment is made again if requirements.txt or the Python has changed, or if the last attempt was interrupted. While a
new environment is being made, the old one is kept under another name; if the new one cannot be made, the old one is restored.
If two commands run at the same time, one waits for the other.

This file has no f-strings, so that a very old Python can read it and print the message of the next lines.
"""
import sys

if sys.version_info < (3, 10):
    sys.exit("make: this is Python {}.{}, but the course needs 3.10 or newer: try make PYTHON=python3.12".format(*sys.version_info))

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
# We compare base_prefix, not prefix: with prefix, the Python of an activated environment would always make it again.
THIS_PYTHON = "{}\n{}\n".format(sys.version, sys.base_prefix)
# The Python outside any virtual environment, because our own Python may belong to the environment that we replace.
BASE_PYTHON = sys.executable if sys.prefix == sys.base_prefix else os.path.realpath(sys.executable)
ANOTHER_WAY = "sudo apt install python3-venv, or make PYTHON=another"


class NotMade(Exception):
    """The environment could not be made; the text says why."""


def main():
    folder = Path(sys.argv[1]).absolute()
    packages_are, command = (sys.argv[2:3] or ["needed"])[0], sys.argv[3:]
    # Let these signals raise KeyboardInterrupt, as Ctrl-C does: then the old environment is restored before we end.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)
    try:
        if packages_are != "unneeded":
            set_up(folder)
    except NotMade as error:
        if packages_are == "needed":
            sys.exit("make: {} (make demo, make race and make serve work without it)".format(error))
        how = "with the old" if is_usable(folder) else "without"
        sys.stderr.write("make: going on {} {}: {}\n".format(how, folder.name, error))
    except KeyboardInterrupt:
        sys.exit(130)
    if command:
        python = str(folder / "bin" / "python") if is_usable(folder) else sys.executable
        os.execv(python, [python] + command)


def is_usable(folder):
    """Return whether the folder has a complete environment of this Python, perhaps with packages of an older requirements.txt."""
    stamp = folder / "made-for"
    return stamp.exists() and stamp.read_text().startswith(THIS_PYTHON)


def set_up(folder):
    """Make the environment unless it is up to date; raise NotMade if that fails."""
    wanted = THIS_PYTHON + REQUIREMENTS.read_text()
    stamp = folder / "made-for"                    # written last, so an unfinished environment has no stamp
    if is_made(stamp, wanted):
        return
    try:
        with open("{}.lock".format(folder), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_made(stamp, wanted):         # another command may have made it while we waited
                with replacing(folder, stamp):
                    make(folder, lock)
                    stamp.write_text(wanted)
    except OSError as error:
        raise NotMade("cannot write {}: {}".format(folder, error.strerror))


def is_made(stamp, wanted):
    return stamp.exists() and stamp.read_text() == wanted


@contextlib.contextmanager
def replacing(folder, stamp):
    """Rename the folder during the `with` block, and restore it if the block raises an exception.

    A virtual environment contains its own path, so it cannot be used under the other name.
    """
    aside = folder.with_name("{}.old".format(folder.name))
    if aside.exists():                             # an earlier command was killed (kill -9) half-way
        if stamp.exists():
            shutil.rmtree(aside)
        else:
            restore(aside, folder)
    if folder.exists():
        folder.rename(aside)
    try:
        yield
    except BaseException:
        restore(aside, folder)
        raise
    if aside.exists():
        shutil.rmtree(aside)


def restore(aside, folder):
    """Remove the unfinished environment, and restore the old one if there was one."""
    if folder.exists():
        shutil.rmtree(folder)
    if aside.exists():
        aside.rename(folder)


def make(folder, lock):
    if importlib.util.find_spec("ensurepip") is None:
        raise NotMade("this Python has no ensurepip, so it cannot make a virtual environment: " + ANOTHER_WAY)
    sys.stderr.write("setting up {} (once)\n".format(folder.name))
    sys.stderr.flush()
    call([BASE_PYTHON, "-m", "venv", folder], lock, "this Python cannot make a virtual environment: {}; venv".format(ANOTHER_WAY))
    call([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1",
          "-r", REQUIREMENTS], lock,
         "could not install the packages of requirements.txt: if there is no network, connect and try again; pip")


def call(command, lock, problem):
    """Run a command to its end; if it fails, raise NotMade with the problem and the last line that the command printed."""
    try:
        # The command inherits the lock: if we are killed, the command still holds the lock until it has ended.
        subprocess.run(command, check=True, capture_output=True, text=True, pass_fds=[lock.fileno()])
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines() or ["status {}".format(error.returncode)]
        raise NotMade("{} said: {}".format(problem, said[-1].replace("ERROR: ", "")))


if __name__ == "__main__":
    main()
