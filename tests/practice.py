"""Judge the programs that you fix: show the first one that is still broken, why it fails, and a hint.
需要改好的程序：显示第一个还没有改好的，说明原因，并给出提示。

Run:    make practice                              the next exercise; each run gives one more hint
        make practice EX=day10/transfer            only this exercise
        make practice ALL=1                        a table of all exercises; exit status 0 if all are fixed
        make practice RESET=day10/transfer         restores the broken program; yours is kept as transfer.py.mine
        python tests/practice.py --all --json      for graders
"""
import argparse
import difflib
import json
import os
import signal
import sys

from judge import show
from judge.apart import judge_all
from judge.exercises import NAMES, all_exercises, find
from judge.progress import Progress, fingerprint, is_untouched, reset
from judge.verdict import LEFT_OUT, PASSED

LEAVE = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main():
    if not hasattr(os, "fork"):
        print("practice.py needs os.fork: use Linux, macOS or WSL", file=sys.stderr)
        sys.exit(2)
    open_streams()
    for signum in LEAVE:
        # A signal that is ignored, such as SIGHUP under nohup, stays ignored.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, leave)
    arguments = parse()
    try:
        if arguments.reset:
            status = put_back(arguments.reset)
        elif arguments.all or arguments.json:
            status = grade([arguments.exercise] if arguments.exercise else all_exercises(), arguments.json)
        elif arguments.exercise:
            status = one(arguments.exercise)
        else:
            status = next_one()
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:                        # the reader of our output has exited, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
        status = 1
    sys.exit(status)


def open_streams():
    """Open /dev/null in place of each standard stream that is closed, so that no pipe of ours gets its descriptor."""
    while (fd := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(fd)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")
    # The terminal's encoding may lack characters of our texts, or of the student's.
    sys.stdout.reconfigure(errors="replace")


def leave(signum, frame):
    """Let each of these signals raise KeyboardInterrupt, as Ctrl-C does: then we also end the programs that we are judging.

    Ignore the next one: it would interrupt just that.
    """
    for other in LEAVE:
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def parse():
    parser = argparse.ArgumentParser(prog="practice.py", description="Judge the programs that you fix.")
    parser.add_argument("exercise", nargs="?", metavar="EX", type=exercise, help="judge only this exercise, such as day10/transfer")
    parser.add_argument("--all", action="store_true", help="print a table of all exercises; exit status 0 if all are fixed, 1 if not")
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON, with the same exit status")
    parser.add_argument("--reset", metavar="EX", type=exercise, help="restore the broken program, and keep yours under another name")
    return parser.parse_args()


def exercise(text):
    """Return the exercise of this name, for argparse; raise ArgumentTypeError if there is none."""
    found = find(text)
    if found is None:
        near = difflib.get_close_matches(text, NAMES, n=3, cutoff=0.4) or NAMES[:3]
        raise argparse.ArgumentTypeError(f"there is no exercise {text}; did you mean {', '.join(near)}?")
    return found


def put_back(exercise):
    kept = reset(exercise)
    state = Progress()
    state.forget(exercise)
    state.save()
    print(f"{exercise.shown} is broken again · 恢复成了出错的程序")
    if kept:
        print(f"your version is kept as · 你的版本保存为 {kept.relative_to(exercise.file.parent.parent.parent)}")
    return 0


def grade(exercises, as_json):
    """Judge these exercises, including those that passed before; print the verdicts and return the exit status."""
    verdicts = list(judge_all([(one, one.file) for one in exercises]))
    counted = [one for one in verdicts if one.kind != LEFT_OUT]
    fixed = sum(one.kind == PASSED for one in counted)
    if as_json:
        print(json.dumps({"fixed": fixed, "of": len(counted), "exercises": [one.as_data() for one in verdicts]},
                         ensure_ascii=False, indent=1))
    else:
        print(*show.table(exercises, verdicts), sep="\n")
        print(f"{fixed} of {len(counted)} exercises are fixed · 共 {len(counted)} 个，改好 {fixed} 个")
    return 0 if fixed == len(counted) else 1


def one(exercise):
    """Judge one exercise, and show its solution or the next hint."""
    state, judged = Progress(), fingerprint(exercise)
    [verdict] = judge_all([(exercise, exercise.file)])
    state.note(exercise, verdict.kind == PASSED, judged)
    if verdict.kind == PASSED:
        print(*show.solution(exercise), sep="\n")
    elif verdict.kind == LEFT_OUT:
        print(f"{verdict.english} · {verdict.chinese}")
    else:
        print(*show.task(exercise), sep="\n")
        explain(exercise, verdict, state, f"make practice EX={exercise.name}")
    close(state)
    return 0


def next_one():
    """Judge the changed files. Show the solution of each newly fixed program, then the first program that is still broken."""
    state, exercises = Progress(), all_exercises()
    left_out = [one.name for one in exercises if one.missing_package()]
    there = [one for one in exercises if one.name not in left_out]
    open_ones = [one for one in there if not state.is_fixed(one)]
    # An untouched file is still broken. We judge only the first untouched file, to say why it fails.
    first_untouched = [one for one in open_ones if is_untouched(one)][:1]
    to_judge = [one for one in open_ones if one in first_untouched or not is_untouched(one)]
    judged = {one: fingerprint(one) for one in to_judge}
    verdicts = dict(zip([one.name for one in to_judge], judge_all([(one, one.file) for one in to_judge])))
    new = [one for one in to_judge if verdicts[one.name].kind == PASSED]
    for each in to_judge:
        state.note(each, each in new, judged[each])
    for each in new:
        print(*show.solution(each), "", sep="\n")
    print(*show.progress(exercises, state.fixed, left_out), "", sep="\n")
    first = next((one for one in open_ones if one not in new), None)
    if first is None:
        print(*show.wrap(show.CLOSING[0], ""), *show.wrap(show.CLOSING[1], ""), sep="\n")
    else:
        print(*show.task(first), sep="\n")
        if new:
            print("\nto see why this program fails · 为什么不对: make practice")
        else:
            explain(first, verdicts[first.name], state, "make practice")
    close(state)
    return 0


def explain(exercise, verdict, state, command):
    """Print why the program is not fixed, and the hints so far with a new one."""
    print(*show.reason(verdict), sep="\n")
    count = state.next_hint(exercise)
    print(*show.hints(exercise, count), sep="\n")
    more = ", and get one more hint" if count < len(exercise.check().HINTS) else ""
    print(f"\nchange the file, then judge it again{more} · 修改文件，然后:\n  {command}")


def close(state):
    state.save()
    if state.problem:
        print(f"practice.py: {state.problem}", file=sys.stderr)


if __name__ == "__main__":
    main()
