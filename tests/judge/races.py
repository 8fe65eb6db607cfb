"""Judge threads in every schedule of their steps, with the explorer of day10/explorer/.
用所有可能的调度来判定线程程序：见 day10/explorer/。"""
import ast
import sys
import types

from judge.exercises import ROOT
from judge.show import cut
from judge.verdict import NotKnown, Refused

sys.path.insert(0, str(ROOT / "day10"))
from explorer import explore, picture, primitives, standin, student  # noqa: E402
from explorer.current import Unusable  # noqa: E402
from explorer.replay import Replay  # noqa: E402
sys.path.pop(0)

SECONDS = 8                                       # seconds of exploration; a fixed program takes less than one
MOST_ROWS = 26
UNFAIR = 40                                        # steps that one thread takes in a row
BUSY = ("A thread checks again and again instead of waiting. Let it wait for a lock, an Event or a Condition, without a timeout.",
        "线程一再查询，而不是等待：请让它等待锁、Event 或 Condition，不加 timeout。")
ENDS = {
    "wrong": ("race", "end with a wrong result", "结果错误"),
    "deadlock": ("deadlock", "end with threads that wait for ever", "线程永远等下去"),
    "endless": ("endless", "never end: a thread runs in an endless loop", "永不结束：线程一直循环"),
    "livelock": ("livelock", "can run for ever without progress: a livelock", "可能永远忙碌却没有进展：活锁"),
    "error": ("error", "end with an exception in a thread", "线程因异常结束"),
}


def judge(subject, starts_with, fixed=("a", "b", "check")):
    """Explore a file with the functions a(), b(), perhaps c(), setup() and check(); raise Refused or NotKnown.

    starts_with: an expression that is true after setup(). fixed: names of functions that the student must not change.
    """
    subject.unchanged(*fixed)
    threads, begin, check = load(subject)
    namespace = threads[0].__globals__
    begin = numbering(namespace, begin)
    begin_is_right(subject, namespace, begin, starts_with)
    try:
        explored(subject, threads, begin, check)
    except NotKnown as unknown:
        if unknown.tag != "not explored":
            raise
        # Perhaps a global variable keeps a value from one run to the next. So run the whole file again before each run.
        code = compile(subject.text, subject.path, "exec")
        again = numbering(namespace, lambda: (exec(code, namespace), namespace["setup"]()))
        explored(subject, threads, again, lambda: namespace["check"]())


def numbering(namespace, begin):
    """Return a setup after which id() gives shared objects the same numbers in every run.

    A program may acquire its locks in the order of their id().
    """
    numbers = {}

    def begin_and_number():
        begin()
        numbers.clear()
        for name in sorted(name for name in namespace if not name.startswith("_")):
            value = namespace[name]
            for thing in value, *(vars(value).values() if type(value).__module__ == "student" else ()):
                numbers.setdefault(id(thing), len(numbers))

    namespace["__builtins__"]["id"] = lambda thing: numbers.get(id(thing), id(thing))
    return begin_and_number


def load(subject):
    try:
        return student.load(subject.path)
    except Unusable as error:
        raise unusable(error, subject) from None


def begin_is_right(subject, namespace, begin, starts_with):
    subject.call(begin)
    if not subject.call(eval, starts_with, namespace):
        raise Refused("changed", f"after setup(), this must be true: {starts_with}", f"setup() 之后必须成立：{starts_with}")


def explored(subject, threads, begin, check):
    """Run all schedules; raise Refused if one of them fails, or NotKnown if not all could be explored."""
    try:
        exploration = student.watched(lambda: explore(threads, begin, check, seconds=SECONDS), SECONDS + 10, subject.path)
        losing = [one for one in exploration.outcomes if one.kind not in ("right", "unfair")]
        is_busy = False
        for outcome in sorted(losing, key=lambda one: (one.kind == "endless", one.switches, len(one.schedule))):
            replay = Ending(threads, begin, check, outcome.schedule).must_be_over()
            if outcome.kind == "endless" and replay.is_unfair():
                is_busy = True
                continue
            raise lost(exploration, outcome, replay, subject)
    except Unusable as error:
        raise unusable(error, subject) from None
    if not exploration.is_complete:
        english, chinese = BUSY if is_busy else advice(subject.tree) or ("Make the program shorter.", "请写得简短些。")
        raise NotKnown("too many", f"none of the first {exploration.schedules:,} schedules fails, but there are more. {english}",
                       f"前 {exploration.schedules:,} 种调度都对，但还没有看完。{chinese}", picture.histogram(exploration))


class Ending(Replay):
    """A replay that notes which threads could continue at each step."""

    def choose(self, enabled):
        self.enabled = [*self.enabled, set(enabled)] if self.depth else [set(enabled)]
        return super().choose(enabled)

    def is_unfair(self):
        """Return whether only one thread ran at the end, though another could have run: no real scheduler does that for ever."""
        last = set(self.schedule[-UNFAIR:])
        return len(last) == 1 and bool(set().union(*self.enabled[-UNFAIR:]) - last)


def rows(replay, subject):
    """Return the schedule as lines, without steps that only look up a lock, and without values too long for the left column."""
    kept = [(step, thread) for step, thread in zip(replay.steps, replay.schedule) if step.verb != "looks up"]
    replay.steps, replay.schedule = [step for step, _ in kept], [thread for _, thread in kept]
    for step in replay.steps:
        after, width = {}, 0
        for name, value in step.after.items():
            if width + len(name + value) + 3 <= 26:
                after[name] = value
                width += len(name + value) + 3
        step.after = after
    lines = picture.schedule(replay, subject.path)
    if len(lines) > MOST_ROWS:
        lines[12:-10] = [f"... {len(lines) - 22} more rows · 省略 {len(lines) - 22} 行 ..."]
    return [cut(line) for line in lines]


