"""Show an exploration in 80 columns: a histogram, and a schedule with a column per thread.
用 80 列打印探索结果：各种结局的直方图，以及每个线程占一列的调度。"""

import linecache
import unicodedata

WIDTH = 80
MOST_ROWS = 100
MANY = 1_000_000_000
MARKS = {
    "right": "",
    "unfair": "unfair",
    "wrong": "wrong",
    "deadlock": "wrong",
    "endless": "wrong",
    "error": "wrong",
}


def columns(text):
    """Return how many columns a string takes on a terminal; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fit(text, width):
    """Pad or shorten a string to exactly this width."""
    if columns(text) > width:
        while columns(text) > width - 3:
            text = text[:-1]
        text += "..."
    return text + " " * (width - columns(text))


def histogram(exploration):
    """Return lines that say how many schedules ended in each way."""
    shown = f"{exploration.schedules:,}"
    if not exploration.is_complete:
        shown += f" of about {exploration.total:,}" if exploration.total < MANY else " of very many"
    lines = [
        f"{shown} schedule{'s' * (exploration.total != 1)}, "
        f"{len(exploration.outcomes)} outcome{'s' * (len(exploration.outcomes) != 1)}"
    ]
    digits = max((len(f"{one.count:,}") for one in exploration.outcomes), default=0)
    most_columns = min(46, WIDTH - 26 - digits)
    widest = min(most_columns, max((columns(one.text) for one in exploration.outcomes), default=0))
    most = max((one.count for one in exploration.outcomes), default=1)
    for one in exploration.outcomes:
        bar = "#" * max(1, round(12 * one.count / most))
        lines.append(
            f"  {fit(one.text, widest)}  {one.count:>{digits},}  "
            f"{bar:12}  {MARKS[one.kind]}".rstrip()
        )
        if columns(one.text) > widest:
            lines += [f"    {part}" for part in wrapped(one.text, WIDTH - 4)]
    if not exploration.is_complete:
        lines += ["  time limit reached: the schedules not explored may end in other ways"]
    return lines


def wrapped(text, width):
    while text:
        part = text
        while columns(part) > width:
            part = part[:-1]
        yield part
        text = text[len(part) :]


def did(step, value=None):
    """Describe a step in words, with the value that it read or wrote."""
    value = (step.value if isinstance(step.value, str) else "") if value is None else value
    return f"{step.verb} {step.what}" + (f": {value}" if value else "")


def source(file, line):
    return linecache.getline(file, line).strip()


class Picture:
    """The rows of a schedule: the shared values on the left, then a column for each thread."""

    def __init__(self, threads, file, steps):
        shared = [
            ", ".join(f"{name}={value}" for name, value in step.after.items()) for step in steps
        ]
        self.left = min(24, max([6, *map(columns, shared)]))
        self.threads, self.file = threads, file
        self.width = (WIDTH - self.left - 3 * len(threads)) // len(threads)
        self.line = self.thread = None

    def row(self, left, thread, text):
        cells = [
            fit(text if name == thread else "", self.width) for name in range(len(self.threads))
        ]
        return " | ".join([fit(left, self.left), *cells]).rstrip()

    def head(self):
        cells = [fit(name, self.width) for name in self.threads]
        return [
            " | ".join([fit("shared", self.left), *cells]).rstrip(),
            "-" * (self.left + (self.width + 3) * len(self.threads)),
        ]

    def step(self, step, index, value=None):
        """Return the rows of a step: the switch of threads, if any; the line of the file, if it
        is new; and what the step does."""
        rows = []
        if self.thread is not None and index != self.thread:
            rows.append(
                fit("", self.left)
                + " + "
                + f" switch to {self.threads[index]} ".center(
                    (self.width + 3) * len(self.threads) - 3, "."
                )
            )
        if index != self.thread or step.line != self.line:
            rows.append(self.row("", index, f"{step.line:3} {source(self.file, step.line)}"))
        self.thread, self.line = index, step.line
        left = ", ".join(f"{name}={text}" for name, text in step.after.items())
        return [*rows, self.row(left if value is None else "?", index, f"    {did(step, value)}")]


def schedule(replay, file):
    """Return lines that show a replayed schedule, shortened if it is long, and how it ended."""
    names = [name for name, _ in replay.named]
    picture = Picture(names, file, replay.steps)
    lines = picture.head()
    rows = [
        row
        for step, index in zip(replay.steps, replay.schedule)
        for row in picture.step(step, index)
    ]
    if len(rows) > MOST_ROWS:
        rows[MOST_ROWS // 2 : -MOST_ROWS // 2] = [f"... {len(rows) - MOST_ROWS} more rows ..."]
    lines += rows
    return lines + finish(replay)


def finish(replay):
    kind, text = replay.ending
    lines = [f"end: {text}" + (" (wrong)" if kind == "wrong" else "")]
    lines += [f"  {line}" for line in replay.blocked]
    return [part for line in lines for part in wrapped(line, WIDTH)]
