"""The course as a whole: every script has a test, keeps the conventions, and prints what its docstring shows."""
import ast
import multiprocessing
import re
import signal
import sys
from pathlib import Path

import course
import harness
import pytest
import readme
from harness import ROOT, Program, run

SCRIPTS = course.find_scripts()
CJK = re.compile(r"[\u4e00-\u9fff]")
# Beyond the standard library.
PACKAGES = {"gevent", "greenlet"}
# They do what they can without: they leave out a part, by name.
RUNS_WITHOUT = {
    "gevent": {"day12/server_race.py"}, "os.fork": {"day12/http_server.py"}, "/proc": {"day11/ftp/ftp_server.py", "day12/server_race.py"},
    # They need epoll, and say so first: no system has that without these.
    "select.poll": {"day12/http_server.py", "day12/classroom.py", "day12/server_race.py"},
    "os.sched_setaffinity": {"day07/process_states.py", "day12/server_race.py"}}
TOP_LEVEL = {"day07", "day08", "day09", "day10", "day11", "day12", "tests", "README.md", "requirements.txt", "Makefile"}


def test_top_level():
    assert {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} == TOP_LEVEL


def test_every_script_has_a_named_test_and_every_named_test_a_script():
    """day07/fork.py belongs to test_fork... in test_day07.py. A system's tests stand by room: test_chat_server... of
    day07/chat/chat_server.py may be in test_chat.py or in any test_chat_*.py, beside tests with other names."""
    for folder in {Path(script).parent for script in SCRIPTS}:
        stems = [Path(script).stem for script in SCRIPTS if Path(script).parent == folder]
        [*files] = (ROOT / "tests").glob(f"test_{folder.name}_*.py")
        own = ROOT / "tests" / f"test_{folder.name}.py"
        names = [name for file in [*files, *filter(Path.exists, [own])] for name in names_of_tests(file)]
        for stem in stems:
            assert any(belongs(name, stem) for name in names), f"{folder / stem}.py has no test"
        if len(folder.parts) == 1:
            for name in names_of_tests(own):
                assert any(belongs(name, stem) for stem in stems), f"test_{name}: {folder} has no such script"


