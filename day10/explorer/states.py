"""Tell whether two moments of two runs have the same state, so that the same steps can follow.
判断两次运行中的两个时刻是否相同：相同，则之后可能发生的一切也相同。

The state at a moment is what each thread has read so far, and the current shared values. What a
thread does next depends only on what it has seen and will see.
"""

import types

from explorer import steps
from explorer.primitives import Primitive

ATOMS = (int, str, bool, bytes, type(None))


class Opaque(Exception):
    """Raised for a value that cannot be compared."""


class Moments:
    """Gives equal moments equal keys, and different moments different keys."""

    def __init__(self, stepper):
        self.stepper, self.numbers, self.is_opaque = stepper, {}, False

    def number(self, thing):
        return self.numbers.setdefault(thing, len(self.numbers))

    def begin(self):
        """Forget the previous run; a new one begins."""
        self.is_opaque, self.identities = False, None
        self.kept, self.objects, self.is_keeping = [], set(), False

    def identify(self):
        """Number the shared objects that setup() made. Each run gets new objects from setup(), but
        corresponding objects have the same number in every run."""
        if self.identities is None:
            # Keep what setup made, and compare it during the whole run: a thread may still hold it
            # when no name leads to it any more.
            self.is_keeping, identities = True, {}
            self.shared(identities)
            self.identities, self.is_keeping = identities, False

    def look(self, value):
        """Return what a thread sees when it reads this value. A lock or an object shows only its
        identity, because looking into it is another step."""
        if isinstance(value, Primitive) or hasattr(value, "__dict__") and type(value) not in ATOMS:
            if id(value) in self.identities:
                return "same", self.identities[id(value)]
        return self.freeze(value, {})

    def observe(self, worker, step, frame, touch):
        """Add to a thread's history what the thread is about to see. Called after the thread has
        been chosen and before it does its step."""
        if self.is_opaque:
            return
        try:
            self.identify()
            if touch is None:
                seen = (
                    (self.look(step.what), self.freeze(step.what, {}))
                    if isinstance(step.what, Primitive)
                    else None
                )
                seen = (seen, self.containers()) if worker.is_blind else seen
            else:
                value = steps.value_of(touch.target, frame)
                if value is steps.MISSING and (touch.kind == "read" or touch.target[0] != "global"):
                    raise Opaque
                worker.is_blind |= type(value) in steps.CONTAINERS or touch.kind == "call"
                # Only a read shows the thread this value. What a call shows is added below.
                seen = self.look(value) if touch.kind == "read" else None
            if worker.is_blind:
                # The thread may hold a list in a local variable and look into it between two steps.
                seen = seen, self.containers()
            worker.history = self.number((worker.history, step.line, step.verb, seen))
        except Opaque:
            self.is_opaque = True

    def key(self):
        """Return the number of the present moment, or None if a value cannot be compared."""
        if self.is_opaque:
            return None
        try:
            self.identify()
            return self.number(
                (*((one.history, one.is_over) for one in self.stepper.workers), self.shared())
            )
        except Opaque:
            self.is_opaque = True
            return None

    def shared(self, seen=None):
        """Return a number for all present shared values: the globals that the code names, and the
        variables of enclosing functions."""
        seen, tracer = {} if seen is None else seen, self.stepper.tracer
        values = [
            self.freeze(self.stepper.namespace.get(name), seen) for name in sorted(tracer.names)
        ]
        for _, function in self.stepper.threads:
            values.append(self.freeze(function, seen))
        if not self.is_keeping:
            values += [self.freeze(value, seen) for value in self.kept]
        return self.number(tuple(values))

    def containers(self):
        """Return a number for the contents of all lists, dicts and so on. An object that setup made
        counts only by its identity, because looking into it is a step."""
        get, known = self.stepper.namespace.get, self.identities
        roots = [get(name) for name in sorted(self.stepper.tracer.names)]
        for value in self.kept:
            if type(value) in steps.CONTAINERS:
                roots.append(value)
            elif is_object(value, self.stepper.namespace):
                roots += vars(value).values()
        seen = {one: ("object", known[one]) for one in self.objects}
        return self.number(tuple(self.freeze(value, seen) for value in roots
                                 if not isinstance(value, (*ATOMS, float, Primitive))))

    def keep(self, value):
        self.kept.append(value)
        if is_object(value, self.stepper.namespace):
            self.objects.add(id(value))

    def freeze(self, value, seen):
        """Return a value to compare: two such values are equal exactly when the data are equal.
        seen: {id: number} of the values met so far."""
        kind = type(value)
        if kind in ATOMS:
            return kind, value
        if kind is float:
            return kind, repr(value)
        if id(value) in seen:
            return "again", seen[id(value)]
        seen[id(value)] = len(seen)
        if self.is_keeping:
            self.keep(value)
        if isinstance(value, Primitive):
            return kind, self.freeze_all(value._state(), seen)
        if kind in (list, tuple, steps.deque):
            return kind, self.freeze_all(value, seen)
        if kind is set:
            return kind, frozenset(self.freeze_all(value, seen))
        if kind is dict:
            return kind, self.freeze_all(value.items(), seen)
        if kind is types.FunctionType:
            cells = [cell for cell in value.__closure__ or () if not is_empty(cell)]
            return value.__code__, tuple(self.freeze(cell.cell_contents, seen) for cell in cells)
        if isinstance(value, types.ModuleType) or kind in (types.BuiltinFunctionType, type(len)):
            return "fixed", id(value)
        if isinstance(value, type):
            return self.freeze_class(value, seen)
        # An object of one of the student's classes: compare its attributes.
        if is_object(value, self.stepper.namespace):
            return kind, tuple((name, self.freeze(one, seen)) for name, one in vars(value).items())
        raise Opaque

    def freeze_class(self, value, seen):
        if value.__module__ != self.stepper.namespace.get("__name__"):
            return "fixed", id(value)
        data = [
            (name, one)
            for name, one in vars(value).items()
            if not name.startswith("__") and not callable(one) and not hasattr(one, "__get__")
        ]
        return value, tuple((name, self.freeze(one, seen)) for name, one in data)

    def freeze_all(self, values, seen):
        """Freeze the contents of a container: atoms, tuples of atoms, locks, and objects that setup
        made. For anything else raise Opaque, because a thread could take it out and keep it when
        no name leads to it any more."""
        frozen = []
        for value in values:
            is_known = self.is_keeping and is_object(value, self.stepper.namespace)
            if not (is_known or id(value) in self.objects):
                kinds = *ATOMS, float, tuple, steps.deque
                if type(value) not in kinds and not isinstance(value, Primitive):
                    raise Opaque
            frozen.append(self.freeze(value, seen))
        return tuple(frozen)


def is_object(value, namespace):
    """Return True for an object of one of the student's classes, with its data in attributes."""
    has_attributes = type(getattr(value, "__dict__", None)) is dict
    return type(value).__module__ == namespace.get("__name__") and has_attributes


def is_empty(cell):
    try:
        return cell.cell_contents is None and False
    except ValueError:
        return True
