"""The exercises, in the order of the course, and where their files are.
所有练习（按课程顺序），以及它们的文件在哪里。

tests/exercises/dayNN/NAME/ holds broken.py, solution.py, wrong solutions (wrong_*.py) and check.py;
dayNN/practice/NAME.py is the student's file. A check.py defines

    HINTS     three pairs (English, Chinese)
    NOTICE    a pair: what to notice in the solution
    REASONS   {stem of a file that is not right: tag of the verdict}
    NEEDS     optional: a package name, in double quotes; without this package, the exercise is left out
    judge(subject)    raises Refused or NotKnown
"""
import ast
import functools
import importlib.util
import re
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "tests" / "exercises"
NAMES = """
    day07/printed_twice day07/reap day07/count_children
    day08/parents_list day08/pool_errors
    day09/pipe_end day09/join_first day09/value_lock day09/thread_subclass
    day10/event_cleared day10/deposit day10/new_lock day10/overdraw day10/condition_if day10/transfer day10/copy_socket
    day11/one_message day11/half_character day11/send_all day11/end_of_stream day11/way_out
    day12/edge_once day12/await_race day12/gevent_call day12/monkey_late day12/content_length
""".split()


class Exercise(namedtuple("Exercise", ["name"])):
    """An exercise. name: its name, such as day10/transfer."""

    @property
    def day(self):
        return self.name.partition("/")[0]

    @property
    def folder(self):
        return FOLDER / self.name

    @property
    def file(self):
        """The path of the student's file."""
        return ROOT / self.shown

    @property
    def shown(self):
        """The path of the student's file, relative to the course's folder."""
        return self.name.replace("/", "/practice/") + ".py"

    @property
    def broken(self):
        return (self.folder / "broken.py").read_text(encoding="utf-8")

    @property
    def solution(self):
        return (self.folder / "solution.py").read_text(encoding="utf-8")

    @property
    def title(self):
        """What the program should do, in English and in Chinese: lines 1 and 2 of its docstring."""
        lines = ast.get_docstring(ast.parse(self.broken)).splitlines()
        return lines[0], lines[1]

    def check(self):
        """Return the module check.py of the exercise."""
        return load_check(self.folder / "check.py")

    def missing_package(self):
        """Return the name of the package that the exercise needs if that package is not installed, else None."""
        # Search the text instead of importing check.py: importing all checks at each start would take too long.
        needs = re.search('^NEEDS = "(.+)"$', (self.folder / "check.py").read_text(encoding="utf-8"), re.MULTILINE)
        return needs[1] if needs and importlib.util.find_spec(needs[1]) is None else None


@functools.cache
def load_check(path):
    spec = importlib.util.spec_from_file_location(f"check_{path.parent.name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def all_exercises():
    return [Exercise(name) for name in NAMES]


def find(name):
    """Return the exercise of this name, or None if there is none. The name may also be the path of the student's file."""
    name = name.strip().removeprefix("./").replace("/practice/", "/").removesuffix(".py")
    return Exercise(name) if name in NAMES else None