def names_of_tests(file):
    """The names of its tests, without test_."""
    return [node.name.removeprefix("test_") for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def belongs(test, stem):
    return test == stem or test.startswith(f"{stem}_")


def test_readme_lists_every_script_once():
    assert sorted(script.path for script in course.scripts_in_order()) == SCRIPTS


def test_readme_and_page_say_of_each_script_what_its_docstring_says():
    """If not: make readme."""
    assert not readme.stale_lists()


# What a script needs, and how to take it away from a Python.
NEEDS = {"os.fork": r"\bos\.fork\(", "select.epoll": r"\bselect\.epoll\(", "gevent": "^ *import gevent|^from gevent",
         "greenlet": "^ *import greenlet|^from greenlet", "/proc": "[\"']/proc/", "select.poll": r"\bselect\.poll\(",
         "os.sched_setaffinity": r"\bos\.sched_setaffinity\("}
WITHOUT = {"os.fork": "import os; del os.fork", "gevent": "import sys; sys.modules['gevent'] = None",
           "greenlet": "import sys; sys.modules['greenlet'] = None",
           "/proc": "import os\nexists = os.path.exists\nos.path.exists = lambda path: not str(path).startswith('/proc') and exists(path)",
           "select.poll": "import select; del select.poll", "os.sched_setaffinity": "import os; del os.sched_setaffinity",
           "select.epoll": "import select\nfor name in list(vars(select)):\n    if name.lower().startswith('epoll'): delattr(select, name)"}


@pytest.mark.parametrize("path, need", [
    (path, need) for path in SCRIPTS for need, pattern in NEEDS.items()
    if re.search(pattern, "".join(file.read_text(encoding="utf-8") for file in [ROOT / path, *course.rooms_of(path)]), re.MULTILINE)])
def test_a_script_says_in_one_line_what_it_needs(path, need, tmp_path):
    """Windows and macOS lack some things, and a student may not have installed the packages."""
    if path in RUNS_WITHOUT.get(need, ()):
        return
    (tmp_path / "sitecustomize.py").write_text(WITHOUT[need])
    program = run(path, status=2, stderr="[^\n]+\n", env={"PYTHONPATH": str(tmp_path)})
    assert not program.stdout and need.rpartition(".")[2] in program.stderr


@pytest.mark.parametrize("path", SCRIPTS)
def test_conventions(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 10))
    script = course.describe(path)

    assert script.title.isascii() and script.title.endswith((".", "?")), "line 1 of the docstring says what it shows"
    assert CJK.search(script.title_zh) and script.title_zh.endswith(("。", "？")), "line 2 says it in Chinese"
    third = (ast.get_docstring(tree) + "\n\n").splitlines()[2]
    assert third == course.BEYOND_THE_NOTES or third.startswith(course.NOTES) and script.heading, "line 3 is the heading of the notes"
    assert script.commands, "Run: gives the command"
    assert f"python {path}" in " ".join(script.commands)

    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert "main" in functions
    assert ast.unparse(tree.body[-1]) == "if __name__ == '__main__':\n    main()"
    for node in tree.body[:-1]:                    # importing it does nothing
        if path == "day09/array.py" and ast.unparse(node).startswith("if __name__ == 'array'"):
            continue                               # but this one, which must make room for the standard module
        assert not isinstance(node, (ast.For, ast.While, ast.With, ast.If)), f"line {node.lineno} runs at import"

    allowed = sys.stdlib_module_names | PACKAGES | course.packages_beside(path)
    for module in imported(tree):
        assert module.partition(".")[0] in allowed, f"{path} is not standalone"
    assert width(source) <= 100, "it is read on a projector"
    assert re.search(rf"#.*{CJK.pattern}", source), "the key comments are in Chinese too"
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            assert node.msg, f"line {node.lineno}: an assertion says what was expected and what came"
        if isinstance(node, ast.Expr):
            assert not isinstance(node.value, ast.IfExp), f"line {node.lineno}: a statement that is a conditional expression"
    assert not re.search(r"signal\.(alarm|setitimer)|PATIENCE", source), "limits are arguments of the waits; see faulthandler"


def imported(tree):
    """The names of the modules that a program imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.names[0].name != "*"
            assert node.level == 0
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", course.find_rooms())
def test_rooms(path):
    """A room says in its first line what its one job is, and imports only the standard library and rooms below it."""
    source = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 10))
    first, _, rest = (ast.get_docstring(tree) or "").partition("\n")
    assert first.isascii() and first.endswith("."), "line 1 of the docstring says what its job is"
    assert re.search(r"[\u4e00-\u9fff]", rest.partition("\n")[0]), "line 2 says it in Chinese"
    assert width(source) <= 100
    package = Path(path).parent.name
    for module in imported(tree):
        assert module.partition(".")[0] in sys.stdlib_module_names | {package}, f"{path} imports {module}"


@pytest.mark.parametrize("package", sorted({str(Path(path).parent) for path in course.find_rooms()}))
def test_rooms_import_one_way(package):
    """Taking away, again and again, the rooms that import none of those that are left takes away all: there is no circle."""
    rooms = {file.stem: {module.partition(".")[2] for module in imported(ast.parse(file.read_text(encoding="utf-8")))
                         if module.partition(".")[0] == Path(package).name}
             for file in (ROOT / package).glob("*.py")}
    while leaves := [room for room, below in rooms.items() if not below & rooms.keys()]:
        for room in leaves:
            del rooms[room]
    assert not rooms, f"these import each other in a circle: {rooms}"


@pytest.mark.parametrize("path", course.python_files())
def test_sizes(path):
    """A file, class or function that is not larger than this can be read at one sitting."""
    source = (ROOT / path).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            assert lines_of(node) <= 250, f"class {node.name} has {lines_of(node)} lines"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert lines_of(node) <= 45, f"{node.name} has {lines_of(node)} lines"
            assert nesting(node) <= 5, f"{node.name} is nested {nesting(node)} deep"


def lines_of(node):
    return node.end_lineno - min([node.lineno, *(one.lineno for one in node.decorator_list)]) + 1


def nesting(node, depth=0):
    """How deep the blocks of a function are nested. An elif is no deeper than its if; a function inside is a new beginning."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        is_block = isinstance(child, (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match))
        deepest = max(deepest, nesting(child, depth + (is_block and not is_elif)))
    return deepest


