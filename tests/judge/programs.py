"""Run a student's program by itself; see what it prints, whether it ends, and what it leaves behind.
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

STILL = 1.5                                        # seconds in which all its processes sleep: it waits for ever
BUSY = 5.0                                         # seconds of CPU time after which it is taken to run for ever
LIMIT = 30
MOST_PROCESSES = 50
GRACE = 1                                          # seconds in which what a program leaves may end by itself
HELPERS = "resource_tracker", "forkserver", "semaphore_tracker"    # multiprocessing's own; they end by themselves


class Program:
    """A run of the file. stdin: open to be written to, or closed at once. Use it in a `with` block."""

    def __init__(self, subject, *arguments, keeps_stdin_open=False):
        self.subject = subject
        self.begun, self.status = time.monotonic(), None
        self.out_file, self.err_file = Path("out").absolute(), Path("err").absolute()
        with open(self.out_file, "wb") as out, open(self.err_file, "wb") as err:
            # -X faulthandler: SIGABRT makes it say in which line it is.
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
        """Wait until this is true, or the program has ended. Refused, if it waits or runs for ever before: explain(program)
        returns what to say of that, as (tag, English, Chinese), or None."""
        self.stillness.again()
        pauses = processes.Pauses()
        while not condition() and not self.has_ended():
            pauses.sleep()
            if len(self.stillness.last or ()) > MOST_PROCESSES:
                raise Refused("too many", f"it has started more than {MOST_PROCESSES} processes", f"启动了 {MOST_PROCESSES} 个以上的进程")
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
            return "input", f"line {line} calls input(), and waits for a person", f"第 {line} 行调用 input()，在等待有人输入"
        at, stelle = (f" in line {line}", f"，在第 {line} 行") if line else ("", "")
        if is_still:
            return "hangs", f"it hangs{at}: it waits for something that never happens", f"程序卡住了{stelle}：它等的事不会发生"
        return "endless", f"it never ends{at}", f"程序没有结束{stelle}"

    def line(self):
        """In which line of its file the first process is; it ends by that."""
        self.process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        found = re.findall(r'File "(.*)", line (\d+) in', self.err)
        return next((line for file, line in found if file == self.subject.path), None)

    def expect(self, pattern):
        """Wait until this comes in its output; return the match. Refused if it does not come."""
        compiled = re.compile(pattern, re.MULTILINE)
        self.until(lambda: compiled.search(self.out))
        found = compiled.search(self.out)
        if not found:
            self.finish()
            raise Refused("output", "it ended without printing what it should", "程序结束了，但没有打印该打印的内容", shown(self.out))
        return found

    def finish(self, explain=None, may_fail=False):
        """Wait for its end. Refused if it ends with an exception, or leaves a process."""
        self.until(lambda: False, explain)
        if "EOFError: EOF when reading a line" in self.err:
            raise Refused("input", "it calls input(), and would wait for a person", "它调用 input()，会等待有人输入")
        if (self.status or "Traceback" in self.err) and not may_fail:
            raise self.failure()
        # Helpers of multiprocessing, and what is about to end, get a moment: neither has a command line any more by then.
        deadline = time.monotonic() + GRACE
        while (left := self.strangers()) and time.monotonic() < deadline:
            time.sleep(processes.EVERY)
        if left:
            raise Refused("left", f"it has ended, and left {len(left)} process{'es' * (len(left) > 1)} behind",
                          f"程序结束后还留下 {len(left)} 个进程", shown(self.out))
        return self

    def strangers(self):
        """The processes that it has left and that still run, without the helpers of multiprocessing."""
        return [pid for pid in processes.children(os.getpid())
                if pid != self.pid and processes.is_running(pid) and not any(name in processes.command_of(pid) for name in HELPERS)]

    def failure(self):
        last = (self.err.strip().splitlines() or [f"exit status {self.status}"])[-1]
        lines = [line for file, line in re.findall(r'File "(.*)", line (\d+)', self.err) if file == self.subject.path]
        at, stelle = (f"line {lines[-1]}: ", f"第 {lines[-1]} 行：") if lines else ("", "")
        return Refused("exception", f"{at}{last}"[:300], f"{stelle}程序出错：{last}"[:300], shown(self.out))


def run(subject, *arguments, explain=None):
    """Run it to its end; return what it printed."""
    with Program(subject, *arguments) as program:
        return program.finish(explain).out


def shown(out):
    """What it printed, as the details of a verdict."""
    lines = [line[:76] for line in out.splitlines()]
    if len(lines) > 12:
        lines[6:-6] = [f"... {len(lines) - 12} more lines ..."]
    return ["it printed · 它打印了:", *(f"  {line}" for line in lines)] if lines else ["it printed nothing · 它什么也没打印"]


def reads_its_own_pipe(program):
    """The process below us that holds both ends of one pipe, as (PID, fd of the write end); or None."""
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
