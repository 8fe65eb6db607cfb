"""What the judge says of a file.
裁判对一个文件的结论。"""
from dataclasses import asdict, dataclass, field

PASSED, FAILED, NOT_KNOWN, LEFT_OUT = "passed", "failed", "not known", "left out"


@dataclass
class Verdict:
    """kind: one of the four above. tag: one word for the reason. details: lines of at most 80 columns."""
    exercise: str
    kind: str
    tag: str = ""
    english: str = ""
    chinese: str = ""
    details: list = field(default_factory=list)

    def as_data(self):
        return asdict(self)


class Refused(Exception):
    """The program is not mended, for this reason."""
    kind = FAILED

    def __init__(self, tag, english, chinese, details=()):
        super().__init__(tag)
        self.tag, self.english, self.chinese, self.details = tag, english, chinese, list(details)


class NotKnown(Refused):
    """The judge cannot tell whether it is mended."""
    kind = NOT_KNOWN
