"""Judge each file in a process of its own, which is killed at the end together with all its children.
判定文件：每个文件在单独的进程里判定，最后连同它的所有子进程一起结束。

Whatever the file does, a verdict comes within LIMIT seconds, and nothing is left running.
"""
import contextlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback

from judge import processes
from judge.subject import Subject, where
from judge.verdict import FAILED, LEFT_OUT, NOT_KNOWN, PASSED, Refused, Verdict

LIMIT = 45                                         # seconds for one file
AT_ONCE = 4                                        # files that are judged at the same time; most of them only wait
MOST_OUTPUT, MOST_MEMORY = 1 << 24, 1 << 32        # bytes


def judge_all(jobs, at_once=AT_ONCE):
    """Judge files; yield their verdicts in the same order. jobs: pairs (exercise, path of a file)."""
    adopts = processes.become_subreaper()
    not_ours = processes.children(os.getpid())
    waiting, running, done, shown = list(enumerate(jobs))[::-1], {}, {}, 0
    try:
        while shown < len(jobs):
            while waiting and len(running) < at_once:
                number, (exercise, path) = waiting.pop()
                running[number] = Apart(exercise, path, adopts)
            select.select([one.reader for one in running.values()], [], [], 0.5)
            for number, one in list(running.items()):
                if one.is_over():
                    one.kill()
                    processes.kill_children([*not_ours, *(other.pid for other in running.values() if other is not one)])
                    done[number] = one.verdict()
                    one.clean()
                    del running[number]
            while shown in done:
                yield done[shown]
                shown += 1
    finally:
        for one in running.values():
            one.kill()
        processes.kill_children(not_ours)
        for one in running.values():
            one.clean()


class Apart:
    """A process that judges one file, and writes its verdict into a pipe. adopts: whether its descendants become our children."""

    def __init__(self, exercise, path, adopts):
        self.exercise, self.data, self.is_at_end, self.adopts = exercise, b"", False, adopts
        self.folder = tempfile.mkdtemp(prefix="practice-")
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        self.reader = open(reader, "rb", buffering=0)
        self.deadline = time.monotonic() + LIMIT
        exercise.check()                           # load check.py before the fork, so that we load it only once
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                work(exercise, path, self.folder, writer)
            os._exit(1)
        os.close(writer)

    def is_over(self):
        """Return whether the verdict has come, the process has closed the pipe or filled it, or the time is up."""
        data = self.reader.read(1 << 16)           # None: nothing has arrived
        if data is not None:
            self.data, self.is_at_end = self.data + data, not data
        return self.is_at_end or data and data.endswith(b"\n") or len(self.data) > MOST_OUTPUT or time.monotonic() > self.deadline

    def verdict(self):
        # The student's program could have written into the pipe, too.
        with contextlib.suppress(ValueError, TypeError):
            return Verdict(**json.loads(self.data))
        if self.is_at_end or self.data:
            return Verdict(self.exercise.name, FAILED, "ended", "your program ended the judge's process, with os._exit() or a signal, "
                           "or used a file descriptor that it had not opened",
                           "这个文件结束了判定它的进程（os._exit() 或信号），或者用了不是它自己打开的文件描述符")
        return Verdict(self.exercise.name, FAILED, "endless", f"your program did not end within {LIMIT} s", f"{LIMIT} 秒内没有结束")

    def kill(self):
        """Kill the process. Its descendants then become our children; kill_children kills them, and reaps them all.

        If the system does not let us adopt them, kill the process group instead.
        """
        for kill in [os.kill] if self.adopts else [os.killpg, os.kill]:
            with contextlib.suppress(OSError):
                kill(self.pid, signal.SIGKILL)

    def clean(self):
        """Remove what is left. Only now, because the descendants could still have written into the folder."""
        self.reader.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def work(exercise, path, folder, writer):
    """What the new process does: judge the file, write the verdict into the pipe, exit."""
    me = os.getpid()
    os.setsid()
    processes.end_with_parent()
    processes.become_subreaper()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if it is ignored, nothing can be waited for (man 2 wait)
    for limit, most in (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, MOST_OUTPUT), (resource.RLIMIT_AS, MOST_MEMORY):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(nothing, fd)
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", closefd=False)
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]                       # PYTHONUNBUFFERED, for example, would change how a program writes its output
    os.environ.update(TMPDIR=folder, HOME=folder, PYTHONDONTWRITEBYTECODE="1")
    text = json.dumps(judge(exercise, path).as_data()) + "\n"
    if os.getpid() == me:                          # the student's program may have forked: its child gets here too
        data = text.encode()
        while data:
            data = data[os.write(writer, data):]
    os._exit(0)


def judge(exercise, path):
    """Return the verdict of an exercise's check on a file. Every exception becomes a verdict, even SystemExit."""
    if package := exercise.missing_package():
        return Verdict(exercise.name, LEFT_OUT, package, f"{package} is not installed; to install it, type: make packages",
                       f"没有安装 {package}：make packages")
    try:
        subject = Subject(exercise, path)
        exercise.check().judge(subject)
        return Verdict(exercise.name, PASSED)
    except Refused as refused:
        return Verdict(exercise.name, refused.kind, refused.tag, refused.english, refused.chinese, refused.details)
    except BaseException as error:
        line = where(error, path)
        if line:
            return Verdict(exercise.name, FAILED, "exception", f"line {line}: {type(error).__name__}: {error}"[:300],
                           f"第 {line} 行抛出 {type(error).__name__}")
        return Verdict(exercise.name, NOT_KNOWN, "judge", f"the judge itself failed: {type(error).__name__}: {error}"[:300],
                       "裁判自身出错", traceback.format_exc().splitlines()[-6:])
