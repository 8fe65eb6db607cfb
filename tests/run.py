"""Run the tests on two cores: two pytests side by side, each with its share of the files, and one summary of both.

Run:    python tests/run.py [OPTIONS OF PYTEST]
        make test                                  the same
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent
# One share, as patterns; the other files are the other, which takes about as long.
SERVERS = ("test_chat*.py", "test_echo_servers.py", "test_ftp*.py", "test_http*.py")
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "warnings", "deselected")
NO_TESTS = 5                                       # pytest's exit status when an option such as -k leaves none


def main():
    files = {file.name for file in TESTS.glob("test_*.py")}
    servers = {file.name for pattern in SERVERS for file in TESTS.glob(pattern)}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tests-") as folder:
        counts = [Path(folder) / "servers.json", Path(folder) / "others.json"]
        with tempfile.TemporaryFile() as output:
            # Its report comes after ours, so that the two are not mixed.
            aside = start(servers, counts[0], stdout=output, stderr=subprocess.STDOUT)
            statuses = {start(files - servers, counts[1]).wait()}
            statuses.add(aside.wait())
            output.seek(0)
            sys.stdout.buffer.write(output.read())
            sys.stdout.flush()
        # On a line of its own, also behind a share that was broken off in the middle of one.
        print(f"\n{summary(counts, time.monotonic() - began)}")
    failures = statuses - {0, NO_TESTS}
    sys.exit(max(failures, key=abs) if failures else min(statuses))


def start(files, counts, **options):
    """Start pytest with some of the files. It writes how many tests passed, failed, ... to the file `counts`."""
    # -qq: without the heading and the last line of each share.
    command = [sys.executable, "-m", "pytest", "-qq", *(str(TESTS / file) for file in sorted(files)), *sys.argv[1:]]
    return subprocess.Popen(command, env={**os.environ, "COURSE_COUNTS": str(counts)}, **options)


def summary(counts, seconds):
    """The last line: what both shares have come to. A share that was broken off has written nothing."""
    shares = [json.loads(file.read_text()) for file in counts if file.exists()]
    totals = {outcome: sum(share.get(outcome, 0) for share in shares) for outcome in OUTCOMES}
    parts = [f"{number} {outcome}" for outcome, number in totals.items() if number or outcome in ("passed", "failed")]
    parts += ["broken off"] * (len(counts) - len(shares))
    return f"{', '.join(parts)} in {seconds:.0f} s"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:                      # both pytests have got it too, and have said so
        sys.exit(130)
