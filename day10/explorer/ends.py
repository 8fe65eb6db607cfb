"""Say how a run ended, and what the shared values are.
说明一次运行如何结束，以及共享数据的值。"""

from explorer import primitives, steps
from explorer.current import Unusable
from explorer.shared import error_text


def ending(stepper, check):
    """How the run ended, as (kind, text)."""
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
    if stepper.is_endless and stepper.is_unfair:
        return "unfair", f"{stepper.log[-1].thread} goes round while another one could go on"
    if stepper.is_endless:
        return "endless", f"no end after {len(stepper.log)} steps"
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
    except Exception as error:
        raise Unusable(f"check() failed: {error_text(error, files)}") from None
    return verdict, values or "the end"


def shared_values(stepper):
    """The shared data that the threads' code names, as {name: text}."""
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
    if type(value).__repr__ is object.__repr__ and hasattr(value, "__dict__"):
        parts = [
            f"{name}={text_of_value(one)}"
            for name, one in vars(value).items()
            if not isinstance(one, primitives.Primitive)
        ]
        return f"{type(value).__name__}({', '.join(parts)})"
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 40 else text[:37] + "..."
