"""Keep in .practice.json what the student has fixed, and how many hints were shown.
学生改好了哪些练习、看过几个提示：保存在 .practice.json 里。"""
import contextlib
import hashlib
import json
import os

from judge.exercises import ROOT

FILE = ROOT / ".practice.json"
HINTS = 3


class Progress:
    """fixed: {exercise: fingerprint of the file that passed}. hints: {exercise: how many were shown}."""

    def __init__(self):
        self.fixed, self.hints, self.problem = {}, {}, None
        try:
            data = json.loads(FILE.read_text(encoding="utf-8"))
            self.fixed, self.hints = dict(data["fixed"]), {name: int(count) for name, count in data["hints"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            self.fixed, self.hints = {}, {}
            self.problem = f"{FILE.name} cannot be read, so your progress starts again from zero · 无法读取，重新开始"

    def is_fixed(self, exercise):
        """Return whether the student's file has passed and has not changed since."""
        return self.fixed.get(exercise.name) == fingerprint(exercise) is not None

    def note(self, exercise, has_passed, judged):
        """Note a verdict. judged: the file's fingerprint before it was judged; the student may have changed it since."""
        if has_passed:
            self.fixed[exercise.name] = judged
        else:
            self.fixed.pop(exercise.name, None)

    def next_hint(self, exercise):
        """Return how many hints to show now: one more than last time."""
        self.hints[exercise.name] = min(HINTS, self.hints.get(exercise.name, 0) + 1)
        return self.hints[exercise.name]

    def forget(self, exercise):
        self.fixed.pop(exercise.name, None)
        self.hints.pop(exercise.name, None)

    def save(self):
        """Replace the file as a whole, so that an interrupt leaves the old one or the new one."""
        new = FILE.with_name(FILE.name + f".{os.getpid()}")
        try:
            new.write_text(json.dumps({"fixed": self.fixed, "hints": self.hints}, indent=1) + "\n", encoding="utf-8")
            os.replace(new, FILE)
        except OSError as error:
            self.problem = f"cannot write {FILE.name}: {error.strerror} · 无法保存进度"
        finally:
            with contextlib.suppress(OSError):
                new.unlink()


def fingerprint(exercise):
    """Return a hash of the student's file and its check.py; None if a file cannot be read."""
    try:
        return hashlib.sha256(exercise.file.read_bytes() + (exercise.folder / "check.py").read_bytes()).hexdigest()
    except OSError:
        return None


def is_untouched(exercise):
    """Return whether the student's file is still the broken program."""
    try:
        return exercise.file.read_bytes() == (exercise.folder / "broken.py").read_bytes()
    except OSError:
        return False


def reset(exercise):
    """Restore the broken program; return the path under which the student's version is kept, or None."""
    kept = None
    if exercise.file.exists() and not is_untouched(exercise):
        kept, number = exercise.file.with_name(exercise.file.name + ".mine"), 2
        while kept.exists():
            kept, number = exercise.file.with_name(f"{exercise.file.stem}.{number}.py.mine"), number + 1
        os.replace(exercise.file, kept)
    exercise.file.parent.mkdir(exist_ok=True)
    exercise.file.write_text(exercise.broken, encoding="utf-8")
    return kept
