"""Check after every test that it has left nothing behind, and show in the report of a failure what each side has sent."""
import gc
import json
import os
import signal
import threading
from pathlib import Path

import harness
import pytest

SHOWN = 20                                         # the most programs and sockets that the report of a failed test shows
OWN_CPU_TIME = 8                                   # seconds that a test may compute in this process


def pytest_configure():
    harness.become_subreaper()
    signal.signal(signal.SIGVTALRM, stop_computing)


def pytest_collection_finish():
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_left():
    """Fail a test that leaves a process, a zombie, a thread or a descriptor in this process."""
    shared = harness.running()                     # servers that several tests share
    harness.participants[:] = shared
    before, threads = harness.descriptors("self"), threading.enumerate()
    signal.setitimer(signal.ITIMER_VIRTUAL, OWN_CPU_TIME)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    programs = [program for program in harness.running() if program not in shared]
    left = [f"running: {program}" for program in programs]
    for program in programs:
        program.destroy()
    for pid in harness.adopted_by_us():
        left.append(harness.describe(pid))
        harness.kill(pid)
    # gc.freeze() hides the surviving objects from later collections, so each test collects only its own objects.
    gc.collect()
    gc.freeze()
    left += [f"descriptor {fd}: {what}" for fd, what in harness.descriptors("self").items() if before.get(fd) != what]
    left += [str(thread) for thread in threading.enumerate() if thread not in threads]
    if left:
        pytest.fail("this test left behind:\n" + "\n".join(left), pytrace=False)


def stop_computing(signum, frame):
    raise AssertionError(f"this test has computed for {OWN_CPU_TIME} s: an endless loop?")


@pytest.fixture
def impatient():
    """Make a test fail after 8 seconds if it blocks. Use it for code that must not wait."""
    def give_up(signum, frame):
        raise AssertionError("the test blocks in a place that must not wait")
    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 8)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for participant in harness.participants[:SHOWN]:
            report.sections.append(("transcript", participant.transcript()))
    return report


def pytest_terminal_summary(terminalreporter):
    """Write the results of this pytest to a file for tests/run.py, which runs several pytests."""
    if "COURSE_COUNTS" in os.environ:
        counts = {outcome: len(reports) for outcome, reports in terminalreporter.stats.items() if outcome}
        Path(os.environ["COURSE_COUNTS"]).write_text(json.dumps(counts))
