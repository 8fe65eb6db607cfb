"""Make a Stepper for some functions; while it exists, their module uses stand-ins (standin.py).
为几个函数建立 Stepper；在此期间，它们的模块看到的是可以探索的替代品。"""

import contextlib

from explorer import steps
from explorer.current import Unusable
from explorer.shared import error_text
from explorer.standin import replaced
from explorer.stepper import Stepper


@contextlib.contextmanager
def exploring(named, setup, check):
    """Yield a Stepper for the threads. Inside the `with` block, their module uses the stand-ins of
    standin.py in place of threading, queue and time."""
    namespace = named[0][1].__globals__
    with replaced(namespace):
        setup = checked(setup or (lambda: None))
        # Call setup once before the first run: the objects that it makes tell the tracer which
        # methods the threads can call.
        setup()
        stepper = Stepper(named, setup, namespace)
        stepper.written = {
            touch.target[1] if touch.target[0] == "global" else root(touch.target)
            for code in stepper.tracer.codes.values()
            for touch in code.values()
            if touch.kind in ("write", "delete")
        }
        stepper.written |= {
            name for name in stepper.tracer.names if type(namespace.get(name)) in steps.CONTAINERS
        }
        stepper.written |= {
            name
            for name in stepper.tracer.names
            if getattr(type(namespace.get(name)), "__module__", "") == namespace.get("__name__")
        }
        with stepper:
            yield stepper


def root(target):
    while target and target[0] in ("attr", "item"):
        target = target[1]
    return target[1] if target and target[0] == "global" else None


def checked(setup):
    def call():
        try:
            setup()
        except (Exception, SystemExit) as error:
            raise Unusable(
                f"setup() failed: {error_text(error, {setup.__code__.co_filename})}"
            ) from None

    return call
