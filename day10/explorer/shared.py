"""Tell whether an instruction touches shared data, and which line raised an exception.
判断一条指令是否访问了线程共享的数据，以及异常来自哪一行。"""

import sys
import traceback

from explorer import steps
from explorer.primitives import Primitive


def is_shared(frame, touch):
    """Return True if the instruction touches data that threads can share. Looking up a function, a
    class, a module, or a method of a lock does not count."""
    kind, target = touch.kind, touch.target
    if kind == "call":
        return type(steps.value_of(target[1], frame)) in steps.CONTAINERS
    if target[0] == "global" and kind == "read":
        value = steps.value_of(target, frame)
        return value is not steps.MISSING and not is_fixed(value)
    if target[0] in ("attr", "item"):
        of = steps.value_of(target[1], frame)
        if of is steps.MISSING:
            return not touch.is_method
        if isinstance(of, Primitive) or type(of) in (
            str,
            bytes,
            tuple,
            range,
            int,
            float,
            type(None),
        ):
            return False
        if target[0] == "attr" and kind == "read":
            value = steps.value_of(target, frame)
            return not (
                type(of) in steps.CONTAINERS
                or is_fixed(value)
                or touch.is_method
                and value is steps.MISSING
            )
    return True


FIXED = (
    type,
    type(sys),
    type(is_shared),
    type(len),
    type(str.join),
    type(dict.fromkeys),
    classmethod,
    staticmethod,
)


def is_fixed(value):
    return isinstance(value, FIXED)


def error_text(error, files):
    """Return the text of an exception, with the line of the student's file that raised it."""
    lines = [
        one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename in files
    ]
    where = f" in line {lines[-1]}" if lines else ""
    return f"{type(error).__name__}{where}: {error}".rstrip(": ")
