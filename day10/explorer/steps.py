"""Find the instructions of a function that may touch shared state, and name what each one touches.
找出函数中可能访问共享状态的指令，并说出它访问的是什么。

An expression is a tuple: ("global", name), ("local", name), ("cell", name), ("const", value),
("attr", expression, name) or ("item", expression, expression); None is an unknown expression. We
find the expressions by following the interpreter's value stack from instruction to instruction; see
https://docs.python.org/3/library/dis.html.
"""

import dis
import sys
import types
from collections import deque
from dataclasses import dataclass

CONTAINERS = (list, dict, set, deque, bytearray)
MISSING = type("Missing", (), {"__repr__": lambda self: "?"})()
NEUTRAL = {
    "NOP",
    "RESUME",
    "CACHE",
    "PRECALL",
    "KW_NAMES",
    "NOT_TAKEN",
    "EXTENDED_ARG",
    "GEN_START",
    "COPY_FREE_VARS",
    "MAKE_CELL",
    "SETUP_FINALLY",
    "POP_BLOCK",
}
ROTATIONS = {"ROT_TWO": 2, "ROT_THREE": 3, "ROT_FOUR": 4}


@dataclass(frozen=True)
class Touch:
    """What one instruction may touch: kind is read, write, delete or call."""

    kind: str
    target: tuple
    line: int
    # Is the target a method that the next instructions call?
    is_method: bool = False
    in_for: bool = False


class Stack(list):
    """The expressions on the value stack. An empty stack gives None, the unknown expression."""

    def take(self, count=1):
        for _ in range(count):
            last = self.pop() if self else None
        return last if count else None

    def at(self, depth):
        return self[-depth] if len(self) >= depth else None


def touches(code, private=frozenset()):
    """Return {offset: Touch} of a code object. private: its free variables that only one thread
    can use."""
    found, stack, lines = {}, Stack(), lines_of(code)
    instructions = list(dis.get_instructions(code))
    loops = [(one.offset, one.argval) for one in instructions if one.opname == "FOR_ITER"]
    for one in instructions:
        if one.is_jump_target:
            stack.clear()
        touched = follow(one, stack, code, private)
        if touched:
            kind, target, is_method = touched
            in_for = any(start < one.offset < end for start, end in loops)
            found[one.offset] = Touch(
                kind, target, lines.get(one.offset, code.co_firstlineno), is_method, in_for
            )
    return found


def lines_of(code):
    return {
        offset: line
        for start, end, line in code.co_lines()
        if line
        for offset in range(start, end, 2)
    }


def follow(one, stack, code, private):
    """Do to the stack what the instruction does; return (kind, target, is_method) if it touches
    something, else None."""
    name, argument = one.opname, one.arg if one.opcode >= dis.HAVE_ARGUMENT else None
    effect = dis.stack_effect(one.opcode, argument, jump=False)
    for follower in (follow_variable, follow_place, follow_call, follow_shuffle):
        answer = follower(one, name, effect, stack, code, private)
        if answer is not NotImplemented:
            return answer
    # Any other instruction leaves an unknown value on top.
    stack.take(max(0, -effect))
    if not name.startswith(("POP_JUMP", "POP_TOP", "STORE_", "RETURN")):
        stack.take()
        stack.append(None)
    stack.extend([None] * max(0, effect))
    return None


def follow_variable(one, name, effect, stack, code, private):
    if name in ("LOAD_GLOBAL", "LOAD_NAME"):
        target = ("global", one.argval)
        # A call also needs a NULL: it lies below the function up to 3.12, and above it since 3.13.
        null = [None] * (effect - 1)
        stack.extend([target, *null] if sys.version_info >= (3, 13) else [*null, target])
        return "read", target, False
    if name in ("STORE_GLOBAL", "DELETE_GLOBAL"):
        stack.take(-effect)
        return "write" if name[0] == "S" else "delete", ("global", one.argval), False
    if name in ("LOAD_DEREF", "STORE_DEREF", "DELETE_DEREF", "LOAD_CLASSDEREF"):
        target = ("cell", one.argval)
        stack.take(max(0, -effect))
        stack.extend([target] * max(0, effect))
        is_shared = one.argval in code.co_freevars and one.argval not in private
        return ("write" if name[0] == "S" else "read", target, False) if is_shared else None
    if name in ("LOAD_CONST", "LOAD_SMALL_INT"):
        stack.append(("const", one.argval))
        return None
    if "_FAST" in name and "DELETE" not in name:
        names = one.argval if isinstance(one.argval, tuple) else (one.argval,)
        halves = [
            "LOAD" if "LOAD" in half else "STORE"
            for half in name.split("_FAST")
            if "LOAD" in half or "STORE" in half
        ]
        for half, variable in zip(halves, names):
            if half == "LOAD":
                stack.append(("local", variable))
            else:
                stack.take()
        return None
    return NotImplemented


