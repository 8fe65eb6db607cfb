"""How printed_twice is judged."""
from judge.programs import run, shown
from judge.verdict import Refused

HINTS = [
    ("When stdout is a pipe, print() only fills a buffer. When is the buffer written out?",
     "输出到管道时，print() 只写进缓冲区。缓冲区什么时候才真正写出？"),
    ("fork copies the memory of the process, including the buffer.",
     "fork 复制进程的内存，缓冲区也一起复制。"),
    ("Write the buffer out before the fork: sys.stdout.flush().",
     "在 fork 之前写出缓冲区：sys.stdout.flush()。"),
]
NOTICE = ("The buffer must be empty when fork copies it. A flush after the fork is too late, in the parent as well as in the child.",
           "fork 复制时缓冲区必须是空的；之后在哪个进程里 flush 都晚了。")
REASONS = {"broken": "twice", "wrong_exit_at_once": "lost", "wrong_flush_in_child": "twice"}


LINES = ["child: counted the stock", "parent: wrote the report", "report of the day"]


def judge(subject):
    printed = run(subject)
    for line in LINES:
        count = printed.splitlines().count(line)
        if count > 1:
            raise Refused("twice", f"when stdout is a pipe, `{line}` is printed {count} times", f"输出到管道时，`{line}` 打印了 {count} 次", shown(printed))
        if count == 0:
            raise Refused("lost", f"when stdout is a pipe, `{line}` is lost", f"输出到管道时，`{line}` 丢失了", shown(printed))
