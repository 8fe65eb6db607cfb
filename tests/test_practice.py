"""The practice: each broken program fails for its reason, each solution passes, and wrong attempts are refused."""
import ast
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import course
import pytest
from harness import ROOT, Program, run, shared_memory, wait_until
from judge import processes
from judge.exercises import FOLDER, NAMES, all_exercises, find
from judge.show import WIDTH

EXERCISES = all_exercises()
FILES = [(one, file) for one in EXERCISES for file in sorted(one.folder.glob("*.py")) if file.name != "check.py"]
RACES = {"race", "deadlock", "error", "endless"}
CJK = re.compile(r"[\u4e00-\u9fff]")


# The judge with low limits. The exploration counts its runs instead of seconds, so slow machines give the same verdict.
SOON = """import itertools, types
import judge.__main__, judge.apart, judge.races, judge.subject
judge.subject.BUSY, judge.apart.MOST_OUTPUT, judge.races.SECONDS = 0.1, 1 << 20, 200
from explorer import search
search.time = types.SimpleNamespace(monotonic=itertools.count().__next__)
judge.__main__.main()
"""


def judged(jobs, *python):
    """Return {file: verdict} for (exercise, file) pairs, all judged in one process."""
    lines = "".join(f"{exercise.name} {file}\n" for exercise, file in jobs)
    done = subprocess.run([sys.executable, *(python or ["-m", "judge"])], cwd=ROOT / "tests", input=lines, capture_output=True, text=True, timeout=300)
    assert not done.stderr and done.returncode == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(jobs)
    return {file: verdict for (_, file), verdict in zip(jobs, found)}


@pytest.fixture(scope="module")
def verdicts():
    """Yield the verdicts on all FILES. The wrong versions of end_of_stream loop until the judge ends them, so they get low limits."""
    spins = [(one, file) for one, file in FILES if one.name == "day11/end_of_stream" and file.stem != "solution"]
    return {**judged([job for job in FILES if job not in spins]), **judged(spins, "-c", SOON)}


@pytest.mark.parametrize("exercise, file", FILES, ids=[f"{one.name}/{file.stem}" for one, file in FILES])
def test_verdicts(exercise, file, verdicts):
    verdict = verdicts[file]
    if exercise.missing_package():
        assert verdict["kind"] == "left out"
    elif file.stem == "solution":
        assert verdict["kind"] == "passed", verdict
    else:
        assert (verdict["kind"], verdict["tag"]) == ("failed", exercise.check().REASONS[file.stem]), verdict
        assert verdict["english"].isascii() or "你" in exercise.broken
        assert CJK.search(verdict["chinese"])
        assert all(course.columns(line) <= WIDTH for line in verdict["details"]), verdict["details"]


def test_there_are_enough_and_each_is_whole():
    assert sorted(NAMES) == sorted(str(path.parent.relative_to(FOLDER)) for path in FOLDER.glob("day*/*/check.py"))
    per_day = Counter(one.day for one in EXERCISES if not hasattr(one.check(), "NEEDS"))
    assert sum(per_day.values()) >= 20 and len(per_day) == 6 and min(per_day.values()) >= 2
    for exercise in EXERCISES:
        check = exercise.check()
        wrong = sorted(path.stem for path in exercise.folder.glob("wrong_*.py"))
        assert {"broken", *wrong} == set(check.REASONS), exercise
        assert len(wrong) >= (2 if check.REASONS["broken"] in RACES else 1), exercise
        assert len(check.HINTS) == 3
        for english, chinese in [*check.HINTS, check.NOTICE]:
            assert english and chinese and not CJK.search(english)


@pytest.mark.parametrize("exercise", EXERCISES, ids=NAMES)
def test_a_broken_program_is_small_and_says_what_it_should_do(exercise):
    text = exercise.broken
    docstring = ast.get_docstring(ast.parse(text)).splitlines()
    assert docstring[0].isascii() and docstring[0].endswith(".") and docstring[1].endswith("。")
    assert re.search(rf"^Run:    python {exercise.shown}", "\n".join(docstring), re.MULTILINE)
    assert any(line.startswith("You see: ") for line in docstring) and any(line.startswith("看到：") for line in docstring)
    assert sum(bool(line.strip()) for line in text.splitlines()) - len(docstring) <= 40
    assert all(course.columns(line) <= 100 for file in exercise.folder.glob("*.py") if file.name != "check.py"
               for line in file.read_text(encoding="utf-8").splitlines())


