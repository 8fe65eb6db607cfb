"""The command line: explore a student's file and show the result as the options say.
命令行：探索学生的文件，并按选项显示结果。"""

import argparse
import json
import os
import sys

from explorer import explore, picture, play, student
from explorer.replay import Replay
from explorer.report import as_data
from explorer.current import Unusable

SLACK = 5  # seconds beyond the time limit after which an exploration counts as stuck


def main():
    """Explore the file that the command line names. Return the exit status: 2 if the file cannot be
    explored, 1 if the output cannot be written, 130 after Ctrl-C, else that of explore_file()."""
    arguments = parse()
    try:
        status = explore_file(arguments)
        sys.stdout.flush()
        return status
    except Unusable as error:
        print(f"interleavings: {error}", file=sys.stderr, flush=True)
        return 2
    except BrokenPipeError:
        # The program that reads our output has exited, as in `| head -1`: end without a message.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def parse():
    parser = argparse.ArgumentParser(
        prog="interleavings.py", description="Explore every schedule of two or three threads."
    )
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="defines the functions a, b (and c), setup, check"
    )
    parser.add_argument(
        "--predict", action="store_true", help="predict each value before it is shown"
    )
    parser.add_argument("--you", action="store_true", help="you choose which thread goes next")
    parser.add_argument("--seconds", type=float, default=5, help="time limit (default: 5)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    arguments = parser.parse_args()
    if arguments.file is None:
        parser.error("FILE is missing")
    return arguments


def explore_file(arguments):
    """Explore a student's file and print the result. Return the exit status: 1 if a schedule goes
    wrong or the time limit was reached, else 0; with --you always 0."""
    path = arguments.file
    threads, begin, check = student.load(path)
    if arguments.you:
        play.schedule_yourself(threads, begin, check, path)
        return 0
    seconds = arguments.seconds
    exploration = student.watched(
        lambda: explore(threads, begin, check, seconds=seconds), seconds + SLACK, path
    )
    losing = exploration.losing
    shown = losing or exploration.outcomes[0]
    replay = Replay(threads, begin, check, shown.schedule).must_be_over()
    if arguments.json:
        data = as_data(exploration, replay if losing else None, path)
        print(json.dumps(data, ensure_ascii=False, indent=2))
    elif arguments.predict:
        play.predict(replay, path)
    else:
        print(*picture.histogram(exploration), sep="\n")
        if losing:
            print("\na schedule that goes wrong with the fewest switches · 切换最少的出错调度")
            print(*picture.schedule(replay, path), sep="\n")
    return 1 if losing or not exploration.is_complete else 0
