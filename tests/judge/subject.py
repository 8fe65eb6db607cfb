"""The student's file: its text, its functions, and a way to call them that always returns.
学生的文件：源码、函数，以及一定会返回的调用。"""
import ast
import builtins
import sys
import threading
import time
import traceback
import types

from judge.processes import PROC, Pauses, Stillness, stat_of
from judge.verdict import Refused

STILL = 1.5                                        # seconds: a thread that sleeps for so long hangs
BUSY = 0.4                                         # seconds of CPU time: a call that uses more counts as endless
LIMIT = 20                                         # seconds for any call, also on a system without /proc


class Subject:
    """The file that is judged. path: the path of this file."""

    def __init__(self, exercise, path):
        self.exercise, self.path = exercise, str(path)
        try:
            with open(path, encoding="utf-8") as file:
                self.text = file.read()
            self.tree = ast.parse(self.text)
            self.code = compile(self.text, self.path, "exec")
        except FileNotFoundError:
            raise Refused("missing", f"{exercise.shown} is missing; to restore it, type: make practice RESET={exercise.name}",
                          f"没有 {exercise.shown}；恢复它：make practice RESET={exercise.name}") from None
        except OSError as error:
            raise Refused("unreadable", f"cannot read the file: {error.strerror}", f"无法读取：{error.strerror}") from None
        except (SyntaxError, ValueError) as error:
            line = f", line {error.lineno}" if getattr(error, "lineno", None) else ""
            raise Refused("syntax", f"the file is not valid Python{line}: {getattr(error, 'msg', error)}", f"语法错误{line}") from None

    def unchanged(self, *names):
        """Raise Refused if one of these functions was changed or removed: they say how the program is used."""
        theirs, ours = functions_of(self.tree), functions_of(ast.parse(self.exercise.broken))
        for name in names:
            if name not in theirs:
                raise missing(name, theirs)
            if theirs[name] != ours[name]:
                raise Refused("changed", f"do not change {name}(), which says how the program is used; fix the rest",
                              f"{name}() 规定了程序怎样使用：请保持原样，修改其他部分")

    def load(self, *names):
        """Import the file without running main(); return its functions and classes of these names."""
        module = types.ModuleType("practice")
        module.__file__ = self.path
        sys.modules["practice"] = module
        module.__builtins__ = {**vars(builtins), "input": no_input}
        self.call(exec, self.code, vars(module))
        for name in names:
            if not callable(getattr(module, name, None)):
                raise missing(name, functions_of(self.tree))
        self.module = module
        return [getattr(module, name) for name in names]

    def start(self, function, *args):
        """Call a function in a thread of its own; return a Call."""
        return Call(self, function, args)

    def call(self, function, *args):
        """Call a function and return its result; raise Refused if it raises an exception or does not return."""
        return self.start(function, *args).result()


def no_input(*prompt):
    raise Refused("input", "the program calls input(), and would wait for someone to type", "它调用 input()，会等待有人输入")


def missing(name, there):
    has = ", ".join(f"{one}()" for one in there) or "none"
    return Refused("name", f"the file has no {name}(); it has {has}"[:200], f"没有 {name}()；现有：{has}"[:200])


def functions_of(tree):
    """Return {name: its syntax tree as text} of the functions and classes of a file."""
    return {node.name: ast.dump(node) for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}


def where(error, path):
    """Return the last line of this file in the traceback of an exception, or None."""
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == str(path)]
    return lines[-1] if lines else None


class Call:
    """A call to the student's code in a daemon thread, so that the process can end before the call returns."""

    def __init__(self, subject, function, args):
        self.path, self.value, self.error, self.is_over = subject.path, None, None, False
        self.name = getattr(function, "__name__", "it")
        self.thread = threading.Thread(target=self.run, args=(function, args), daemon=True)
        self.started = time.monotonic()
        self.thread.start()
        self.folder = f"{PROC}/self/task/{self.thread.native_id}"
        stat = stat_of(self.folder)
        self.ticks = stat[2] if stat else 0
        self.new_stillness()

    def run(self, function, args):
        try:
            self.value = function(*args)
        except BaseException as error:
            self.error = error
        self.is_over = True

    def new_stillness(self):
        self.stillness = Stillness(lambda: {0: stat} if (stat := stat_of(self.folder)) else {})

    def line(self):
        """Return the line of the student's file that the call is executing, or ?."""
        frame = sys._current_frames().get(self.thread.ident)
        while frame and frame.f_code.co_filename != self.path:
            frame = frame.f_back
        return frame.f_lineno if frame else "?"

    def until(self, condition):
        """Wait until the condition is true or the call is over; raise Refused if the thread waits or runs for ever."""
        self.new_stillness()
        pauses = Pauses()
        while not self.is_over and not condition():
            pauses.sleep()
            stat = stat_of(self.folder)
            if stat and (stat[2] - self.ticks) / 100 > BUSY:
                line = self.line()
                raise Refused("endless", f"an endless loop: line {line} runs again and again", f"死循环：第 {line} 行一再执行")
            if self.stillness.seconds() > STILL or time.monotonic() - self.started > LIMIT:
                if self.is_over or condition():
                    break
                line = self.line()
                raise Refused("hangs", f"the program hangs: line {line} waits for something that never happens",
                              f"卡住了：第 {line} 行在等待不会发生的事")

    def result(self):
        self.until(lambda: False)
        self.thread.join()
        if isinstance(self.error, Refused):
            raise self.error
        if self.error is not None:
            line = where(self.error, self.path)
            at = f"line {line}: " if line else ""
            raise Refused("exception", f"{at}{type(self.error).__name__}: {self.error}"[:300],
                          f"第 {line} 行抛出 {type(self.error).__name__}") from self.error
        return self.value