@pytest.mark.skipif((ROOT / ".practice.json").exists(), reason="there is a student's progress, .practice.json: the files may be fixed")
@pytest.mark.parametrize("exercise", EXERCISES, ids=NAMES)
def test_the_students_file_is_the_broken_one(exercise):
    assert exercise.file.read_text(encoding="utf-8") == exercise.broken


def test_no_student_file_without_an_exercise():
    assert sorted(one.shown for one in EXERCISES) == sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("day*/practice/*.py"))


def test_each_exercise_stands_in_the_page_of_its_day():
    for exercise in EXERCISES:
        page = (ROOT / exercise.day / "README.md").read_text(encoding="utf-8")
        link = exercise.shown.partition("/")[2]
        assert len(re.findall(rf"^\*\*Practice · 练习\*\*: \[{link}\]\({link}\): .+ · .+[.。]$", page, re.MULTILINE)) == 1, exercise


# Whatever a student's file does, there is a verdict

DEPOSIT = (FOLDER / "day10/deposit/broken.py").read_text(encoding="utf-8")
BODY = "    balance = balance + amount\n"
REAP = (FOLDER / "day07/reap/solution.py").read_text(encoding="utf-8")
ODD = [
    ("day10/deposit", "def deposit(:\n", "syntax"),
    ("day10/deposit", b"# \xff\n", "syntax"),
    ("day10/deposit", None, "missing"),
    ("day10/deposit", "x = 1\n", "name"),
    ("day10/deposit", DEPOSIT.replace("def deposit", "def deposits"), "error"),
    ("day10/deposit", DEPOSIT.replace("deposit(50)", "deposit(0)"), "changed"),
    ("day10/deposit", DEPOSIT.replace("balance = 100", "balance = 180"), "changed"),
    ("day10/deposit", "1 / 0\n" + DEPOSIT, "exception"),
    ("day10/deposit", "input()\n" + DEPOSIT, "input"),
    ("day10/deposit", "import os\nos._exit(0)\n" + DEPOSIT, "ended"),
    ("day10/deposit", "import os\nos.closerange(3, 99)\n" + DEPOSIT, "ended"),
    ("day10/deposit", "import contextlib, os\nfor fd in range(3, 20):\n    with contextlib.suppress(OSError):\n        os.write(fd, b'1\\n')\n" + DEPOSIT, "ended"),
    ("day10/deposit", "import os\nos.fork()\n" + DEPOSIT, "race"),
    ("day10/deposit", "import os\nos.read(os.pipe()[0], 1)\n" + DEPOSIT, "endless"),
    ("day10/deposit", "import os\n" + DEPOSIT.replace(BODY, "    os.read(os.pipe()[0], 1)\n"), "stuck"),
    ("day10/deposit", DEPOSIT.replace(BODY, "    threading.Thread(target=print).start()\n"), "thread"),
    ("day10/deposit", "import os\n" + DEPOSIT.replace(BODY, "    if os.urandom(1)[0] % 2:\n        balance\n    balance\n" + BODY), "not explored"),
    ("day11/end_of_stream", "def serve(conn):\n    import time\n    time.sleep(100)\n", "hangs"),
    ("day11/end_of_stream", "def serve(conn):\n    raise KeyError(conn)\n", "exception"),
    ("day11/end_of_stream", "def serve(conn):\n    raise SystemExit\n", "exception"),
    ("day11/end_of_stream", "def serve(conn):\n    conn.sendall(conn.recv(9).upper())\n    conn.close()\n", "answer"),
    ("day11/half_character", "def receive_text(conn):\n    text = conn.recv(1).decode()\n    conn.close()\n    return text\n", "lost"),
    ("day11/end_of_stream", "def server(conn):\n    pass\n", "name"),
    ("day11/end_of_stream", "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\nserve = 1\n", "name"),
    ("day11/end_of_stream", "import subprocess\nsubprocess.Popen(['sleep', '99'], start_new_session=True)\n", "name"),
    ("day07/reap", "input()\n" + REAP, "input"),
    ("day07/reap", REAP.replace("def work", "def works"), "name"),
    ("day07/reap", REAP.replace("def main():\n", "def main():\n    os.read(os.pipe()[0], 1)\n"), "hangs"),
    ("day07/reap", REAP.replace("def main():\n", "def main():\n    raise KeyError\n"), "exception"),
    ("day07/reap", REAP.replace('Enter: ")\n', 'Enter: ")\n    if os.fork() == 0:\n        os.setsid()\n        os.execvp("sleep", ["sleep", "99"])\n'), "left"),
]


