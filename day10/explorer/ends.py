"""Say how a run ended, and what the shared values are.
说明一次运行如何结束，以及共享数据的值。"""

import re

from explorer import primitives, steps
from explorer.current import Unusable
from explorer.shared import error_text


def ending(stepper, check):
    """Return how the run ended, as (kind, text)."""
    files = stepper.tracer.files
    if stepper.unusable:
        raise Unusable(stepper.unusable)
    for worker in stepper.workers:
        if worker.error is not None:
            if isinstance(worker.error, Unusable):
                raise Unusable(
                    f"{worker.name}() cannot be explored: {worker.error}, in line {worker.line}"
                )
            return "error", f"{worker.name}(): {error_text(worker.error, files)}"
    waiting = [worker.name for worker in stepper.workers if worker.waits_at_end]
    if stepper.is_looping:
        return "unfair", f"{stepper.log[-1].thread} loops while another thread could go on"
    if stepper.is_endless:
        # A long run and an endless one look the same here, so do not say that a thread loops.
        kind = "unfair" if stepper.is_unfair else "endless"
        return kind, f"not ended after {len(stepper.log)} steps"
    if waiting:
        return (
            "deadlock",
            "deadlock: " + ", ".join(waiting) + " wait" + "s" * (len(waiting) == 1) + " for ever",
        )
    verdict, values = "right", "; ".join(
        f"{name} = {value}" for name, value in shared_values(stepper).items()
    )
    try:
        if check() is False:
            verdict = "wrong"
    except AssertionError:
        verdict = "wrong"
    except (Exception, SystemExit) as error:
        raise Unusable(f"check() failed: {error_text(error, files)}") from None
    return verdict, values or "all threads ended"


def shared_values(stepper):
    """Return the shared variables that the threads' code uses, as {name: value as text}."""
    found = {}
    for name in sorted(stepper.tracer.names):
        value = stepper.namespace.get(name, steps.MISSING)
        if (
            value is not steps.MISSING
            and name in stepper.written
            and not (callable(value) or isinstance(value, primitives.Primitive))
        ):
            found[name] = text_of_value(value)
    return found


def text_of_value(value):
    """Return a value as one short line, without addresses, which differ from run to run."""
    text = described(value, 3)
    return text if len(text) <= 60 else text[:57] + "..."


def described(value, depth):
    kind = type(value)
    if depth and kind in (list, tuple):
        inside = ", ".join(described(one, depth - 1) for one in value)
        return f"[{inside}]" if kind is list else f"({inside}{',' * (len(value) == 1)})"
    if depth and kind is dict:
        pairs = [f"{described(key, 0)}: {described(one, depth - 1)}" for key, one in value.items()]
        return "{" + ", ".join(pairs) + "}"
    if depth and kind.__repr__ is object.__repr__ and hasattr(value, "__dict__"):
        data = {name: one for name, one in vars(value).items() if not is_lock(one)}
        inside = ", ".join(f"{name}={described(one, depth - 1)}" for name, one in data.items())
        return f"{kind.__name__}({inside})"
    try:
        return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))
    except Exception:
        return f"a {kind.__name__}"


def is_lock(value):
    return isinstance(value, primitives.Primitive)
