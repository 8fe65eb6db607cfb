"""Turns the programs of interleavings.py into tables, which the page's explorer steps through.
interleavings.py 里的程序，做成可以一步一步走的表。

This module runs as a separate process, because exploring takes seconds of CPU time:

    python -c "from classroomd.explorer import main; main()" add     prints JSON
"""
import contextlib
import importlib
import json
import os
import sys

DAY10 = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                     "day10")
# name -> (title, names of the functions in interleavings.py, the right value of n at the end)
PROGRAMS = {
    "add": ("n += 1 in two threads", ["add", "add"], 2),
    "add3": ("n += 1 in three threads", ["add", "add", "add"], 3),
    "check": ("if n < 1: n = n + 1 in two threads (check, then act)",
              ["check_then_act", "check_then_act"], 1),
    "often": ("three times n += 1 in two threads", ["add_often", "add_often"], 6),
    "locked": ("with lock: n += 1 in two threads", ["add_locked", "add_locked"], 2),
    "deadlock": ("lock a, then b; and b, then a", ["a_then_b", "b_then_a"], 2),
    "ordered": ("lock a, then b, in both threads", ["a_then_b", "a_then_b"], 2),
    "if": ("Condition: if, then wait", ["take_two_if", "put_two"], 0),
    "while": ("Condition: while, wait", ["take_two_while", "put_two"], 0)}


def main():
    # A student may have added a print to interleavings.py. Keep its text out of the JSON.
    with contextlib.redirect_stdout(sys.stderr):
        result = table(sys.argv[1])
    print(json.dumps(result))


def table(program):
    """Explore a program; return its outcomes, each with the steps of a schedule that leads to it.

    program: a key of PROGRAMS.  The functions of interleavings.py are executed, so a student's
    changes to them take effect.
    """
    sys.path.insert(0, DAY10)
    lesson = importlib.import_module("interleavings")
    report = importlib.import_module("explorer.report")
    title, functions, right = PROGRAMS[program]
    threads = list(zip("ABC", (getattr(lesson, name) for name in functions)))

    def check():
        # n is a global variable of the lesson, and vars(lesson) is a dict of these variables.
        return vars(lesson)["n"] == right

    found = lesson.explore(threads, lesson.setup, check, seconds=lesson.SECONDS)
    data, losing = None, None
    for index, outcome in enumerate(found.outcomes):
        replay = lesson.Replay(threads, lesson.setup, check, outcome.schedule)
        one = report.as_data(found, replay.must_be_over(), lesson.__file__)
        data = data or {"program": program, "title": title, **one}
        data["outcomes"][index].update(steps=one["losing"]["steps"], waits=one["losing"]["waits"])
        if outcome is found.losing:
            losing = index
    data["losing"] = losing
    return data
