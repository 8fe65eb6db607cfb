"""How monkey_late is judged."""
from judge.programs import Program, shown
from judge.verdict import Refused

NEEDS = "gevent"
HINTS = [
    ("Which function does the name `sleep` refer to, and since when?",
     "`sleep` 这个名字指的是哪个函数，从什么时候起？"),
    ("patch_all() puts new functions into the time module; it cannot change names that were imported before.",
     "patch_all() 把新函数放进 time 模块；之前已经导入的名字不会改变。"),
    ("Patch in the first lines, before any other import.",
     "在最前面几行打补丁，先于其他所有 import。"),
]
NOTICE = ("Apply the patch first, in the first lines of the program.",
           "补丁要放在程序的最前面几行。")
REASONS = {"broken": "order", "wrong_in_main": "order", "wrong_patches_socket": "order"}


def judge(subject):
    subject.unchanged("handle")
    with Program(subject) as program:
        program.finish()
    if program.out != "A begins, B begins, A ends, B ends\n":
        raise Refused("order", "A and B must both begin before either of them ends", "A 和 B 都开始之后，才能有一个结束", shown(program.out))
