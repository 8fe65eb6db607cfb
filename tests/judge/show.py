"""What the student and the instructor see: lines of at most 80 columns, in both languages.
学生和教师看到的内容：每行不超过 80 列，中英文都有。"""
import difflib
import re
import unicodedata

from judge.verdict import LEFT_OUT, NOT_KNOWN, PASSED

WIDTH = 80
SIGNS = {PASSED: "✓", NOT_KNOWN: "?", LEFT_OUT: "-"}
WORDS = {PASSED: "fixed · 已改好", NOT_KNOWN: "not known · 无法判断", LEFT_OUT: "left out · 跳过"}
CLOSING = (
    "All programs are fixed. Each time, a fact showed you the cause of the mistake: a schedule, a lost byte, a process "
    "left behind. Look for such facts in your own programs.",
    "全部改好了。每一次，你都是根据事实找到原因的：一种调度、丢失的字节、遗留的进程。在自己的程序里，也请这样寻找事实。")


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrap(text, indent="  "):
    """Break a string into lines of at most WIDTH columns. A line may end after any Chinese character, but no line begins with
    a punctuation mark."""
    lines, line = [], indent
    # A piece is a word or one wide character, with the punctuation and spaces after it.
    for piece in re.findall(r"(?:[^\s\u2e80-\uffff]+|[\u2e80-\uffff])[，。；：、！？）”]*\s*|\s+", text):
        if columns(line + piece.rstrip()) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += piece
    return [*lines, line.rstrip()]


def cut(text):
    """Shorten a line to at most WIDTH columns."""
    if columns(text) <= WIDTH:
        return text
    while columns(text) > WIDTH - 3:
        text = text[:-1]
    return text + "..."


def progress(exercises, fixed, left_out):
    """Yield a line that says how many exercises of each day are fixed, and lines that name the exercises left out."""
    parts = []
    for day in sorted({one.day for one in exercises}):
        names = [one.name for one in exercises if one.day == day and one.name not in left_out]
        count = sum(name in fixed for name in names)
        parts.append(f"{day} {count}/{len(names)}" + " ✓" * (count == len(names)))
    line = " · ".join(parts)
    yield line if columns(line) <= WIDTH else "  ".join(parts)
    if left_out:
        yield from wrap("left out, because gevent is not installed · 没有安装 gevent，跳过: " + ", ".join(left_out), "")


def task(exercise):
    """Yield the path of the file to fix, and what the program should do."""
    yield exercise.shown
    for line in exercise.title:
        yield from wrap(line)


def reason(verdict):
    """Yield why the program is not fixed: a sentence in both languages, then the facts."""
    yield ""
    yield "this program cannot be judged · 无法判断" if verdict.kind == NOT_KNOWN else "not fixed · 还没有改好"
    for text in verdict.english, verdict.chinese:
        yield from wrap(text)
    yield from map(cut, verdict.details)


def hints(exercise, count):
    """Yield the first `count` hints of an exercise."""
    yield ""
    all_of_them = exercise.check().HINTS
    for number, pair in enumerate(all_of_them[:count], 1):
        yield f"hint · 提示 {number}/{len(all_of_them)}"
        for text in pair:
            yield from wrap(text)


def solution(exercise):
    """Yield what the official solution changes, and what to notice in it."""
    yield f"✓ {exercise.name}: fixed · 已改好"
    yield "what the official solution changes · 参考答案所做的修改"
    yield f"(tests/exercises/{exercise.name}/solution.py)"
    for line in list(difflib.unified_diff(code(exercise.broken), code(exercise.solution), lineterm="", n=1))[2:]:
        yield cut("  " + ("..." if line.startswith("@@") else line))
    yield "what to notice · 注意"
    for text in exercise.check().NOTICE:
        yield from wrap(text)


def code(text):
    """Return the lines of a program after its docstring."""
    return text.partition('"""')[2].partition('"""')[2].strip().splitlines()


def table(exercises, verdicts):
    """Yield a table of the exercises and their verdicts, for an instructor."""
    widest = max(len(one.name) for one in exercises)
    for verdict in verdicts:
        word = WORDS.get(verdict.kind, f"not fixed · 未改好: {verdict.tag}")
        yield f"{SIGNS.get(verdict.kind, '✗')} {verdict.exercise:{widest}}  {word}"
        if verdict.kind not in (PASSED, LEFT_OUT):
            yield cut(f"    {verdict.english}")
            yield cut(f"    {verdict.chinese}")
