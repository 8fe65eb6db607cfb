"""How pipe_end is judged."""
import re

from judge.programs import reads_its_own_pipe, run, shown
from judge.verdict import Refused

HINTS = [
    ("The child closes its writing end. Which other process still has one open?",
     "子进程关闭了它的写端。还有哪个进程开着写端？"),
    ("start() gives the child a copy of the writing end; the parent's own copy is still open.",
     "start() 给子进程一份写端的副本；父进程自己那份还开着。"),
    ("Close the writer in the parent, after start().",
     "在父进程里，start() 之后关闭 writer。"),
]
NOTICE = ("EOF is not sent. The kernel reports it when no process has the writing end open any more.",
           "EOF 不是发送的：所有进程的写端都关闭之后，内核才报告 EOF。")
REASONS = {
    "broken": "hangs",
    "wrong_join_first": "hangs",
    "wrong_wrong_end": "exception",
    "wrong_closes_too_early": "exception",
}


def judge(subject):
    subject.unchanged("send")
    printed = run(subject, explain=who_holds)
    sent, received = re.search(r"sent: (.*)", printed), re.search(r"received: (.*)", printed)
    if not sent or not received or sent[1] != received[1]:
        raise Refused("lost", "the sum received is not the sum sent", "收到的和发送的不一样", shown(printed))


def who_holds(program):
    """Say why no EOF comes, as (tag, English, Chinese); return None if the writing end is not the cause."""
    if found := reads_its_own_pipe(program):
        pid, fd = found
        return ("hangs", f"no EOF: the reader (PID {pid}) waits, but it still has the writing end open itself (fd {fd})",
                f"没有 EOF：读的进程（PID {pid}）在等待，而它自己还开着写端（fd {fd}）")
    return None
