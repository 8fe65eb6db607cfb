"""Run a student's program; see what it prints, whether it ends, and which processes it leaves behind.
运行学生的程序：看它打印什么、是否结束、留下什么。"""
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from judge import processes
from judge.verdict import Refused

STILL = 1.5                                        # seconds: if all its processes sleep for so long, the program hangs
BUSY = 5.0                                         # seconds of CPU time: a program that uses more counts as endless
LIMIT = 30                                         # seconds for one run
MOST_PROCESSES = 50
GRACE = 1                                          # seconds in which processes that a program leaves may end by themselves
HELPERS = "resource_tracker", "forkserver", "semaphore_tracker"    # processes of multiprocessing; they end by themselves


class Program:
    """A run of the student's file, for a `with` block. keeps_stdin_open: whether stdin is a pipe, instead of /dev/null."""

    def __init__(self, subject, *arguments, keeps_stdin_open=False):
        self.subject = subject
        self.begun, self.status = time.monotonic(), None
        self.out_file, self.err_file = Path("out").absolute(), Path("err").absolute()
        with open(self.out_file, "wb") as out, open(self.err_file, "wb") as err:
            # With -X faulthandler, Python prints at SIGABRT which line it is executing.
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-X", "faulthandler", subject.path, *arguments],
                stdin=subprocess.PIPE if keeps_stdin_open else subprocess.DEVNULL, stdout=out, stderr=err,
                preexec_fn=processes.end_with_parent)
        self.pid = self.process.pid
        self.stillness = processes.Stillness(lambda: processes.descendants(os.getpid()))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.stdin:
            self.process.stdin.close()
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()
        processes.kill_children()

    @property
    def out(self):
        return self.out_file.read_text(encoding="utf-8", errors="replace")

    @property
    def err(self):
        return self.err_file.read_text(encoding="utf-8", errors="replace")

    def has_ended(self):
        self.status = self.process.poll()
        return self.status is not None

    def until(self, condition, explain=None):
        """Wait until the condition is true or the program has ended; raise Refused if the program waits or runs for ever.

        explain(program): returns the message for that case, as (tag, English, Chinese), or None for the usual message.
        """
        self.stillness.again()
        pauses = processes.Pauses()
        while not condition() and not self.has_ended():
            pauses.sleep()
            if len(self.stillness.last or ()) > MOST_PROCESSES:
                raise Refused("too many", f"the program has started more than {MOST_PROCESSES} processes", f"启动了 {MOST_PROCESSES} 个以上的进程")
            is_still = self.stillness.seconds() > STILL and not condition()
            if is_still or self.cpu_seconds() > BUSY or time.monotonic() - self.begun > LIMIT:
                said = explain(self) if explain else None
                tag, english, chinese = said or self.hang(is_still)
                raise Refused(tag, english, chinese, shown(self.out))

    def cpu_seconds(self):
        return sum(stat[2] for stat in (self.stillness.last or {}).values()) / 100

    def hang(self, is_still):
        line = self.line()
        if line and "input(" in self.subject.text.splitlines()[int(line) - 1]:
            return "input", f"line {line} calls input(), and waits for someone to type", f"第 {line} 行调用 input()，在等待有人输入"
        at, at_zh = (f" in line {line}", f"，在第 {line} 行") if line else ("", "")
        if is_still:
            return "hangs", f"the program hangs{at}: it waits for something that never happens", f"程序卡住了{at_zh}：它等的事不会发生"
        return "endless", f"the program runs for ever{at}", f"程序没有结束{at_zh}"

    def line(self):
        """Return the line of the student's file that the first process is executing, or None. This ends the process."""
        self.process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        found = re.findall(r'File "(.*)", line (\d+) in', self.err)
        return next((line for file, line in found if file == self.subject.path), None)

    def expect(self, pattern):
        """Wait until the output matches the pattern; return the match. Raise Refused if it never does."""
        compiled = re.compile(pattern, re.MULTILINE)
        self.until(lambda: compiled.search(self.out))
        found = compiled.search(self.out)
        if not found:
            self.finish()
            raise Refused("output", "the program ended without printing what it should", "程序结束了，但没有打印该打印的内容", shown(self.out))
        return found

    def finish(self, explain=None, may_fail=False):
        """Wait until the program ends. Raise Refused if it ends with an exception, or leaves a process."""
        self.until(lambda: False, explain)
        if "EOFError: EOF when reading a line" in self.err:
            raise Refused("input", "the program calls input(), and would wait for someone to type", "它调用 input()，会等待有人输入")
        if (self.status or "Traceback" in self.err) and not may_fail:
            raise self.failure()
        # Wait a moment for helpers of multiprocessing and other processes that are about to end: a process that is ending
        # has no command line any more, so we cannot tell whether it is a helper.
        deadline = time.monotonic() + GRACE
        while (left := self.strangers()) and time.monotonic() < deadline:
            time.sleep(processes.EVERY)
        if left:
            raise Refused("left", f"the program has ended, but left {len(left)} process{'es' * (len(left) > 1)} behind",
                          f"程序结束后还留下 {len(left)} 个进程", shown(self.out))
        return self

    def strangers(self):
        """Return the PIDs of the processes that the program has left and that still run, without multiprocessing's helpers."""
        return [pid for pid in processes.children(os.getpid())
                if pid != self.pid and processes.is_running(pid) and not any(name in processes.command_of(pid) for name in HELPERS)]

    def failure(self):
        last = (self.err.strip().splitlines() or [f"exit status {self.status}"])[-1]
        lines = [line for file, line in re.findall(r'File "(.*)", line (\d+)', self.err) if file == self.subject.path]
        at, at_zh = (f"line {lines[-1]}: ", f"第 {lines[-1]} 行：") if lines else ("", "")
        return Refused("exception", f"{at}{last}"[:300], f"{at_zh}程序出错：{last}"[:300], shown(self.out))


def run(subject, *arguments, explain=None):
    """Run the student's file to its end; return what it printed."""
    with Program(subject, *arguments) as program:
        return program.finish(explain).out


def shown(out):
    """Return what the program printed, as lines for the details of a verdict."""
    lines = [line[:76] for line in out.splitlines()]
    if len(lines) > 12:
        lines[6:-6] = [f"... {len(lines) - 12} more lines ..."]
    return ["the program printed · 它打印了:", *(f"  {line}" for line in lines)] if lines else ["the program printed nothing · 它什么也没打印"]


def reads_its_own_pipe(program):
    """Find a descendant that holds both ends of one pipe; return (its PID, fd of the write end), or None."""
    for pid in processes.descendants(os.getpid()):
        ends = {}
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"{processes.PROC}/{pid}/fd"):
                with contextlib.suppress(OSError):
                    info = Path(f"{processes.PROC}/{pid}/fdinfo/{fd}").read_text()
                    flags = int(re.search(r"flags:\s*(\d+)", info)[1], 8)
                    ends.setdefault(os.readlink(f"{processes.PROC}/{pid}/fd/{fd}"), {})[flags & os.O_ACCMODE] = int(fd)
        for name, fds in ends.items():
            if name.startswith("pipe:") and {os.O_RDONLY, os.O_WRONLY} <= set(fds):
                return pid, fds[os.O_WRONLY]
    return None
