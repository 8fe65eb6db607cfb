"""Find the scripts of the course, in the order of README.md, and read what their docstrings promise."""
import ast
import functools
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import harness

ROOT = Path(__file__).resolve().parent.parent
# Scripts that leave a process to init (or to the nearest subreaper) on purpose, because that is what they show.
ORPHANS = {"day07/child.py": 1, "day07/orphan.py": 1}
# multiprocessing starts helper processes (a fork server, a resource tracker), which end a moment after the script.
HELPERS = range(5)
NOTES, BEYOND_THE_NOTES = "讲义: ", "讲义之外"       # line 3 of a docstring
PRACTICE = "practice"                              # dayNN/practice/: broken programs, not scripts of the course
NUMBERS = ("pid", "port", "ms", "n")               # placeholders that stand for a number; others stand for any text


@dataclass(frozen=True)
class Script:
    """What the docstring of a script says about the script."""
    path: str                                      # relative to the course's folder, such as day07/fork.py
    title: str                                     # line 1: what it shows, in English
    title_zh: str                                  # line 2: the same in Chinese
    heading: str                                   # line 3: its heading in the notes, after 讲义: ; "" if the line is 讲义之外
    commands: tuple                                # the commands under Run:
    output: tuple                                  # the lines under Output:, with their placeholders; empty without Output:
    in_any_order: bool                             # whether the docstring has: Output (in any order):

    @property
    def day(self):
        return self.path[3:5]


def find_scripts():
    """Return the paths of all scripts: every Python file except the modules of packages and the programs in practice/."""
    return [path for path in python_files() if not is_room(path) and Path(path).parent.name != PRACTICE]


def find_rooms():
    """Return the paths of all modules of packages (we call them rooms), such as day12/httpd/loop.py."""
    return [path for path in python_files() if is_room(path)]


def rooms_of(path):
    """Return the files of the packages that a script imports."""
    text = (ROOT / path).read_text(encoding="utf-8")
    packages = [package for package in packages_beside(path) if re.search(rf"^(from|import) {package}\b", text, re.MULTILINE)]
    return [file for package in packages for file in sorted((ROOT / path).parent.glob(f"{package}/*.py"))]


def python_files():
    """Return the paths of all Python files of all days, relative to the course's folder."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("day*/**/*.py"))


def is_room(path):
    """Return whether a file belongs to a package, such as day12/httpd/."""
    return (ROOT / path).parent.joinpath("__init__.py").exists()


def packages_beside(path):
    """Return the names of the packages in the folder of a script: the script may import no other modules of the course."""
    return {package.parent.name for package in (ROOT / path).parent.glob("*/__init__.py")}


def scripts_in_order():
    """Return the scripts in the order of README.md: one for each table row that begins with a link to a script."""
    rows = re.findall(r"^\| \[[^\]]+\]\((day[^)]+\.py)\)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [describe(path) for path in rows]


def describe(path):
    """Read a script's docstring; return a Script, in which a missing part is empty."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    title, title_zh, heading = (text.splitlines() + ["", "", ""])[:3]
    run = section(text, r"Run:")
    output = section(text, r"Output(?: \(in any order\))?:")
    # Two or more spaces end the command; the rest of the line is a remark.
    commands = [re.split(r"\s{2,}", line.strip())[0] for line in run if line.strip().startswith("python ")]
    heading = heading.removeprefix(NOTES) if heading.startswith(NOTES) else ""
    return Script(path, title, title_zh, heading, tuple(commands), tuple(output), "Output (in any order):" in text)


def orphans(path):
    """Return how many processes a script may leave behind, which soon end by themselves: a number or a range."""
    uses_multiprocessing = "multiprocessing" in (ROOT / path).read_text(encoding="utf-8")
    return ORPHANS.get(path, HELPERS if uses_multiprocessing else 0)


@functools.cache
def output_of(path):
    """Return what a demo prints. The demo runs only once, for the first caller, and must exit with status 0 (see harness.run)."""
    return harness.run(path, orphans=orphans(path)).stdout


def section(text, title):
    """Return the lines under a title (a regular expression), up to the next line that is not indented."""
    found = re.search(rf"^{title}(.*\n(?:(?:[ ].*)?\n)*)", text + "\n", re.MULTILINE)
    if not found:
        return []
    first, *rest = found[1].rstrip().split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in rest if line), default=0)
    return ([first.strip()] if first.strip() else []) + [line[indent:] for line in rest]


@dataclass(frozen=True)
class Transcript:
    """A fenced block of a README: ```console, perhaps markers, then `$ python ...` and the lines that the command prints.

    Without a marker, the lines are exact. The marker masked allows other numbers, and unordered allows another order of the
    lines. With skip (reason), the tests do not run the command.
    """
    page: str
    line: int
    markers: str
    command: str
    output: tuple


def shows(script):
    """Return what tables and pages say about a script: lines 1 and 2 of its docstring, without the final full stops."""
    return f"{script.title.rstrip('.')} · {script.title_zh.rstrip('。')}".replace("|", "\\|")


def transcripts():
    """Return the transcripts of all pages."""
    found = []
    for page in sorted([ROOT / "README.md", *ROOT.glob("day*/README.md")]):
        text = page.read_text(encoding="utf-8")
        for block in re.finditer(r"^```console *(.*)\n\$ (.*)\n((?:.*\n)*?)```$", text, re.MULTILINE):
            found.append(Transcript(str(page.relative_to(ROOT)), text.count("\n", 0, block.start()) + 1, block[1], block[2],
                                    tuple(block[3].splitlines())))
    return found


def line_pattern(template, masked=False):
    """Return a regular expression for a line of sample output that has placeholders such as <pid> and <name>.

    masked: whether each number in the line matches any number. Two or more spaces match one or more, because a printed
    number may be wider or narrower.
    """
    number = r"\d+(?:\.\d+)?"
    # re.escape does not change < and >, so we can still find the placeholders.
    pattern = re.sub(r"(?:\\ ){2,}", r"\\s+", re.escape(template))
    if masked:
        pattern = re.sub(r"\d+(?:\\\.\d+)?", lambda match: number, pattern)
    return re.sub(r"<([a-z]+)>", lambda match: number if match[1] in NUMBERS else ".+", pattern)


def compare(template, printed, in_any_order=False, masked=False):
    """Compare lines of sample output with printed lines; return the differences as text, or None if there are none."""
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
    """Return the width of a text on a terminal, in columns: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