def broken(name, *changes):
    """Return the name of an exercise and its broken program with some changes."""
    text = find(name).broken
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return name, text


LOCKED = "    with lock:\n        balance = balance + amount\n"
TRY_LOCK = """    while True:
        with source.lock:
            if target.lock.acquire(blocking=False):
                source.balance -= amount
                target.balance += amount
                target.lock.release()
                return
"""
BY_ID = "    first, second = sorted([{}, {}], key=id)\n    with first.lock, second.lock:\n"
# What looks like a lock, but does not stop another process.
ODD += [
    (*broken("day09/value_lock", ("import Process, Value\n", "import Process, Value\nfrom threading import Semaphore\nlock = Semaphore(1)\n"),
             ("    counter.value += 1\n", "    with lock:\n        counter.value += 1\n")), "race"),
    (*broken("day09/value_lock", ('Value("i", 0)', 'Value("i", 0, lock=False)'),
             ("    counter.value += 1\n", "    with counter.get_lock():\n        counter.value += 1\n")), "error"),
]
# Mendings that differ from the official solution, and also pass.
OTHERS = [
    (*broken("day07/reap", ("            work(number)\n", "            work(number)\n        statuses.append(os.wait()[1] >> 8)\n")), ""),
    (*broken("day08/parents_list", ("import Process", "import Pool"), ("    results.append((number ** 2, os.getpid()))", "    return number ** 2, os.getpid()"),
             ("    children = [Process(target=square, args=(number,)) for number in (2, 3, 4)]\n    for child in children:\n        child.start()\n"
              "    for child in children:\n        child.join()\n", "    with Pool(2) as pool:\n        results = pool.map(square, (2, 3, 4))\n")), ""),
    (*broken("day09/value_lock", ("    counter.value += 1\n", "    with counter:\n        counter.value += 1\n")), ""),
    (*broken("day09/join_first", ("    child.join()\n    text = queue.get()\n", "    text = ''.join([queue.get()])\n    child.join()\n")), ""),
    (*broken("day10/deposit", ("    balance = 100\n", "    balance = 100\n    global lock\n    lock = threading.Semaphore(1)\n"), (BODY, LOCKED)), ""),
    (*broken("day10/deposit", ("import threading\n", "import threading\nlock = threading.RLock()\n"), (BODY, LOCKED)), ""),
    (*broken("day10/new_lock", ("class Account:\n", "class Account:\n    lock = threading.Lock()\n"), ("        lock = threading.Lock()\n        with lock", "        with self.lock")), ""),
    (*broken("day10/condition_if", ("        if cups < 3:\n            changed.wait()\n", "        changed.wait_for(lambda: cups == 3)\n")), ""),
    (*broken("day10/transfer", ("    with source.lock, target.lock:\n", BY_ID.format("source", "target")), ("    with one.lock, other.lock:\n", BY_ID.format("one", "other"))), ""),
    (*broken("day11/one_message", ('    while data := conn.recv(1024):\n        yield data.decode().rstrip("\\n")\n',
                                   '    with conn.makefile() as file:\n        for line in file:\n            yield line.rstrip("\\n")\n')), ""),
    (*broken("day11/way_out", ('    path = folder + "/" + name\n    if not os.path.isfile(path):\n',
                               "    from pathlib import Path\n    path = (Path(folder) / name).resolve()\n"
                               "    if not path.is_relative_to(Path(folder).resolve()):\n        raise PermissionError(name)\n    if not path.is_file():\n")), ""),
    (*broken("day12/await_race", ("        balance -= amount\n        return True\n", "        if balance >= amount:\n            balance -= amount\n            return True\n")), ""),
]
# These go on until a limit is reached.
ENDLESS = [
    ("day11/end_of_stream", "while True:\n    pass\n", "endless"),
    ("day07/reap", REAP.replace("def main():\n", "def main():\n    while True: print('x' * 1000)\n"), "exception"),
    (*broken("day10/condition_if", ("        if cups < 3:\n            changed.wait()\n", "        while cups < 3:\n            changed.wait(timeout=1)\n")), "too many"),
    (*broken("day10/transfer", ("    with source.lock, target.lock:\n        source.balance -= amount\n        target.balance += amount\n", TRY_LOCK),
             ("    with one.lock, other.lock:\n", BY_ID.format("one", "other"))), "livelock"),
]


