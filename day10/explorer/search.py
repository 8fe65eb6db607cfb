"""Run all schedules, depth first: run the threads again and again, and count the outcomes.
深度优先遍历所有调度：一次又一次地重新运行各线程，统计每种结局的次数。

When two schedules lead to the same state, the same steps can follow. What follows is counted for
both schedules, but run only once.
"""

import time
from dataclasses import dataclass

from explorer.current import ANOTHER_WAY, Unusable
from explorer.ends import ending
from explorer.prepare import exploring
from explorer.states import Moments

KINDS = "right", "unfair", "wrong", "deadlock", "endless", "error"


class Schedule(tuple):
    """The index of the thread chosen for each step. are_releases_steps: whether a release of a lock
    counts as a step."""

    are_releases_steps = False


@dataclass
class Outcome:
    """One way in which schedules end.

    kind: one of KINDS (unfair: the explorer ended the run, in which one thread did many steps in a
    row while another could go on). text: the shared values, or what went wrong. count: how many
    schedules end in this way. schedule: the shortest of those with the fewest switches, as a
    Schedule.
    """

    kind: str
    text: str
    count: int
    switches: int
    schedule: tuple


@dataclass
class Exploration:
    """The result of explore().

    schedules: how many were counted. runs: how many of them were run. total: how many schedules
    there are; an estimate if is_complete is False.
    """

    threads: list
    outcomes: list
    schedules: int
    runs: int
    seconds: float
    is_complete: bool
    total: int

    @property
    def losing(self):
        """The wrong outcome with the fewest switches, or None."""
        wrong = [outcome for outcome in self.outcomes if outcome.kind not in ("right", "unfair")]
        return min(wrong, key=lambda one: (one.switches, len(one.schedule), one.text), default=None)


class Tree:
    """What can follow a moment of a run: the number of schedules, and {outcome: (count, {first
    thread: (switches, steps, path)})}."""

    def __init__(self, enabled):
        self.enabled, self.count, self.outcomes = enabled, 0, {}
        # These are used only while the moment is on the current path:
        self.key, self.chosen, self.share = None, 0, 0.0

    def add(self, thread, tree):
        """Add the tree that follows if this thread goes first. A switch counts only if the
        previous thread could have gone on."""
        self.count += tree.count
        for outcome, (count, firsts) in tree.outcomes.items():
            best = min(
                (
                    switches + (first not in (thread, None) and thread in tree.enabled),
                    length + 1,
                    (thread, path),
                )
                for first, (switches, length, path) in firsts.items()
            )
            before, known = self.outcomes.get(outcome, (0, {}))
            known = dict(known)
            known[thread] = min(best, known.get(thread, best))
            self.outcomes[outcome] = before + count, known


class Search:
    def __init__(self, stepper, check, seconds, is_merging):
        self.stepper, self.check, self.is_merging = stepper, check, is_merging
        self.deadline = time.monotonic() + seconds
        self.moments = Moments(stepper)
        self.known, self.path, self.runs, self.merged = {}, [], 0, None

    def all(self):
        """Run schedule after schedule; return True after the last one, False if the time is up
        first."""
        while True:
            self.depth, self.merged = 0, None
            self.moments.begin()
            self.stepper.run(
                self.choose, self.moments.observe if self.is_merging else lambda *step: None
            )
            self.runs += 1
            if self.stepper.has_probes and not self.stepper.are_releases_steps:
                raise Restart
            tree = self.merged or self.leaf()
            while self.path:
                node = self.path[-1]
                node.add(node.enabled[node.chosen], tree)
                node.chosen += 1
                if node.chosen < len(node.enabled):
                    break
                self.path.pop()
                if node.key is not None:
                    self.known[node.key] = node
                tree = node
            else:
                self.root = tree
                return True
            if time.monotonic() > self.deadline:
                return False

    def choose(self, enabled):
        """Return the next thread of the current path. At the end of the path, extend it, or return
        None if what follows this moment is already known."""
        if self.depth == len(self.path):
            key = self.moments.key() if self.is_merging else None
            self.merged = self.known.get(key) if key is not None else None
            if self.merged:
                return None
            self.path.append(Tree(enabled))
            self.path[-1].key = key
        node = self.path[self.depth]
        if node.enabled != enabled:
            raise Unusable(ANOTHER_WAY)
        self.depth += 1
        return node.enabled[node.chosen]

    def leaf(self):
        tree = Tree([])
        tree.count = 1
        tree.outcomes = {ending(self.stepper, self.check): (1, {None: (0, 0, ())})}
        return tree

    def partial(self):
        """Return what was counted before the time was up: a Tree, and an estimate of its share of
        all schedules (0 to 1)."""
        tree, share = None, 0.0
        for node in reversed(self.path):
            if tree is not None:
                node.add(node.enabled[node.chosen], tree)
            share = (node.chosen + share) / len(node.enabled)
            tree = node
        return tree, share


class Restart(Exception):
    """Raised if a thread can notice when a lock is released. explore() then starts again, and
    counts each release as a step."""


def explore(threads, setup=None, check=None, *, seconds=5.0, is_merging=True):
    """Explore all schedules of some functions.

    threads: functions without arguments, or pairs of a name and a function. setup() gives the
    shared variables their first values before each run. check() returns False or raises
    AssertionError if the values at the end are wrong. seconds: the time limit.
    Return an Exploration. Raise Unusable or Stuck, with a message for the student.
    """
    named = [one if isinstance(one, tuple) else (one.__name__, one) for one in threads]
    with exploring(named, setup, check) as stepper:
        started = time.monotonic()
        search = Search(stepper, check or (lambda: True), seconds, is_merging)
        try:
            is_complete = search.all()
        except Restart:
            stepper.are_releases_steps = True
            search = Search(stepper, check or (lambda: True), seconds, is_merging)
            is_complete = search.all()
        tree, share = (search.root, 1) if is_complete else search.partial()
        return Exploration(
            [name for name, _ in named],
            outcomes_of(tree, stepper.are_releases_steps),
            tree.count,
            search.runs,
            time.monotonic() - started,
            is_complete,
            round(tree.count / share),
        )


def outcomes_of(tree, are_releases_steps):
    found = []
    for (kind, text), (count, firsts) in tree.outcomes.items():
        switches, _, path = min(firsts.values())
        schedule = []
        while path:
            schedule.append(path[0])
            path = path[1]
        schedule = Schedule(schedule)
        schedule.are_releases_steps = are_releases_steps
        found.append(Outcome(kind, text, count, switches, schedule))
    return sorted(found, key=lambda one: (KINDS.index(one.kind), natural(one.text)))


def natural(text):
    """Return a sort key for a string, so that the number 10 comes after 9."""
    return [
        (int(part), "") if part.isdigit() else (0, part)
        for part in "".join(c if c.isdigit() else f" {c} " for c in text).split()
    ]
