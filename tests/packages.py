"""Make the virtual environment that the Makefile's commands use, unless it is there: packages.py FOLDER

It is made again when requirements.txt or the Python has changed, or when the last attempt was broken off. While a new one is
made, the old one stands aside, under another name; if the new one cannot be made, the old one comes back. Of two commands
that run at once, one waits for the other.
"""
import contextlib
import fcntl
import importlib.util
import shutil
import signal
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
ADVICE = "(most scripts need no packages: python3 tests/tour.py 07 walks through a day without)"
# The Python that this one is made from, if this one is that of a virtual environment: perhaps the one that we make again.
BASE_PYTHON = getattr(sys, "_base_executable", None) or sys.executable


def main():
    if sys.version_info < (3, 10):
        fail("this is Python {}.{}, the course needs 3.10 or newer: try make PYTHON=python3.12".format(*sys.version_info))
    folder = Path(sys.argv[1]).absolute()
    # Not sys.prefix: an activated environment would always be a reason to make itself again.
    wanted = f"{sys.version}\n{sys.base_prefix}\n{REQUIREMENTS.read_text()}"
    stamp = folder / "made-for"                    # written last, so what is half made has none
    if is_made(stamp, wanted):
        return
    # To end by an exception, as with Ctrl-C, is to end with the old environment in its place.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)
    try:
        with open(f"{folder}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_made(stamp, wanted):         # it may have been made while we waited
                with replacing(folder, stamp):
                    make(folder, lock)
                    stamp.write_text(wanted)
    except OSError as error:
        fail(f"cannot write {folder}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(130)


def is_made(stamp, wanted):
    return stamp.exists() and stamp.read_text() == wanted


@contextlib.contextmanager
def replacing(folder, stamp):
    """For the length of a block, put aside what is in the folder. It comes back if the block raises an exception.

    A virtual environment contains its own path, so it works under one name only: what is aside cannot be used.
    """
    aside = folder.with_name(f"{folder.name}.old")
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
        fail("this Python has no ensurepip, so it cannot make a virtual environment: sudo apt install python3-venv, "
             f"or make PYTHON=another {ADVICE}")
    print(f"setting up {folder.name} (once)", file=sys.stderr)
    try:
        for command in ([BASE_PYTHON, "-m", "venv", folder],
                        [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                         "--retries", "1", "-r", REQUIREMENTS]):
            # They inherit the lock: if we are killed, they still hold it until they have ended.
            subprocess.run(command, check=True, capture_output=True, text=True, pass_fds=[lock.fileno()])
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines() or [f"status {error.returncode}"]
        fail(f"could not install the packages of requirements.txt: if there is no network, connect and try again {ADVICE}; "
             f"pip said: {said[-1]}")


def fail(message):
    sys.exit(f"make: {message}")


if __name__ == "__main__":
    main()
