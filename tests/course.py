"""What the course says about itself: its scripts, in the order of README.md, and what their docstrings promise."""
import ast
import functools
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import harness

ROOT = Path(__file__).resolve().parent.parent
# Scripts that leave a process to init (or to the nearest subreaper) on purpose, since that is what they show.
ORPHANS = {"day07/child.py": 1, "day07/orphan.py": 1}
# multiprocessing has helpers of its own (a fork server, a resource tracker), which end a moment after the script.
HELPERS = range(5)
NOTES, BEYOND_THE_NOTES = "讲义: ", "讲义之外"       # line 3 of a docstring
PRACTICE = "practice"                              # dayNN/practice/: broken programs, not scripts of the course
NUMBERS = ("pid", "port", "ms", "n")               # placeholders that stand for a number; others stand for any text


@dataclass(frozen=True)
class Script:
    """One script, as its docstring presents it."""
    path: str                                      # from the course's folder on, such as day07/fork.py
    title: str                                     # line 1: what it shows, in English
    title_zh: str                                  # line 2: the same in Chinese
    heading: str                                   # line 3: its heading in the notes, behind 讲义: or "" for 讲义之外
    commands: tuple                                # under Run:
    output: tuple                                  # under Output:, the lines with their placeholders; empty if there is none
    in_any_order: bool                             # Output (in any order):

    @property
    def day(self):
        return self.path[3:5]


def find_scripts():
    """The paths of all scripts: every Python file that is neither a room of a system nor a broken program to practise on."""
    return [path for path in python_files() if not is_room(path) and Path(path).parent.name != PRACTICE]


def find_rooms():
    """The paths of the modules that the systems are made of."""
    return [path for path in python_files() if is_room(path)]


def rooms_of(path):
    """The files of the packages that a script imports."""
    text = (ROOT / path).read_text(encoding="utf-8")
    packages = [package for package in packages_beside(path) if re.search(rf"^(from|import) {package}\b", text, re.MULTILINE)]
    return [file for package in packages for file in sorted((ROOT / path).parent.glob(f"{package}/*.py"))]


def python_files():
    """The paths of all Python files of the course, below its folder."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("day*/**/*.py"))


def is_room(path):
    """Whether a file belongs to a package, such as day12/httpd/."""
    return (ROOT / path).parent.joinpath("__init__.py").exists()


def packages_beside(path):
    """The names of the packages in the folder of a script: the only modules of the course that it may import."""
    return {package.parent.name for package in (ROOT / path).parent.glob("*/__init__.py")}


def scripts_in_order():
    """The scripts as README.md lists them: rows of tables that begin with a link to a script."""
    rows = re.findall(r"^\| \[[^\]]+\]\((day[^)]+\.py)\)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [describe(path) for path in rows]


def describe(path):
    """Read a script's docstring; return a Script. A missing part is empty."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    title, title_zh, heading = (text.splitlines() + ["", "", ""])[:3]
    run = section(text, r"Run:")
    output = section(text, r"Output(?: \(in any order\))?:")
    # What follows a command on its line, after two spaces or more, is a remark.
    commands = [re.split(r"\s{2,}", line.strip())[0] for line in run if line.strip().startswith("python ")]
    return Script(path, title, title_zh, heading.removeprefix(NOTES) if heading.startswith(NOTES) else "", tuple(commands), tuple(output), "Output (in any order):" in text)


def orphans(path):
    """How many processes a script may leave, which then end by themselves: a number or a range."""
    uses_multiprocessing = "multiprocessing" in (ROOT / path).read_text(encoding="utf-8")
    return ORPHANS.get(path, HELPERS if uses_multiprocessing else 0)


@functools.cache
def output_of(path):
    """What a demo prints. It is run once, by the first test that asks, and must end well: see harness.run."""
    return harness.run(path, orphans=orphans(path)).stdout


def section(text, title):
    """The lines under a title (a regular expression), up to the next line that is not indented."""
    found = re.search(rf"^{title}(.*\n(?:(?:[ ].*)?\n)*)", text + "\n", re.MULTILINE)
    if not found:
        return []
    first, *rest = found[1].rstrip().split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in rest if line), default=0)
    return ([first.strip()] if first.strip() else []) + [line[indent:] for line in rest]


@dataclass(frozen=True)
class Transcript:
    """A fenced block of a README: ```console, a marker, then `$ python ...` and what it prints.

    The marker: none, the lines are exact; masked, numbers may be others; unordered, lines may come in another order;
    skip (reason), it is not run.
    """
    page: str
    line: int
    markers: str
    command: str
    output: tuple


def shows(script):
    """What a table or a page says of a script: both lines of its docstring, without the stops at their ends."""
    return f"{script.title.rstrip('.')} · {script.title_zh.rstrip('。')}".replace("|", "\\|")


def transcripts():
    """All of them, of all pages."""
    found = []
    for page in sorted([ROOT / "README.md", *ROOT.glob("day*/README.md")]):
        text = page.read_text(encoding="utf-8")
        for block in re.finditer(r"^```console *(.*)\n\$ (.*)\n((?:.*\n)*?)```$", text, re.MULTILINE):
            found.append(Transcript(str(page.relative_to(ROOT)), text.count("\n", 0, block.start()) + 1, block[1], block[2],
                                    tuple(block[3].splitlines())))
    return found


def line_pattern(template, masked=False):
    """A line of sample output, with placeholders such as <pid> and <name>, as a regular expression; masked: in which
    any number stands for any number. Where it has several spaces there may be more or less, as a number is wider."""
    number = r"\d+(?:\.\d+)?"
    # re.escape leaves < and > alone, so the placeholders are still to be seen.
    pattern = re.sub(r"(?:\\ ){2,}", r"\\s+", re.escape(template))
    if masked:
        pattern = re.sub(r"\d+(?:\\\.\d+)?", lambda match: number, pattern)
    return re.sub(r"<([a-z]+)>", lambda match: number if match[1] in NUMBERS else ".+", pattern)


def compare(template, printed, in_any_order=False, masked=False):
    """Compare lines of sample output with printed lines; return what differs, as text, or None."""
    wanted, left = list(template), list(printed)
    missing = []
    for number, line in enumerate(wanted):
        candidates = left if in_any_order else left[:1]
        match = next((one for one in candidates if re.fullmatch(line_pattern(line, masked), one)), None)
        if match is not None:
            left.remove(match)
        elif in_any_order:
            missing.append(line)
        else:
            return f"line {number + 1}\n  should be: {line}\n  is:        {left[0] if left else '(nothing)'}"
    if missing or left:
        return "".join([f"\n  not printed: {line}" for line in missing] + [f"\n  not expected: {line}" for line in left])
    return None


def columns(text):
    """How wide it is on a terminal, where a Chinese character takes two columns."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
