"""Which names are allowed in the room, and which two names are the same one.
哪些姓名可以使用，哪些姓名算作同一个

A name stands in front of what its owner says, so it must not look like another member's or like
the administrator's.
"""
import re
import unicodedata

ADMIN = "管理员消息"
RESERVED = ("管理员", ADMIN)
MAX_NAME = 32                   # characters
# What looks like a colon.
COLONS = ":\u02d0\u0589\u05c3\u2236\ua789"
# What is printable and yet cannot be seen: fillers, variation selectors, ...
UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def comparable(name):
    """Names that differ only in case or in width are one name: Bob, bob and Ｂｏｂ."""
    return unicodedata.normalize("NFKC", name).casefold()


def objection_to(name):
    """Why this cannot be anyone's name, in both languages, or None."""
    if not name:
        return "the name is empty · 姓名不能为空"
    if len(name) > MAX_NAME:
        return f"a name has at most {MAX_NAME} characters · 姓名最多 {MAX_NAME} 个字符"
    if not name.isprintable() or " " in name or "\N{REPLACEMENT CHARACTER}" in name:
        return "a name cannot contain spaces or control characters · 姓名不能有空格或控制字符"
    if UNSEEN.search(comparable(name)):
        return "a name cannot contain invisible characters · 姓名不能有看不见的字符"
    # "Bob：hello" would look like a line of Bob's.
    if any(c in COLONS for c in comparable(name)):
        return "a name cannot contain a colon · 姓名不能有冒号"
    if comparable(name) in RESERVED:
        return f"the name {name} is reserved · 这个姓名是保留的"
    return None
