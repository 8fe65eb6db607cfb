"""How join_first is judged."""
import ast

from judge.programs import run, shown
from judge.verdict import Refused

HINTS = [
    ("The parent waits for the child. What does the child wait for?",
     "父进程等子进程。子进程在等什么？"),
    ("The child's feeder thread writes into a pipe that usually holds 64 KiB. Until the parent reads the pipe, the child cannot end.",
     "子进程的发送线程写入管道，容量通常是 64 KiB；父进程不读，子进程就不能结束。"),
    ("Call get() first, then join().",
     "先 get()，后 join()。"),
]
NOTICE = ("A child that has put more data into a queue than the pipe holds can end only after the parent has begun to read: get first, then join. A short string fits into the pipe, so a test with little data passes.",
           "子进程放入队列的数据超过管道容量时，父进程来读，它才能结束：先 get 后 join。数据少时管道装得下，所以小测试发现不了。")
REASONS = {
    "broken": "hangs",
    "wrong_timeout": "timeout",
    "wrong_no_join": "not joined",
    "wrong_terminate": "hangs",
}


def judge(subject):
    subject.unchanged("work")
    joins = [node for node in ast.walk(subject.tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".join")
             and not isinstance(node.func.value, ast.Constant)]             # a string has a join(), too
    if not joins:
        raise Refused("not joined", "the program never joins the child, so it knows the exit code only by chance", "从未 join 子进程：能不能得到退出码只是碰运气")
    for node in joins:
        if node.args or node.keywords:
            raise Refused("timeout", f"line {node.lineno}: a timeout only guesses how long the child needs", f"第 {node.lineno} 行：timeout 只是在猜子进程要多久")
    printed = run(subject)
    if "1000000 characters" not in printed:
        raise Refused("lost", "a string of 1,000,000 characters must arrive", "必须收到 1000000 个字符的文本", shown(printed))
    if "exit code 0" not in printed:
        raise Refused("not joined", "when the program prints, the child has not yet exited with 0", "打印时子进程还没有正常结束", shown(printed))