@pytest.mark.parametrize("source, depth", [
    ("def f():\n  pass", 0),
    ("def f():\n  if a:\n    for b in c:\n      pass", 2),
    ("def f():\n  if a:\n    pass\n  elif b:\n    pass\n  elif c:\n    pass", 1),
    ("def f():\n  if a:\n    pass\n  else:\n    if b:\n      pass\n    d()", 2),
    ("def f():\n  try:\n    pass\n  except A:\n    with b:\n      pass", 2),
])
def test_nesting(source, depth):
    assert nesting(ast.parse(source).body[0]) == depth


def width(text):
    """The widest line, in columns of a terminal, where a Chinese character takes two."""
    return max((course.columns(line) for line in text.splitlines()), default=0)


@pytest.mark.parametrize("path", [path for path in SCRIPTS if course.describe(path).output])
def test_output(path):
    """A demo prints what its docstring shows, whatever the folder it is started in."""
    script = course.describe(path)
    printed = course.output_of(path).splitlines()
    assert width("\n".join(script.output).replace("<pid>", "1234567")) <= 80
    assert width("\n".join(printed)) <= 80
    assert not (difference := course.compare(script.output, printed, script.in_any_order)), difference


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path[:5] in ("day08", "day09", "day10")
                                  and path != "day08/start_methods.py" and course.orphans(path) == course.HELPERS])
def test_output_with_every_start_method(path):
    """test_output has run it with the default of this Python; these are the others, at the same time."""
    script = course.describe(path)
    methods = set(multiprocessing.get_all_start_methods()) - {multiprocessing.get_start_method()}
    programs = [Program("tests/start_with.py", method, ROOT / path, stdin="") for method in methods]
    for program in programs:
        printed = program.finish(orphans=course.HELPERS).stdout.splitlines()
        difference = course.compare(script.output, printed, script.in_any_order)
        assert not difference, f"{program}: {difference}"


def test_demos_that_are_killed_half_way_leave_nothing_running():
    killed, made = [], set()
    holders = [Program("tests/killed_with_lock.py", ROOT / path, stdin="") for path in SCRIPTS if shares_locks(path)]
    # A Pool that is being ended holds the lock with which its workers read. If its process is killed then, one of them can wait
    # for ever. So the programs with a Pool are killed only as one of the holders.
    paths = [path for path in SCRIPTS if course.describe(path).output and "Pool(" not in (ROOT / path).read_text(encoding="utf-8")]
    programs, running = [], set()
    while running or len(programs) < len(paths):
        if len(programs) < len(paths):
            programs.append(Program(paths[len(programs)]))
            running.add(programs[-1])
        parents = set(harness.parents().values())
        for program in list(running):
            # Half way: when it has a child, or at its end if it has none.
            if program.pid in parents or harness.state_of(program.pid) == "Z":
                program.signal(signal.SIGSTOP)
                harness.wait_until(lambda: harness.state_of(program.pid) in "TZ", lambda: f"{program} does not stop")
                made |= harness.in_use(harness.shared_memory(), program.pid)
                program.signal(signal.SIGKILL)
                program.wait()
                running.remove(program)
                if program.status == -signal.SIGKILL:      # some are too quick for us
                    killed.append(program)
                remove_unused(made)
    assert -signal.SIGKILL in [program.wait() for program in holders]
    left = [pid for pid in harness.adopted_by_us() if not harness.reap(pid, harness.TIMEOUT)]
    assert not left, list(map(harness.describe, left))
    assert killed
    for program in programs + holders:
        program.destroy()
    remove_unused(made)


