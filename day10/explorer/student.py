"""Read a student's file; an error or an endless loop in it ends in a message, not a traceback.
读取学生的文件；其中的错误或死循环会变成一句说明，而不是 traceback。"""

import builtins
import inspect
import sys
import threading
import traceback

from explorer import standin
from explorer.current import Unusable


class TooLong(Unusable):
    """Raised when a call does not return in time. The message names the line that was running."""


def load(path):
    """Return the functions of a file: ([a, b] or [a, b, c], setup, check). Raise Unusable with a
    message for the student."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        code = compile(text, path, "exec")
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise Unusable(
            f"{path} is not Python: {getattr(error, 'msg', error)}"
            + (f", line {line}" if line else "")
        ) from None
    namespace = {"__name__": "student", "__file__": path, "__builtins__": builtins_for_it()}
    watched(lambda: execute(code, namespace, path), 5, path)
    threads = [
        function_of(namespace, name, path)
        for name in "abc"
        if name != "c" or callable(namespace.get("c"))
    ]
    return threads, function_of(namespace, "setup", path), function_of(namespace, "check", path)


def execute(code, namespace, path):
    try:
        exec(code, namespace)
    except Unusable as error:
        raise Unusable(f"{path}: {error}") from None
    except BaseException as error:
        lines = [
            one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == path
        ]
        raise Unusable(
            f"{path}, line {lines[-1] if lines else '?'}: {type(error).__name__}: {error}"
        ) from None


def function_of(namespace, name, path):
    function = namespace.get(name)
    if not inspect.isfunction(function) or function.__code__.co_filename != path:
        has = (
            ", ".join(f"{key}()" for key, value in namespace.items() if inspect.isfunction(value))
            or "none"
        )
        raise Unusable(
            f"{path} has no function {name}(): it needs a, b, setup and check, and may have c; "
            f"it has {has}"
        )
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        raise Unusable(
            f"{path}: {name}() is a generator or a coroutine; the explorer runs plain functions"
        )
    if any(
        one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        for one in inspect.signature(function).parameters.values()
    ):
        raise Unusable(f"{path}: {name}() takes arguments; it must take none")
    return function


def builtins_for_it():
    """Return the builtins for the student's file: import gives modules that can be explored, and
    input() fails."""
    made, ours = standin.modules(), dict(vars(builtins))

    def import_for_it(name, globals=None, locals=None, fromlist=(), level=0):
        return (
            made[name]
            if name in made
            else builtins.__import__(name, globals, locals, fromlist, level)
        )

    def input_for_it(*prompt):
        raise Unusable("it calls input(), which would wait for the keyboard")

    ours.update(__import__=import_for_it, input=input_for_it)
    return ours


def watched(call, seconds, path):
    """Call a function in a daemon thread, and return its result. Raise TooLong if it takes more
    than `seconds`; the program can end while the thread still runs."""
    result = []

    def target():
        try:
            result.append((call(), None))
        except BaseException as error:
            result.append((None, error))

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    thread.join(seconds)
    if not result:
        frame, lines = sys._current_frames().get(thread.ident), []
        while frame:
            if frame.f_code.co_filename == path:
                lines.append(f"line {frame.f_lineno} ({frame.f_code.co_name})")
            frame = frame.f_back
        raise TooLong(
            f"{path}: still running after {seconds:g} s, in "
            f"{lines[0] if lines else 'the exploration'}"
        )
    value, error = result[0]
    if error:
        raise error
    return value