def follow_place(one, name, effect, stack, code, private):
    if name in ("LOAD_ATTR", "LOAD_METHOD"):
        target = ("attr", stack.take(), one.argval)
        stack.extend([target, None][: effect + 1])
        return "read", target, effect == 1
    if name in ("STORE_ATTR", "DELETE_ATTR"):
        target = ("attr", stack.take(), one.argval)
        stack.take(-effect - 1)
        return "write" if name[0] == "S" else "delete", target, False
    if name == "BINARY_SUBSCR" or name == "BINARY_OP" and one.argrepr == "[]":
        key = stack.take()
        target = ("item", stack.take(), key)
        stack.append(target)
        return "read", target, False
    if name in ("STORE_SUBSCR", "DELETE_SUBSCR"):
        key = stack.take()
        target = ("item", stack.take(), key)
        stack.take(-effect - 2)
        return "write" if name[0] == "S" else "delete", target, False
    if name in ("BINARY_SLICE", "STORE_SLICE"):
        stack.take(2)
        target = ("item", stack.take(), None)
        stack.extend([None] if name[0] == "B" else [])
        stack.take(name[0] == "S")
        return "read" if name[0] == "B" else "write", target, False
    return NotImplemented


def follow_call(one, name, effect, stack, code, private):
    if name in ("CALL_FUNCTION", "CALL_FUNCTION_KW", "CALL_METHOD", "CALL", "CALL_KW"):
        named = name in ("CALL_FUNCTION_KW", "CALL_KW")
        below = [stack.at(one.arg + named + 1)] + [stack.at(one.arg + named + 2)] * (
            not name.startswith("CALL_FUNCTION")
        )
        stack.take(one.arg + named + len(below))
        stack.append(None)
        for callee in below:
            if callee and callee[0] == "attr":
                return "call", callee, False
        return None
    return NotImplemented


def follow_shuffle(one, name, effect, stack, code, private):
    if name in NEUTRAL:
        return None
    if name == "PUSH_NULL":
        stack.append(None)
    elif name == "DUP_TOP":
        stack.append(stack.at(1))
    elif name == "DUP_TOP_TWO":
        stack.extend([stack.at(2), stack.at(1)])
    elif name == "COPY":
        stack.append(stack.at(one.arg))
    elif name == "SWAP" and len(stack) >= one.arg:
        stack[-1], stack[-one.arg] = stack[-one.arg], stack[-1]
    elif name in ROTATIONS and len(stack) >= ROTATIONS[name]:
        # The top value moves below the others.
        stack.insert(len(stack) - ROTATIONS[name], stack.pop())
    else:
        return NotImplemented
    return None


def text_of(target):
    """Return an expression as a student would write it."""
    if target is None:
        return "..."
    kind, *parts = target
    if kind == "attr":
        return f"{text_of(parts[0])}.{parts[1]}"
    if kind == "item":
        return f"{text_of(parts[0])}[{text_of(parts[1])}]"
    return repr(parts[0]) if kind == "const" else parts[0]


def value_of(target, frame):
    """Return the value of an expression without running the student's code; MISSING if that is
    impossible."""
    if target is None:
        return MISSING
    kind, *parts = target
    if kind == "const":
        return parts[0]
    if kind == "global":
        return frame.f_globals.get(parts[0], MISSING)
    if kind in ("local", "cell"):
        return frame.f_locals.get(parts[0], MISSING)
    of = value_of(parts[0], frame)
    if kind == "attr":
        return attribute(of, parts[1])
    key = value_of(parts[1], frame)
    if of is MISSING or type(key) not in (int, str, tuple, bool):
        return MISSING
    try:
        return of[key] if type(of) in (list, dict, tuple, str, deque, bytes, bytearray) else MISSING
    except (LookupError, TypeError):
        return MISSING


def attribute(of, name):
    if of is MISSING:
        return MISSING
    if isinstance(of, (type, types.ModuleType)):
        return vars(of).get(name, MISSING)
    own = getattr(of, "__dict__", None)
    if type(own) is dict and name in own:
        return own[name]
    for one in type(of).__mro__:
        if name in vars(one):
            value = vars(one)[name]
            return MISSING if hasattr(type(value), "__set__") and not callable(value) else value
    return MISSING
