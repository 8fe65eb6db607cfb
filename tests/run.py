"""Run all tests on two cores: start several pytests side by side, each with a share of the files, and print one summary.

Run:    python tests/run.py [OPTIONS OF PYTEST]
        make test                                  does the same

There are more shares than cores, because many tests only wait, for a time limit of a server or for the start of a program.
"""
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent
# The shares take about equally long. A file belongs to the first share that has a pattern for it. The last share gets the
# remaining files.
SHARES = [
    ("test_echo_servers.py",),
    ("test_http_hostile.py", "test_http_loop.py", "test_day07.py", "test_day08.py"),
    ("test_course.py", "test_day10.py"),
    ("test_day10_interleavings.py", "test_day1[12]*.py"),
    ("test_practice.py", "test_chat*.py"),
    ("test_classroom*.py",),
    ("test_http*.py", "test_make.py"),
    ("test_ftp*.py", "test_tour.py"),
    ("*",),
]
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "warnings", "deselected")
NO_TESTS = 5                                       # pytest's exit status if no test was selected, for example by -k


def main():
    began = time.monotonic()
    shares = divide(file.name for file in TESTS.glob("test_*.py"))
    with tempfile.TemporaryDirectory(prefix="tests-") as folder:
        counts = [Path(folder) / f"{number}.json" for number in range(len(shares))]
        # The first share prints while it runs. The other reports are printed after it, so that they are not mixed.
        outputs = [None, *(open(f"{folder}/{number}.txt", "w+b") for number in range(1, len(shares)))]
        pytests = [start(*each) for each in zip(shares, counts, outputs)]
        statuses = set()
        for pytest, output in zip(pytests, outputs):
            statuses.add(pytest.wait())
            if output is not None:
                with output:
                    output.seek(0)
                    sys.stdout.buffer.write(output.read())
                    sys.stdout.flush()
        # Begin a new line, because an interrupted share may have printed half a line.
        print(f"\n{summary(counts, time.monotonic() - began)}")
    failures = statuses - {0, NO_TESTS}
    sys.exit(max(failures, key=abs) if failures else min(statuses))


def divide(names):
    """Return the list of files of each share, without empty shares. names: the names of all files."""
    shares = [set() for _ in SHARES]
    for name in names:
        first = next(number for number, patterns in enumerate(SHARES) if any(fnmatch.fnmatch(name, one) for one in patterns))
        shares[first].add(name)
    return [sorted(share) for share in shares if share]


def start(files, counts, output):
    """Start pytest with some of the files. It writes to the file `counts` how many tests passed, failed, ..."""
    # -qq omits the heading and the last line of each share.
    command = [sys.executable, "-m", "pytest", "-qq", *(str(TESTS / file) for file in files), *sys.argv[1:]]
    return subprocess.Popen(command, env={**os.environ, "COURSE_COUNTS": str(counts)},
                            stdout=output, stderr=output and subprocess.STDOUT)


def summary(counts, seconds):
    """Return the last line: the total results of all shares. A share that was interrupted has written no file."""
    shares = [json.loads(file.read_text()) for file in counts if file.exists()]
    totals = {outcome: sum(share.get(outcome, 0) for share in shares) for outcome in OUTCOMES}
    parts = [f"{number} {outcome}" for outcome, number in totals.items() if number or outcome in ("passed", "failed")]
    parts += ["broken off"] * (len(counts) - len(shares))
    return f"{', '.join(parts)} in {seconds:.0f} s"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:                      # each pytest has received the Ctrl-C too, and has reported it
        sys.exit(130)