@pytest.fixture(scope="module")
def odd_verdicts(tmp_path_factory):
    """Return the verdicts on the files of ALL, in the order of ALL."""
    return [*judged(jobs_of(ODD + OTHERS, tmp_path_factory)).values(), *judged(jobs_of(ENDLESS, tmp_path_factory), "-c", SOON).values()]


def jobs_of(rows, tmp_path_factory):
    jobs = []
    for name, text, _ in rows:
        file = tmp_path_factory.mktemp("odd") / "student.py"
        if text is not None:
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        jobs.append((find(name), file))
    return jobs


ALL = ODD + OTHERS + ENDLESS


@pytest.mark.parametrize("number", range(len(ALL)), ids=[f"{tag or 'passes'}-{number}" for number, (_, _, tag) in enumerate(ALL)])
def test_whatever_a_file_does_there_is_a_verdict_and_a_sentence(number, odd_verdicts):
    name, _, tag = ALL[number]
    verdict = odd_verdicts[number]
    assert verdict["exercise"] == name, verdict
    wanted = "passed" if not tag else "not known" if tag in ("not explored", "too many") else "failed"
    assert (verdict["kind"], verdict["tag"]) == (wanted, tag), verdict
    assert not tag or verdict["english"] and verdict["chinese"] and "Traceback" not in str(verdict)