def lost(exploration, losing, replay, subject):
    is_livelock = losing.kind == "endless" and len(set(replay.schedule[-UNFAIR:])) > 1
    tag, english, chinese = ENDS["livelock" if is_livelock else losing.kind]
    remark, details = advice(subject.tree, losing.kind), rows(replay, subject)
    counts = sum(one.count for one in exploration.outcomes if one.kind == losing.kind)
    shown = f"{exploration.schedules:,}"
    total = shown if exploration.is_complete else f"at least {shown}"
    if remark:
        english, chinese = f"{english}. {remark[0]}", f"{chinese}。{remark[1]}"
    return Refused(tag, f"{counts:,} of {total} schedules {english}", f"{shown} 种调度中有 {counts:,} 种{chinese}", details)


def advice(tree, kind="wrong"):
    """Find a repair that cannot work; return what is wrong with it, as (English, Chinese), or None. kind: how the file fails."""
    calls = [(node, text_of(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    inside = {id(node): function.name for function in ast.walk(tree) if isinstance(function, ast.FunctionDef)
              if function.name not in ("setup", "__init__") for node in ast.walk(function)}
    for node, name in calls:
        if name.split(".")[-1] in ("Lock", "RLock") and id(node) in inside:
            return (f"Line {node.lineno} makes a new lock each time {inside[id(node)]}() is called: two threads never use the same lock.",
                    f"第 {node.lineno} 行每次调用 {inside[id(node)]}() 都新建一把锁：两个线程用的不是同一把锁。")
        if name.split(".")[-1] == "local" and "threading" in name:
            return (f"Line {node.lineno}: each thread has its own copy of what is in threading.local(), so nothing in it is shared.",
                    f"第 {node.lineno} 行：threading.local() 里的东西每个线程各有一份，不是共享的。")
    for node, name in calls:
        if name.split(".")[-1] == "sleep":
            return (f"The sleep in line {node.lineno} guarantees no order: another thread may still be slower.",
                    f"第 {node.lineno} 行的 sleep 不能保证顺序：别的线程仍可能更慢。")
        if name.split(".")[-1] in ("get_ident", "current_thread"):
            return (f"Line {node.lineno}: each thread has its own lock, which keeps no other thread out.",
                    f"第 {node.lineno} 行：每个线程自己的锁挡不住别的线程。")
        if any(keyword.arg == "timeout" for keyword in node.keywords) and name.split(".")[-1] in ("wait", "acquire", "wait_for"):
            return (f"The timeout in line {node.lineno} may end the wait before the other thread is ready.",
                    f"第 {node.lineno} 行的 timeout 可能在另一个线程到来之前就结束等待。")
    if kind == "wrong" and any(name.split(".")[-1] in ("Lock", "RLock", "Condition", "Semaphore") for _, name in calls):
        return ("There is a lock, but it does not cover all the steps that belong together.", "有锁，但锁没有覆盖必须一起完成的全部步骤。")
    return None


def text_of(node):
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def unusable(error, subject):
    """Turn an error of the explorer into a verdict; usually the student's file has caused it."""
    text = str(error).replace(f"{subject.path}: ", "").replace(subject.path, subject.exercise.shown)
    if isinstance(error, student.TooLong):
        return Refused("endless", text, "没有结束")
    for part, tag, chinese in [
            ("calls input()", "input", "它调用 input()，会等待有人输入"),
            ("has no function", "name", "缺少函数"),
            ("starts a thread", "thread", "被探索的函数自己启动了线程"),
            ("nothing that the explorer can see", "stuck", "卡住了：死循环，或者调用了会阻塞的函数"),
            ("catches every exception", "catches", "捕获了所有异常，请改用 except Exception"),
            ("is not Python", "syntax", "语法错误"),
            ("Error", "exception", "抛出了异常")]:
        if part in text:
            return Refused(tag, text, chinese)
    return NotKnown("not explored", text, "无法探索所有调度，所以不知道对不对")


def with_processes():
    """Make the explorer accept multiprocessing's Value and Lock: processes that share memory are like threads that share
    an object."""
    class Value:
        """Replaces multiprocessing.Value: the number is in .value, and `value.value += 1` does not hold the lock."""

        def __init__(self, kind, value=0, lock=True):
            # With lock=False there is no lock, and `with` raises an exception.
            self.value, self._lock = value, primitives.RLock() if lock else None

        def get_lock(self):
            return self._lock

        def __enter__(self):
            return self._lock.acquire()

        def __exit__(self, *error):
            self._lock.release()

    class Lock:
        """Replaces a global Lock that is not passed to the processes: with spawn and forkserver, each process has its own
        copy, which stops no other process. A lock of threading stops no other process under any start method."""

        def __init__(self, value=1):
            pass

        def acquire(self, *options):
            return True

        def release(self):
            pass

        def __enter__(self):
            return True

        def __exit__(self, *error):
            pass

    Value.__module__ = Lock.__module__ = "student"     # the explorer treats them as classes of the student
    processes = types.ModuleType("multiprocessing")
    processes.Value, processes.Lock, processes.RLock = Value, Lock, Lock
    processes.Process = processes.Queue = None
    real = standin.modules

    def modules():
        made = {**real(), "multiprocessing": processes}
        for name in "Lock", "RLock", "Semaphore", "BoundedSemaphore":
            setattr(made["threading"], name, Lock)
        return made

    standin.modules = modules
