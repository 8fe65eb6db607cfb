"""The judge's verdict on a file.
裁判对一个文件的结论。"""
PASSED, FAILED, NOT_KNOWN, LEFT_OUT = "passed", "failed", "not known", "left out"


class Verdict:
    """A verdict. kind: one of the four strings above. tag: one word for the reason. details: lines of at most 80 columns."""

    def __init__(self, exercise, kind, tag="", english="", chinese="", details=()):
        self.exercise, self.kind, self.tag = exercise, kind, tag
        self.english, self.chinese, self.details = english, chinese, list(details)

    def as_data(self):
        return dict(vars(self))


class Refused(Exception):
    """Raised if the program is not fixed; says why."""
    kind = FAILED

    def __init__(self, tag, english, chinese, details=()):
        super().__init__(tag)
        self.tag, self.english, self.chinese, self.details = tag, english, chinese, list(details)


class NotKnown(Refused):
    """Raised if the judge cannot tell whether the program is fixed."""
    kind = NOT_KNOWN