def test_a_judge_that_looks_too_seldom_does_not_take_that_for_stillness(monkeypatch):
    clock = itertools.count(100, 10)
    monkeypatch.setattr(processes, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    state = "S"
    stillness = processes.Stillness(lambda: {1: (state, 0, 5)})
    assert [round(stillness.seconds() / processes.EVERY) for _ in range(4)] == [0, 1, 2, 3]
    state = "R"
    assert stillness.seconds() == 0


def test_join_first_names_the_line_of_the_join_with_a_timeout(tmp_path):
    file = tmp_path / "student.py"
    _, text = broken("day09/join_first", ("    text = queue.get()\n", "    child.join(1)\n    text = queue.get()\n"))
    file.write_text(text)
    printed = run(sys.executable, "-m", "judge", stdin=f"day09/join_first {file}\n", cwd=ROOT / "tests").stdout
    line = text.splitlines().index("    child.join(1)") + 1
    assert json.loads(printed)["english"].startswith(f"line {line}: a timeout")


STARTS = {
    "in a session of its own": "import subprocess\nsubprocess.Popen(['sleep', '99'], start_new_session=True)\n",
    "writes files": """
import os, time
ready, parent = os.pipe()
for writer in range(3):
    if os.fork() == 0:
        end, number = time.monotonic() + 30, 0
        while time.monotonic() < end:
            open(f"{writer}.{number}", "w").close()
            number += 1
            if number == 20:
                os.write(parent, b"!")
        os._exit(0)
for writer in range(3):
    os.read(ready, 1)
""",
    "traces another": """
import ctypes, os, signal
ready, parent = os.pipe()
other = os.fork() or signal.pause()
if os.fork() == 0:
    if os.fork() == 0:
        ctypes.CDLL(None).ptrace(16, other, 0, 0)  # PTRACE_ATTACH
        os.write(parent, b"!")
    signal.pause()
os.read(ready, 1)
""",
}


@pytest.mark.parametrize("start", STARTS)
def test_nothing_is_left_of_what_a_file_starts(tmp_path, start):
    """Even a process in a session of its own is ended: run() of harness fails if a program leaves a process behind."""
    file = tmp_path / "student.py"
    file.write_text(STARTS[start])
    printed = run(sys.executable, "-m", "judge", stdin=f"day11/end_of_stream {file}\n", cwd=ROOT / "tests", env={"TMPDIR": str(tmp_path)}).stdout
    assert json.loads(printed)["tag"] == "name"
    assert [*tmp_path.iterdir()] == [file]


def test_all_that_a_file_has_started_is_stopped_before_any_of_it_is_killed():
    """Otherwise, programs that fork again and again would outrun the judge. Here, a child, a grandchild and its child wait."""
    assert run(sys.executable, "-c", """if True:
        import os, signal
        from judge import processes
        real, sent = processes.send, []
        processes.send = lambda pid, signum: (sent.append(signal.Signals(signum).name), real(pid, signum))
        processes.become_subreaper()
        ready, writer = os.pipe()
        if os.fork() == 0:
            if os.fork() == 0:
                os.fork()
            os.write(writer, b"!")
            signal.pause()
        for _ in range(3):
            os.read(ready, 1)
        processes.kill_children()
        print(sent[:4])
        """, cwd=ROOT / "tests").stdout == "['SIGSTOP', 'SIGSTOP', 'SIGSTOP', 'SIGKILL']\n"


# This lock has a name in shared memory, which only the resource tracker of multiprocessing removes after a kill.
NAMED_LOCK = "import multiprocessing\nlock = multiprocessing.get_context('spawn').Lock()\nname = lock._semlock.name\n"


def test_no_semaphore_is_left_of_a_file_that_hangs(tmp_path):
    file = tmp_path / "student.py"
    # Even a resource tracker that is stopped ends by itself. It is not stopped before it has read from its pipe: until then
    # it is still starting, and on a busy machine this takes longer than the judge lets it run afterwards.
    file.write_text(NAMED_LOCK + """if True:
        import fcntl, os, signal, termios, time
        print(name, flush=True)
        tracker = multiprocessing.resource_tracker._resource_tracker
        while any(fcntl.ioctl(tracker._fd, termios.FIONREAD, bytes(4))):
            time.sleep(0.01)
        os.fork()
        os.kill(tracker._pid, signal.SIGSTOP)
        signal.pause()
        """)
    printed = run(sys.executable, "-m", "judge", stdin=f"day07/printed_twice {file}\n", cwd=ROOT / "tests").stdout
    name = re.search(r"/(mp-\w+)", printed)[1]
    assert json.loads(printed)["tag"] == "hangs" and f"sem.{name}" not in shared_memory()


# make practice

@pytest.fixture
def copy(tmp_path):
    """Return a copy of the practice in a folder of its own, where a student can work."""
    # copytree keeps each file's time of change, so the copied bytecode remains valid, and nothing is compiled again.
    shutil.copytree(ROOT / "tests/judge", tmp_path / "tests/judge")
    shutil.copy2(ROOT / "tests/practice.py", tmp_path / "tests")
    # Folders that are only read need not be copied.
    (tmp_path / "tests/exercises").symlink_to(ROOT / "tests/exercises")
    (tmp_path / "day10").mkdir()
    (tmp_path / "day10/explorer").symlink_to(ROOT / "day10/explorer")
    for exercise in EXERCISES:
        (tmp_path / exercise.shown).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / exercise.shown).write_text(exercise.broken, encoding="utf-8")
    return tmp_path


@pytest.fixture
def few(copy):
    """Return a copy of the practice with only the four exercises of FEW."""
    file = copy / "tests/judge/exercises.py"
    file.write_text(re.sub(r'(?s)NAMES = """.*?"""', f'NAMES = """{" ".join(FEW)}"""', file.read_text(encoding="utf-8")), encoding="utf-8")
    return copy


FEW = "day07/reap", "day09/value_lock", "day11/way_out", "day12/gevent_call"


def practice(copy, *arguments, **options):
    printed = run("tests/practice.py", *arguments, cwd=copy, **options).stdout
    assert all(course.columns(line) <= WIDTH for line in printed.splitlines())
    return printed


def solve(copy, name):
    exercise = find(name)
    (copy / exercise.shown).write_text(exercise.solution, encoding="utf-8")


