"""How count_children is judged."""
from judge.programs import Program
from judge.verdict import Refused

HINTS = [
    ("Five children end, and the handler runs once. Why?",
     "五个子进程结束，处理函数只运行一次。为什么？"),
    ("SIGCHLD does not queue: while one is pending, another one changes nothing.",
     "SIGCHLD 不排队：已有一个在等待时，再来一个没有任何效果。"),
    ("Reap in a loop with os.waitpid(-1, os.WNOHANG) until it returns (0, 0) or raises ChildProcessError.",
     "循环调用 os.waitpid(-1, os.WNOHANG)，直到它返回 (0, 0) 或抛出 ChildProcessError。"),
]
NOTICE = ("A signal says that something happened, not how often. A handler must not wait, so it uses WNOHANG.",
           "信号只说明有事发生，不说明几次。WNOHANG：处理函数里不能等待。")
REASONS = {"broken": "count", "wrong_blocks": "hangs", "wrong_waits_twice": "count"}


def judge(subject):
    subject.unchanged("main", "start")
    with Program(subject) as program:
        count = program.expect(r"^(\d+) of 5 children have ended\n")[1]
        if count != "5":
            raise Refused("count", f"five children have ended, but the handler has counted {count}", f"五个子进程结束了，只数到 {count} 个")
        program.until(lambda: False)
        if "Error" in program.err and "ChildProcessError" not in program.err:
            raise program.failure()