def shares_locks(path):
    """Return whether a script uses a lock of multiprocessing, on its own or inside a Queue, a Pool ..."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return "multiprocessing" in text and re.search(r"\b(Event|Condition|Lock|Semaphore|Barrier|Queue|Value|Array|Pool)\(", text)


def remove_unused(semaphores):
    """Remove the names of semaphores that no process has mapped.

    A semaphore whose maker was killed before it was registered would stay for ever, and tests of other shares would see it.
    """
    for name in semaphores - harness.in_use(semaphores):
        (harness.SHARED_MEMORY / name).unlink(missing_ok=True)


def test_readme_transcripts_are_found():
    assert len(course.transcripts()) >= 12 and len([one for one in course.transcripts() if "skip" in one.markers]) < 3


@pytest.mark.parametrize("transcript", course.transcripts(), ids=lambda one: f"{one.page}:{one.line}")
def test_readme_transcript(transcript):
    """What a README shows is what its command prints, and its docstring has: masked, with numbers for placeholders and nothing else."""
    markers = transcript.markers.split()
    if "skip" in markers:
        assert re.fullmatch(r"skip \(.+\)", transcript.markers)
        return
    assert set(markers) <= {"masked", "unordered"}
    python, path = transcript.command.split()
    assert python == "python"
    printed = course.output_of(path).splitlines()
    difference = course.compare(transcript.output, printed, "unordered" in markers, "masked" in markers)
    assert not difference, difference
    difference = course.compare(course.describe(path).output, transcript.output, "unordered" in markers)
    assert not difference, f"{path} shows it otherwise: {difference}"
    assert "masked" in markers or course.describe(path).output == transcript.output, f"{path} has a placeholder for what is always the same"


@pytest.mark.parametrize("page", ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("day*/README.md"))])
def test_readme_links(page):
    for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / page).parent.joinpath(link).exists(), link


@pytest.mark.parametrize("template, printed, same", [
    (["PID <pid>"], ["PID 12"], True),
    (["PID <pid>"], ["PID x"], False),
    (["a (<name>)"], ["a (bash)"], True),
    (["<ms> ms"], ["0.5 ms"], True),
    (["a"], ["a", "b"], False),
    (["a", "b"], ["a"], False),
    (["a", "b"], ["b", "a"], False),
    (["a.c"], ["abc"], False),
    (["x  <pid>  y"], ["x  1234567 y"], True),
    (["x y"], ["x  y"], False),
])
def test_compare(template, printed, same):
    assert (course.compare(template, printed) is None) == same


@pytest.mark.parametrize("template, printed, same", [
    (["a", "b"], ["b", "a"], True),
    (["a <n>", "b"], ["b", "a 1"], True),
    (["a", "b"], ["b", "b"], False),
    (["a", "b"], ["b", "a", "a"], False),
])
def test_compare_in_any_order(template, printed, same):
    assert (course.compare(template, printed, in_any_order=True) is None) == same


def test_compare_masked():
    assert course.compare(["took 1.5 s (2)"], ["took 20 s (3.25)"], masked=True) is None
    assert course.compare(["took 1.5 s"], ["took x s"], masked=True)
    assert course.compare(["took 1.5 s"], ["took 20 s"])


def test_describe(tmp_path):
    path = tmp_path / "x.py"
    path.write_text('"""Shows x.\n演示。\n讲义: 标题\n\nRun:    python day07/x.py\n        python day07/y.py 1      in another terminal\n'
                    '\nOutput (in any order):\n    a\n\n      b <pid>\n\nMore.\n"""\n')
    assert course.describe(path) == course.Script(
        path, "Shows x.", "演示。", "标题", ("python day07/x.py", "python day07/y.py 1"), ("a", "", "  b <pid>"), True)