def test_the_first_that_is_not_fixed_its_reason_and_one_hint_more_each_time(copy):
    check = find("day07/printed_twice").check()
    for count in 1, 2, 3, 3:
        printed = practice(copy)
        assert "day07 0/3 · day08 0/2" in printed and "day07/practice/printed_twice.py" in printed
        assert "is printed 2 times" in printed and "打印了 2 次" in printed
        shown = [english in printed.replace("\n  ", " ") for english, _ in check.HINTS]
        assert shown == [number < count for number in range(3)]
        assert check.NOTICE[0].split(".")[0] not in printed


def test_a_fixed_one_shows_the_solution_and_stays_fixed_until_it_is_changed(copy):
    solve(copy, "day07/printed_twice")
    solve(copy, "day07/count_children")
    printed = practice(copy)
    assert "✓ day07/printed_twice: fixed · 已改好" in printed and "+    sys.stdout.flush()" in printed and "what to notice" in printed
    assert "✓ day07/count_children" in printed and "day07 2/3 · day08 0/2" in printed and "day07/practice/reap.py" in printed
    assert "hint" not in printed
    printed = practice(copy)
    assert "✓ day07" not in printed and "has not reaped 3 of its children" in printed and "hint · 提示 1/3" in printed
    (copy / "day07/practice/printed_twice.py").write_text(find("day07/printed_twice").broken)
    assert "day07 1/3" in practice(copy)


def test_one_exercise_and_reset(copy):
    assert "a waits for bob.lock" in practice(copy, "day10/practice/transfer.py")
    exercise = find("day11/way_out")
    file = copy / exercise.shown
    solve(copy, exercise.name)
    assert "✓ day11/way_out" in practice(copy, exercise.name)
    assert "day11 1/5" in practice(copy)
    for name in "way_out.py.mine", "way_out.2.py.mine":
        solve(copy, exercise.name)
        assert f"day11/practice/{name}" in practice(copy, "--reset", exercise.name)
        assert (file.parent / name).read_text(encoding="utf-8") == exercise.solution
        assert file.read_text(encoding="utf-8") == exercise.broken
    assert "day11 0/5" in practice(copy)
    file.unlink()
    assert "make practice RESET=day11/way_out" in practice(copy, exercise.name)
    assert "mine" not in practice(copy, "--reset=day11/way_out")
    assert file.read_text(encoding="utf-8") == exercise.broken


def test_all_fixed_the_closing_word_and_the_grades(few):
    for name in FEW:
        solve(few, name)
    count = sum(find(name).missing_package() is None for name in FEW)
    printed = practice(few)
    assert "day07 1/1 ✓ · day09 1/1 ✓ · day11 1/1 ✓" in printed and "全部改好了" in printed and printed.count("what to notice") == count
    state = (few / ".practice.json").read_bytes()
    assert "全部改好了" in practice(few)
    assert json.loads(practice(few, "--all", "--json"))["fixed"] == count
    (few / "day11/practice/way_out.py").write_text(find("day11/way_out").broken)
    data = json.loads(run("tests/practice.py", "--all", "--json", cwd=few, status=1).stdout)
    assert (data["fixed"], data["of"]) == (count - 1, count)
    assert [one["exercise"] for one in data["exercises"] if one["kind"] == "failed"] == ["day11/way_out"]
    printed = practice(few, "--all", status=1)
    assert printed.startswith("✓ day07/reap         fixed · 已改好\n") and "✗ day11/way_out      not fixed · 未改好: way out\n" in printed
    assert printed.endswith(f"{count - 1} of {count} exercises are fixed · 共 {count} 个，改好 {count - 1} 个\n")
    assert (few / ".practice.json").read_bytes() == state
    assert json.loads(practice(few, "--json", "day07/reap"))["of"] == 1


def test_a_file_that_changes_while_it_is_judged_is_judged_again(copy):
    file = copy / "day11/practice/way_out.py"
    file.write_text(find("day11/way_out").solution + f"\nwith open({str(file)!r}, 'w') as file:\n    file.write('# not fixed')\n")
    assert "✓ day11/way_out" in practice(copy, "day11/way_out")
    assert "day11 0/5" in practice(copy)


