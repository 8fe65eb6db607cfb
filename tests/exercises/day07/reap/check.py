"""How reap is judged."""
from judge import processes
from judge.programs import Program
from judge.verdict import Refused

HINTS = [
    ("After a child ends, the kernel keeps its exit status until the parent waits for the child.",
     "子进程结束后，内核保留它的退出状态，直到父进程 wait。"),
    ("os.wait() waits for one child, and returns its PID and its status.",
     "os.wait() 等待一个子进程结束，返回它的 PID 和状态。"),
    ("Call os.wait() once per child; os.waitstatus_to_exitcode() decodes the status.",
     "每个子进程调用一次 os.wait()；os.waitstatus_to_exitcode() 解码状态。"),
]
NOTICE = ("Call wait() once for each child. Unless SIGCHLD is ignored, a child that is never waited for stays a zombie until its parent ends.",
           "每个子进程都要 wait() 一次；只要没有忽略 SIGCHLD，没有被 wait 的子进程就一直是僵尸，直到父进程结束。")
REASONS = {"broken": "zombies", "wrong_waits_once": "zombies", "wrong_ignores_them": "statuses"}


def judge(subject):
    subject.unchanged("work")
    with Program(subject, keeps_stdin_open=True) as program:
        statuses = program.expect(r"^exit statuses: (.*)\n")[1]
        # Wait until no child is running: each is a zombie, or has been reaped.
        program.until(lambda: all(stat[0] == "Z" for stat in processes.descendants(program.pid).values()))
        left = processes.children(program.pid)
        if left:
            raise Refused("zombies", f"the program has printed the statuses, but has not reaped {len(left)} of its children (zombies)",
                          f"程序已打印退出状态，但还有 {len(left)} 个僵尸子进程", [f"  PID {pid}: Z (defunct)" for pid in left])
        if statuses != "[1, 2, 3]":
            raise Refused("statuses", f"the children exited with 1, 2 and 3, but the program printed {statuses}", f"三个子进程的退出状态是 1、2、3；程序打印的是 {statuses}")
        program.process.communicate(b"\n")
        program.finish()
