"""Run one schedule again, and note what each step saw and the shared values after it.
重新运行一种调度，记下每一步看到的值，以及这一步之后的共享数据。"""

from explorer import primitives, steps
from explorer.current import ANOTHER_WAY, Unusable
from explorer.ends import ending, shared_values, text_of_value
from explorer.prepare import exploring
from explorer.search import Schedule


class Replay:
    """One schedule, run again.

    steps: the Steps of the run. ready: {index of a thread: the Step that it would do next}. ending:
    (kind, text), or None if the schedule ends before the run does. blocked: sentences that say
    which thread waits for what.
    """

    def __init__(self, threads, setup, check, schedule):
        self.named = [one if isinstance(one, tuple) else (one.__name__, one) for one in threads]
        self.schedule, self.blocked = schedule, []
        self.previous = self.ready = self.ending = None
        with exploring(self.named, setup, check) as stepper:
            self.stepper = stepper
            attempts = False, True
            if isinstance(schedule, Schedule):
                attempts = (schedule.are_releases_steps,)
            for are_releases_steps in attempts:
                # Run again if releases turn out to be steps: then the schedule includes them.
                stepper.are_releases_steps = are_releases_steps
                self.depth = 0
                try:
                    stepper.run(self.choose, self.observe, self.note_end)
                except Unusable:
                    if are_releases_steps == attempts[-1] or not stepper.has_probes:
                        raise
                if stepper.has_probes == are_releases_steps:
                    break
            self.steps = stepper.log
            if self.ready is None:
                self.ending = ending(stepper, check or (lambda: True))
                self.blocked = self.blocked if self.ending[0] == "deadlock" else []

    def must_be_over(self):
        """Return self if the run has ended, as it did in the exploration; else raise Unusable."""
        if self.ending is None:
            raise Unusable(ANOTHER_WAY)
        return self

    def choose(self, enabled):
        if self.depth == len(self.schedule):
            workers = self.stepper.workers
            self.ready = {index: workers[index].pending for index in enabled}
            for step in self.ready.values():
                self.name(step)
            return None
        if self.schedule[self.depth] not in enabled:
            raise Unusable(ANOTHER_WAY)
        self.depth += 1
        return self.schedule[self.depth - 1]

    def observe(self, worker, step, frame, touch):
        self.note_after()
        self.name(step)
        self.previous = worker, step, frame, touch
        if touch and touch.kind == "read":
            value = steps.value_of(touch.target, frame)
            step.value = text_of(value)
            if isinstance(value, primitives.Primitive):
                step.verb, step.value = "looks up", ""

    def note_after(self):
        """Note the shared values after the previous step."""
        if self.previous is None:
            return
        worker, step, frame, touch = self.previous
        self.previous = None
        step.after = shared_values(self.stepper)
        if touch and touch.kind in ("write", "call"):
            target = touch.target[1] if touch.kind == "call" else touch.target
            step.value = text_of(steps.value_of(target, frame))
        elif worker.waits_for is not None:
            step.value = "must wait"

    def note_end(self):
        self.note_after()
        self.blocked = list(self.waits())
        for step in self.stepper.log:
            self.name(step)

    def name(self, step):
        if isinstance(step.what, tuple):
            step.what = steps.text_of(step.what)
        elif not isinstance(step.what, str):
            step.what = self.name_of(step.what)

    def name_of(self, thing):
        """Return the name that a lock or the like has in the student's file."""
        if not isinstance(thing, primitives.Primitive):
            return "time.sleep()"
        for name in sorted(self.stepper.tracer.names):
            value = self.stepper.namespace.get(name)
            if found := name_inside(name, value, thing, depth=2):
                return found
        return f"a {type(thing).__name__}"

    def waits(self):
        """Yield a sentence for each waiting thread: what it waits for, and which thread owns it."""
        for worker in self.stepper.workers:
            thing = worker.waits_at_end
            if thing is None:
                continue
            text = f"{worker.name} waits for {self.name_of(thing)} in line {worker.line}"
            lock = getattr(thing, "_lock", thing)
            if owner := lock._owner_text():
                itself = " itself" if owner == worker.name else ""
                since = f" in line {lock._since}" if lock._since else ""
                text += f", which {owner}{itself} acquired{since}"
            yield text


def text_of(value):
    return "" if value is steps.MISSING else text_of_value(value)


def name_inside(name, value, thing, depth):
    """Return the expression that leads from the variable `name` to `thing`, such as box.lock or
    locks[0]; None if the expression needs more than `depth` parts."""
    if value is thing:
        return name
    if depth == 0 or isinstance(value, primitives.Primitive):
        return None
    places = []
    if type(value) in (list, tuple):
        places = [(f"{name}[{index}]", inner) for index, inner in enumerate(value)]
    elif type(value) is dict:
        places = [(f"{name}[{key!r}]", inner) for key, inner in value.items()]
    elif type(getattr(value, "__dict__", None)) is dict and not callable(value):
        places = [(f"{name}.{key}", inner) for key, inner in vars(value).items()]
    found = (name_inside(place, inner, thing, depth - 1) for place, inner in places)
    return next(filter(None, found), None)