def test_what_the_program_that_starts_it_has_closed_or_ignored(copy):
    solve(copy, "day07/reap")
    start = """import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.closerange(int(sys.argv[1]), int(sys.argv[2]))
os.close(2)
os.execv(sys.executable, [sys.executable, "tests/practice.py", "day07/reap"])
"""
    assert "✓ day07/reap" in run(sys.executable, "-c", start, "0", "1", cwd=copy).stdout
    assert not run(sys.executable, "-c", start, "0", "2", cwd=copy).stdout
    (copy / "day07/practice/reap.py").write_text("raise ValueError('\\udce9')\n")
    assert "not fixed" in run("tests/practice.py", cwd=copy, env={"PYTHONIOENCODING": "latin-1"}).stdout


@pytest.mark.parametrize("damaged", ["[1]", '{"fixed": {}, "hints": {"day07/reap": Infinity}}'])
def test_a_damaged_state_a_folder_that_cannot_be_written_and_a_wrong_name(copy, damaged):
    (copy / ".practice.json").write_text(damaged)
    practice(copy, "day11/way_out", stderr="practice.py: .practice.json cannot be read, so your progress starts again from zero .*\n")
    assert json.loads((copy / ".practice.json").read_text())["hints"] == {"day11/way_out": 1}
    failed = run("tests/practice.py", "day10/transfre", cwd=copy, status=2, stderr="(?s).*there is no exercise day10/transfre; did you mean day10/transfer.*")
    assert not failed.stdout
    if os.geteuid():
        copy.chmod(0o500)
        practice(copy, "day11/way_out", stderr="practice.py: cannot write .practice.json: .*\n")
        copy.chmod(0o700)


# With these limits, the judge waits until the test has done what it wants to do meanwhile.
PATIENT = """import runpy, sys
sys.path.insert(0, "tests")
import judge.processes, judge.subject
judge.processes.GRACE = judge.subject.BUSY = 60
runpy.run_path("tests/practice.py", run_name="__main__")
"""


@pytest.mark.parametrize("signum, status", [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_ctrl_c_leaves_nothing(copy, signum, status):
    started = copy / "started"
    # The last process seems to be a resource tracker, so the judge gives it time to end; the second signal comes meanwhile.
    (copy / "day11/practice/way_out.py").write_text(
        NAMED_LOCK + "import os, subprocess, sys\nsubprocess.Popen(['sleep', '99'], start_new_session=True)\n"
        "last = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)', 'resource_tracker'])\n"
        f"os.symlink(f'{{last.pid}}{{name}}', {str(started)!r})\nwhile True:\n    pass\n")
    with Program(sys.executable, "-c", PATIENT, "day11/way_out", cwd=copy) as program:
        wait_until(started.is_symlink, lambda: "it does not begin")
        last, name = started.readlink().parts
        # A process that has only just begun has no command line yet.
        wait_until(lambda: "resource_tracker" in processes.command_of(last), lambda: "it has no command line")
        assert f"sem.{name}" in shared_memory()
        os.kill(program.pid, signum)
        wait_until(lambda: processes.stat_of(f"/proc/{last}")[1] == program.pid, lambda: "it is not adopted")
        os.kill(program.pid, signum)
        os.kill(int(last), signal.SIGKILL)
        program.finish(status=status)
    assert f"sem.{name}" not in shared_memory()
    assert not program.stdout and not (copy / ".practice.json").exists()


def test_without_fork_it_says_what_it_needs(copy):
    run(sys.executable, "-c", "import os, sys, runpy; del os.fork; sys.path[0] = 'tests'; sys.argv = ['practice.py']\n"
        "runpy.run_path('tests/practice.py', run_name='__main__')", cwd=copy, status=2, stderr="practice.py needs os.fork[^\n]*\n")


def test_without_gevent_its_exercises_are_left_out_by_name(copy):
    (copy / "tests/gevent.py").write_text("")
    (copy / "tests/sitecustomize.py").write_text("import importlib.util\nreal = importlib.util.find_spec\n"
                                                 "importlib.util.find_spec = lambda name, *more: None if name == 'gevent' else real(name, *more)\n")
    environment = {"PYTHONPATH": str(copy / "tests")}
    assert "day12/gevent_call" in practice(copy, env=environment)
    data = json.loads(run("tests/practice.py", "day12/monkey_late", "--json", cwd=copy, env=environment).stdout)
    assert data["of"] == 0 and data["exercises"][0]["kind"] == "left out"
