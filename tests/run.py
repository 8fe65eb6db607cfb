"""Run the tests on two cores: two pytests side by side, each with its share of the files.

Run:    python tests/run.py [OPTIONS OF PYTEST]
        make test                                  the same
"""
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent
SERVERS = ["test_echo_servers.py", "test_ftp.py", "test_http.py"]         # one share; the other takes about as long
NO_TESTS = 5                                       # pytest's exit status when an option such as -k leaves none


def main():
    files = [file.name for file in sorted(TESTS.glob("test_*.py"))]
    with tempfile.TemporaryFile() as output:
        aside = subprocess.Popen(command(SERVERS), stdout=output, stderr=subprocess.STDOUT)
        statuses = {subprocess.call(command(sorted(set(files) - set(SERVERS))))}
        statuses.add(aside.wait())
        output.seek(0)
        sys.stdout.buffer.write(output.read())
        sys.stdout.flush()
    failures = statuses - {0, NO_TESTS}
    sys.exit(max(failures, key=abs) if failures else min(statuses))


def command(files):
    return [sys.executable, "-m", "pytest", *(str(TESTS / file) for file in files), *sys.argv[1:]]


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:                      # both pytests have got it too, and have said so
        sys.exit(130)
