"""Make the virtual environment that the Makefile's commands use, unless it is there; then run a script with its Python.

    packages.py FOLDER                             make it, that is all
    packages.py FOLDER needed SCRIPT ARGUMENTS     make it; if that is impossible, run nothing
    packages.py FOLDER wanted SCRIPT ARGUMENTS     make it; if that is impossible, run the script all the same
    packages.py FOLDER unneeded SCRIPT ARGUMENTS   make nothing, but use it if it is there

It is made again when requirements.txt or the Python has changed, or when the last attempt was broken off. While a new one is
made, the old one stands aside, under another name; if the new one cannot be made, the old one comes back. Of two commands
that run at once, one waits for the other.

An old Python must understand this file as far as the next lines, so it has no f-strings.
"""
import sys

if sys.version_info < (3, 10):
    sys.exit("make: this is Python {}.{}, the course needs 3.10 or newer: try make PYTHON=python3.12".format(*sys.version_info))

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
# Not sys.prefix: an activated environment would always be a reason to make itself again.
THIS_PYTHON = "{}\n{}\n".format(sys.version, sys.base_prefix)
# The Python that this one is made from, if this one is that of a virtual environment: perhaps the one that we make again.
BASE_PYTHON = sys.executable if sys.prefix == sys.base_prefix else os.path.realpath(sys.executable)
ANOTHER_WAY = "sudo apt install python3-venv, or make PYTHON=another"


class NotMade(Exception):
    """There is no environment, and why: a text for the reader."""


def main():
    folder = Path(sys.argv[1]).absolute()
    packages_are, command = (sys.argv[2:3] or ["needed"])[0], sys.argv[3:]
    # To end by an exception, as with Ctrl-C, is to end with the old environment in its place.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)
    try:
        if packages_are != "unneeded":
            set_up(folder)
    except NotMade as error:
        if packages_are == "needed":
            sys.exit("make: {} (make demo, make race and make serve do without)".format(error))
        how = "with the old" if is_usable(folder) else "without"
        sys.stderr.write("make: going on {} {}: {}\n".format(how, folder.name, error))
    except KeyboardInterrupt:
        sys.exit(130)
    if command:
        python = str(folder / "bin" / "python") if is_usable(folder) else sys.executable
        os.execv(python, [python] + command)


def is_usable(folder):
    """Whether there is a whole environment of this Python, though perhaps with the packages of older requirements."""
    stamp = folder / "made-for"
    return stamp.exists() and stamp.read_text().startswith(THIS_PYTHON)


def set_up(folder):
    """Make the environment unless it is there; raise NotMade."""
    wanted = THIS_PYTHON + REQUIREMENTS.read_text()
    stamp = folder / "made-for"                    # written last, so what is half made has none
    if is_made(stamp, wanted):
        return
    try:
        with open("{}.lock".format(folder), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_made(stamp, wanted):         # it may have been made while we waited
                with replacing(folder, stamp):
                    make(folder, lock)
                    stamp.write_text(wanted)
    except OSError as error:
        raise NotMade("cannot write {}: {}".format(folder, error.strerror))


def is_made(stamp, wanted):
    return stamp.exists() and stamp.read_text() == wanted


@contextlib.contextmanager
def replacing(folder, stamp):
    """For the length of a block, put aside what is in the folder. It comes back if the block raises an exception.

    A virtual environment contains its own path, so it works under one name only: what is aside cannot be used.
    """
    aside = folder.with_name("{}.old".format(folder.name))
    if aside.exists():                             # we were killed (kill -9) half-way
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
    """Remove what is half made, and put back what was there before, if there was something."""
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
    """Run a command to its end; raise NotMade with that problem and the command's last line if it fails."""
    try:
        # It inherits the lock: if we are killed, it still holds it until it has ended.
        subprocess.run(command, check=True, capture_output=True, text=True, pass_fds=[lock.fileno()])
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines() or ["status {}".format(error.returncode)]
        raise NotMade("{} said: {}".format(problem, said[-1].replace("ERROR: ", "")))


if __name__ == "__main__":
    main()
