"""Tests of the classroom over HTTP: which requests it accepts, what it runs and shows, and that a run leaves nothing behind."""
import contextlib
import errno
import json
import os
import re
import select
import shutil
import signal
import socket
import sys
import textwrap
import time
from types import SimpleNamespace

import course
import harness
import pytest
from classroom_client import Page, text_of
from harness import ROOT, Program, run, serve

CLASSROOM = "day12/classroom.py"
# Descriptors of a classroom without a run: 0 to 2, the listener, epoll, and the pair of the self-pipe.
OPEN = 7
# Scripts for a small course of the tests' own: such as a student might make of the course's scripts.
SCRIPTS = {
    "quick": "print('done')",
    "forever": """
        n = 0
        while True:
            n += 1
            print("line", n)
        """,
    # Only SIGKILL ends these three processes: the script, a child, and an orphan in a session of its own.
    "stubborn": """
        import os, signal, time
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        middle = os.fork()
        if middle:
            os.waitpid(middle, 0)
            os.fork()
        else:
            middle = os.getpid()
            if os.fork():
                os._exit(0)
            os.setsid()
            while os.getppid() == middle:
                os.sched_yield()
        print("ready", flush=True)
        while True:
            time.sleep(60)
        """,
    "patient": """
        import time
        print("ready")
        time.sleep(600)
        """,
    "writers": """
        import os, sys
        for letter in "ab":
            if os.fork() == 0:
                for n in range(300):
                    print(letter * 50, n)
                os._exit(0)
        os.wait(), os.wait()
        print("é" * 40000)
        print("to stderr", file=sys.stderr)
        """,
    "zombie": """
        import os, time
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        print("there is a zombie")
        time.sleep(600)
        """,
    "pipes": """
        import os, threading
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(writer)
            print("child waits")
            os.read(reader, 1)
            os._exit(0)
        os.close(reader)
        event = threading.Event()
        threading.Thread(target=event.wait, daemon=True).start()
        print("parent waits")
        os.wait()
        """,
    "broken": "print('a'\n",
    "server_race": """
        import json, sys
        assert sys.argv[1:3] == ["--quick", "--json"], sys.argv
        with open(sys.argv[3], "w") as file:
            json.dump({"medians": {"fresh": {}}}, file)
        """,
}


@pytest.fixture(scope="module")
def classroom():
    """A classroom for the real course, which several tests share. Runs that a test leaves end with the classroom."""
    with serve(CLASSROOM) as server:
        yield server


@contextlib.contextmanager
def visit(server):
    """Yield a page of a shared classroom; at the end, the page says goodbye, which ends its runs."""
    page = Page(server, name=str(time.monotonic_ns()))
    yield page
    page.post("/api/bye", token=page.token, page=page.name)


@pytest.fixture
def page(classroom):
    """A page of the shared classroom. The runs that it starts end with the test."""
    with visit(classroom) as page:
        yield page
    page.until(lambda: all(one["state"] != "running" for one in page.get("/api/runs")["runs"]))


def write_course(tmp_path, before=""):
    """Write a small course that consists of SCRIPTS; return the path of a script that starts a classroom for it.

    before: code that the script runs before it starts the classroom.
    """
    for name, text in SCRIPTS.items():
        path = tmp_path / ("day12" if name == "server_race" else "day07") / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        text = textwrap.dedent(text)
        path.write_text(f'"""Shows {name}.\n演示。\n讲义之外\n"""\n{text}' if name != "broken" else text)
    (tmp_path / "day10").mkdir()
    (tmp_path / "README.md").write_text("".join(
        f"| [{path.name}]({path.relative_to(tmp_path)}) | x |\n" for path in sorted(tmp_path.glob("day*/*.py"))))
    starter = tmp_path / "start.py"
    starter.write_text(f"import functools, sys\nsys.path.insert(0, {str(ROOT / 'day12')!r})\nimport classroom\n"
                       f"classroom.Classroom = functools.partial(classroom.Classroom, top={str(tmp_path)!r})\n"
                       f"{before}\nclassroom.main()\n")
    return starter


@contextlib.contextmanager
def own(tmp_path, before=""):
    """Start a classroom for the small course, and yield a page of it. before: as for write_course."""
    with serve(write_course(tmp_path, before)) as server:
        yield Page(server)


@pytest.fixture(scope="module")
def of_ours(tmp_path_factory):
    """A classroom for the small course, which several tests share."""
    with serve(write_course(tmp_path_factory.mktemp("course"))) as server:
        yield server


@pytest.fixture
def our_page(of_ours):
    """A page of the classroom for the small course. After the test its runs end, and the classroom is as it was before."""
    with visit(of_ours) as page:
        yield page
    page.until(lambda: len(of_ours.descriptors()) == OPEN and of_ours.threads() == 1 and not of_ours.children())


# Which requests are accepted

GOOD = {"Host": "<host>", "Origin": "http://<host>", "X-Token": "<token>"}


@pytest.mark.parametrize("method, path, change, reason", [
    ("GET", "/", {"Host": "evil.example"}, "Host header must be an address of this machine"),
    ("GET", "/", {"Host": "127.0.0.1.evil.example"}, "Host header must be an address of this machine"),
    ("GET", "/api/course", {"Host": "evil.example:<port>"}, "Host header must be an address of this machine"),
    ("GET", "/api/runs", {"Host": "0.0.0.0:<port>"}, "Host header must be an address of this machine"),
    ("GET", "/no/such/file", {"Host": "192.168.1.2"}, "Host header must be an address of this machine"),
    ("POST", "/api/runs", {"Host": "evil.example", "Origin": "http://evil.example"}, "Host header must be an address of this machine"),
    ("POST", "/api/runs", {"Origin": None}, "Origin header must be"),
    ("POST", "/api/runs", {"Origin": "null"}, "Origin header must be"),
    ("POST", "/api/runs", {"Origin": "http://evil.example"}, "Origin header must be"),
    ("POST", "/api/runs", {"Origin": "https://<host>"}, "Origin header must be"),
    ("POST", "/api/runs", {"Origin": "http://<host>0"}, "Origin header must be"),
    ("POST", "/api/runs", {"Origin": "http://127.0.0.1:1"}, "Origin header must be"),
    ("POST", "/api/runs", {"X-Token": None}, "The token is missing or wrong"),
    ("POST", "/api/runs", {"X-Token": ""}, "The token is missing or wrong"),
    ("POST", "/api/runs", {"X-Token": "x<token>"}, "The token is missing or wrong"),
    ("POST", "/api/runs", {"X-Token": "é"}, "The token is missing or wrong"),
    ("PUT", "/api/runs", {"X-Token": None}, "The token is missing or wrong"),
    ("GET", "/api/interleavings?program=add", {"X-Token": None}, "The token is missing or wrong"),      # starts a program
    ("GET", "/api/interleavings?program=add", {"X-Token": "x"}, "The token is missing or wrong"),
    ("DELETE", "/api/runs/1", {"Origin": None}, "Origin header must be"),
    ("POST", "/api/bye", {"X-Token": None}, "The token is missing or wrong"),      # this request must have its token in the body
    ("POST", "/api/bye", {"Origin": "http://evil.example"}, "Origin header must be"),
])
def test_what_is_not_from_its_page_is_refused(page, method, path, change, reason):
    fields = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    for mark, text in (("<host>", page.host), ("<token>", page.token), ("<port>", str(page.server.port))):
        fields = {name: value.replace(mark, text) for name, value in fields.items()}
    body = {"script": "day07/fork.py"} if method == "POST" else None
    before = page.get("/api/runs")["runs"]
    status, answer = page.ask(method, path, body, fields)
    assert status == 403 and reason in answer["error"]["en"] and answer["error"]["zh"]
    assert page.get("/api/runs")["runs"] == before


@pytest.mark.parametrize("token", [None, 1, "", "\ud800", "é"])
def test_a_goodbye_with_a_wrong_token_is_refused(page, token):
    fields = {"Origin": f"http://{page.host}"}
    status, answer = page.ask("POST", "/api/bye", {"token": token, "page": page.name}, fields)
    assert status == 403 and "The token is missing or wrong" in answer["error"]["en"]


def test_localhost_and_ipv6_are_this_machine(page):
    for host in ("localhost", f"localhost:{page.server.port}", "127.0.0.1", "[::1]:80"):
        assert page.ask("GET", "/api/runs", headers={"Host": host})[0] == 200
        fields = {"Host": host, "Origin": f"http://{host}", "X-Token": page.token}
        assert page.ask("POST", "/api/runs", {"script": "none"}, fields)[0] == 404


def test_of_two_requests_at_once_each_is_looked_at(page):
    """The second request must be checked too, although HTTPServer may answer equal requests of one turn from a cache."""
    # Ask for a small file, so that both answers fit into one batch.
    name = min((ROOT / "day12/classroomd/page").glob("*.*"), key=lambda path: path.stat().st_size).name.encode()
    with socket.create_connection((page.server.host, page.server.port)) as conn, conn.makefile("rb") as answers:
        conn.sendall(b"".join(b"GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n" % (name, host) for host in (page.host.encode(), b"evil.example")))
        statuses = []
        for _ in range(2):
            statuses.append(int(answers.readline().split()[1]))
            length = 0
            while line := answers.readline().strip():
                name, _, value = line.partition(b": ")
                length = int(value) if name == b"Content-Length" else length
            answers.read(length)
    assert statuses == [200, 403]


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_other_addresses_are_refused_with_the_reason(address):
    program = run(CLASSROOM, "0", "-b", address, status=2, stderr="[^\n]+\n")
    assert "the classroom starts programs" in program.stderr and not program.stdout


def test_a_port_in_use_is_one_line_and_what_to_do(page):
    program = run(CLASSROOM, page.server.port, status=2, stderr="[^\n]+\n[^\n]+\n")
    assert "Address already in use" in program.stderr and "try port 0" in program.stderr


@pytest.mark.parametrize("status, body", [
    (404, {"script": "day12/httpd/loop.py"}), (404, {"script": "../day07/fork.py"}), (404, {"script": "/bin/sh"}),
    (404, {"script": "day07/fork.py\x00"}), (404, {"script": "day07/./fork.py"}), (404, {"script": "tests/run.py"}),
    (404, {"script": "day07/practice/x.py"}), (404, {"script": "day07/fork.py", "choice": "-c"}),
    (404, {"script": "day12/epoll_server.py", "choice": "--edge"}), (404, {"script": CLASSROOM}),
    (400, {"script": ["day07/fork.py"]}), (400, {"script": None}), (400, {}), (400, {"script": "x" * 1001}),
    (400, {"script": "day07/fork.py", "page": "x" * 65}), (400, {"script": "day07/fork.py", "page": 1}),
    (404, {"script": "\ud800"}), (400, b"not JSON"), (400, b"[1]"), (400, b""), (400, b"[" * 100_000),
    (409, {"script": "day07/chat/chat_client.py"}), (409, {"script": "day10/echo_client.py", "server": 12345}),
    (400, {"script": "day10/echo_client.py", "server": "1"}), (400, {"script": "day10/echo_client.py", "server": True}),
])
def test_only_scripts_of_the_course_are_run_in_the_ways_it_knows(page, status, body):
    before = page.get("/api/runs")["runs"]
    got, answer = page.ask("POST", "/api/runs", body, {"X-Token": page.token, "Origin": f"http://{page.host}"})
    assert got == status and answer["error"]["en"] and answer["error"]["zh"]
    assert page.get("/api/runs")["runs"] == before


@pytest.mark.parametrize("path, status", [
    ("/api/source?script=../README.md", 404), ("/api/source?script=day12/httpd/loop.py", 404), ("/api/source", 404), ("/api/runs/999", 404),
    ("/api/runs/1/", 404), ("/api/none", 404), ("/api/interleavings?program=os", 404), ("/../classroom.py", 404), ("/api.py", 404),
    ("/%2e%2e/api.py", 404)])
def test_there_is_nothing_else_to_see(page, path, status):
    assert page.ask("GET", path, headers={"X-Token": page.token})[0] == status


def test_a_ninth_run_is_refused_until_one_has_ended(page):
    runs = [page.start("day12/epoll_server.py") for _ in range(8)]
    assert "stop one" in page.post("/api/runs", 429, script="day07/fork.py")["error"]["en"]
    page.post(f"{runs[0]}/stop")
    page.finish(runs[0])
    page.run("day07/fork.py")


def test_what_a_run_does_not_do_is_refused(page):
    demo = page.start("day12/epoll_server.py")
    assert "does not read from the keyboard" in page.post(f"{demo}/type", 409, text="x")["error"]["en"]
    for text in ("a\nb", "a\rb", 1, None, "x" * 1001):
        page.post(f"{demo}/type", 400, text=text)
    page.get(f"{demo}/result", 404)
    for number in ("-1", "x", "1e3", "%C2%B2", "1" * 16):
        assert page.ask("GET", f"{demo}?from={number}")[0] == 400
    ended = page.start("day07/fork.py")
    page.get(f"{ended}/clients", 409)
    page.post(f"{ended}/clients", 409, action="connect")
    page.finish(ended)
    assert page.post(f"{ended}/stop")["state"] == "ended"
    assert page.get(f"{ended}?from=1000000")["pieces"] == []


# What the classroom shows

def test_the_page_is_served(page):
    status, body = page.ask("GET", "/")
    assert status == 200 and b"<!DOCTYPE html>" in body


def test_course_and_source_say_what_the_docstrings_say(page):
    scripts = [script for day in page.get("/api/course")["days"] for script in day["scripts"]]
    assert [script["path"] for script in scripts] == [script.path for script in course.scripts_in_order()]
    for script in scripts:
        known = course.describe(script["path"])
        assert course.shows(known).replace("\\|", "|") == f"{script['title']['en']} · {script['title']['zh']}"
        assert script["notes"] == known.heading
        assert (script["kind"] == "demo") == bool(known.output)
        assert bool(script["choices"]) == (script["kind"] != "system")
        source = page.get(f"/api/source?script={script['path']}")
        assert source["source"] == (ROOT / script["path"]).read_text(encoding="utf-8")
        assert source["output"] == list(known.output) and source["in_any_order"] == known.in_any_order
        line = source["source"].splitlines()[source["first_code_line"] - 1]
        assert re.match(r"import |from |[A-Z#@t]", line), line
    titles = {day["day"]: day["title"] for day in page.get("/api/course")["days"]}
    assert titles["07"]["en"].startswith("Day 7") and titles["12"]["zh"].startswith("第 12 天")


def test_demos_say_side_by_side_what_their_docstrings_say(page):
    paths = ["day07/get_pid.py", "day07/child.py", "day07/exit.py", "day08/child_stdin.py", "day09/pipe_end.py", "day09/thread1.py"]
    for path, begun in [(path, page.start(path)) for path in paths]:
        answer, script = page.finish(begun), course.describe(path)
        difference = course.compare(script.output, text_of(answer).splitlines(), script.in_any_order)
        assert not difference and answer["status"] == 0 and not text_of(answer, "err"), f"{path}: {difference}"


def test_a_lane_is_that_of_the_process_that_wrote_it(page):
    answer = page.run("day07/get_pid.py")
    parent, child = answer["lanes"]
    assert f"my PID is {parent['pid']}" in text_of(answer, lane=0) and f"returned {child['pid']}" in text_of(answer, lane=0)
    assert f"child : my PID is {child['pid']}, my parent is {parent['pid']}" in text_of(answer, lane=1)
    assert child["name"] == {"en": "child 1", "zh": "子进程 1"}


def test_writers_at_once_are_never_mixed(our_page):
    page = our_page
    answer = page.run("day07/writers.py")
    assert len(answer["lanes"]) == 3
    for lane in (1, 2):
        letter = text_of(answer, lane=lane)[0]
        assert text_of(answer, lane=lane).splitlines() == [f"{letter * 50} {n}" for n in range(300)]
    assert text_of(answer, lane=0) == "é" * 40000 + "\n"       # characters of two bytes, in several pieces
    assert text_of(answer, "err") == "to stderr\n" and answer["status"] == 0
    answer = page.run("day07/broken.py")
    assert answer["status"] == 1 and "SyntaxError" in text_of(answer, "err")
    source = page.get("/api/source?script=day07/broken.py")
    assert source["docstring"] == [] and source["first_code_line"] == 1


def test_two_pages_see_one_run_and_the_goodbye_of_one_ends_its_own(page):
    other = Page(page.server, name="other")
    mine, theirs = page.serve("day12/epoll_server.py"), other.serve("day10/thread_server.py")
    page.until(lambda: text_of(page.get(theirs)).endswith("\n"))       # Python writes the newline separately
    assert page.get(theirs)["pieces"] == other.get(theirs)["pieces"] and other.get(mine)["port"] == page.get(mine)["port"]
    # The body and header fields that navigator.sendBeacon sends.
    body, fields = json.dumps({"token": page.token, "page": page.name}).encode(), {"Origin": f"http://{page.host}", "Content-Type": "text/plain"}
    assert page.ask("POST", "/api/bye", json.dumps({"token": "x", "page": page.name}).encode(), fields)[0] == 403
    assert page.get(mine)["state"] == "running"
    other.post("/api/bye", token=page.token, page="")
    assert page.ask("POST", "/api/bye", body, fields) == (200, {})
    assert page.finish(mine)["state"] == "stopped"
    assert other.get(theirs)["state"] == "running"
    other.post(f"{theirs}/stop")


def test_interleavings_are_tables_to_step_through(page):
    path = "/api/interleavings?program=add"
    page.until(lambda: page.ask("GET", path, headers={"X-Token": page.token})[0] == 200)
    table = page.get(path)
    assert table["schedules"] == 6 and [one["text"] for one in table["outcomes"]] == ["n = 2", "n = 1"] and table["losing"] == 1
    for outcome in table["outcomes"]:
        assert [step["thread"] for step in outcome["steps"]] == outcome["schedule"]
        assert f"n = {outcome['steps'][-1]['shared']['n']}" == outcome["text"]
        assert {step["source"] for step in outcome["steps"]} == {"n += 1"}


def test_interleavings_of_a_lesson_that_prints_or_is_gone(tmp_path):
    """A student has changed the lesson, or has deleted it."""
    program = "import sys; from classroomd import explorer; explorer.table = lambda name: print('hello') or {}; explorer.main()"
    assert run(sys.executable, "-c", program, "add", cwd=ROOT / "day12", stderr="hello\n").stdout == "{}\n"
    with own(tmp_path) as page:
        status, answer = page.ask("GET", "/api/interleavings?program=add", headers={"X-Token": page.token})
        assert status == 404 and "there is no" in answer["error"]["en"]


def test_an_exploration_whose_guardian_is_killed_has_failed(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "day12"))
    from classroomd import api, problem
    ours = api.Api(SimpleNamespace(route=lambda path, methods: lambda function: None), str(ROOT), "token", 90)
    monkeypatch.setattr(api, "EXPLORE", [sys.executable, "-c", "import time; time.sleep(600)"])
    request = SimpleNamespace(query={"program": "add"})
    assert ours.interleavings(request)[0] == 202
    [explorer] = ours.runs.known.values()
    harness.wait_until(lambda: explorer.lanes.lanes, lambda: "the guardian does not report the script")
    explorer.guardian.kill()
    explorer.thread.join()
    assert harness.reap(explorer.lanes.lanes[0]["pid"], harness.TIMEOUT)       # this test process has adopted the script
    with pytest.raises(problem.Problem) as failed:
        ours.interleavings(request)
    assert failed.value.status == 500


@pytest.mark.parametrize("text", ["'''Shows.'''\0", "x = " + "-" * 100_000 + "1"])
def test_a_script_that_cannot_be_parsed_is_listed_without_its_docstring(monkeypatch, text):
    """Otherwise, this one script would take the list of all scripts away. An editor can save a script in UTF-16, with many NULs."""
    monkeypatch.syspath_prepend(str(ROOT / "day12"))
    from classroomd.scripts import docstring
    assert docstring(text) == ([], 0)


def test_a_race_leaves_its_result(our_page):
    page = our_page
    assert page.get("/api/race") == {}
    begun = page.start("day12/server_race.py")
    page.finish(begun)
    assert page.get(f"{begun}/result") == page.get("/api/race") == {"medians": {"fresh": {}}}
    page.until(lambda: len(page.server.descriptors()) == OPEN)


# The picture

def picture(page, begun):
    return page.get(f"{begun}/system")["processes"]


def at_rest(page, begun, sockets):
    """Return the picture if the first process has this many sockets and watches them all, and all threads sleep, otherwise False.

    A picture is not of one moment: a process that slept when its state was read may have accepted a client since then.
    """
    seen = picture(page, begun)
    states = {thread["state"] for process in seen for thread in process["threads"]}
    fds = [one["fd"] for one in seen[0]["sockets"]]
    watches = [epoll["watches"] for epoll in seen[0]["epolls"]]
    return len(fds) == sockets and watches == [sorted(fds)] and states == {"S (sleeping)"} and seen


def test_fork_server_has_a_process_for_each_client(page):
    begun = page.serve("day10/fork_server.py")
    [alone] = picture(page, begun)
    assert alone["command"] == "python day10/fork_server.py 0 -v"
    clients = page.connect(begun, 2)

    def has_forked():
        """Return the picture if there are two children, and the parent has closed its copies of their connections."""
        seen = picture(page, begun)
        return len(seen) == 3 and len(seen[0]["sockets"]) == 1 and seen

    parent, *children = page.until(has_forked)
    assert parent["pid"] == alone["pid"] and len(parent["threads"]) == 1
    assert [child["parent"] for child in children] == [parent["pid"]] * 2
    page.until(lambda: [[one["client"] for one in child["sockets"]] for child in picture(page, begun)[1:]] == [[one] for one in clients])
    page.until(lambda: {child["state"] for child in picture(page, begun)} == {"S (sleeping)"})
    page.say(begun, "all", "leave")
    page.until(lambda: len(picture(page, begun)) == 1)


def test_thread_server_has_a_thread_for_each_client(page):
    begun = page.serve("day10/thread_server.py")
    assert len(picture(page, begun)[0]["threads"]) == 1
    page.connect(begun, 2)
    [process] = page.until(lambda: len(picture(page, begun)[0]["threads"]) == 3 and picture(page, begun))
    assert process["threads"][0]["tid"] == process["pid"]
    page.until(lambda: [one["kind"] for one in picture(page, begun)[0]["sockets"]] == ["listen", "tcp", "tcp"])


def test_epoll_server_has_a_socket_for_each_client_and_nothing_else(page):
    begun = page.serve("day12/epoll_server.py")
    [before] = page.until(lambda: at_rest(page, begun, sockets=1))
    clients = page.connect(begun, 2)
    [after] = page.until(lambda: at_rest(page, begun, sockets=3))
    assert [one["client"] for one in after["sockets"]] == [None, *clients]
    assert {one["tcp_state"] for one in after["sockets"]} == {"LISTEN", "ESTABLISHED"}
    same = ("pid", "threads", "pipes", "files", "lane")
    assert [after[what] for what in same] == [before[what] for what in same]


def test_the_main_thread_is_shown_first_also_when_the_kernel_starts_again_with_small_numbers():
    assert run(sys.executable, "-c", """if True:
        from types import SimpleNamespace as Object
        from classroomd import system
        from classroomd.processes import Stat
        born = {"311": 7, "90": 6, "32749": 5, "32750": 5}
        system.os = Object(listdir=lambda path: list(born))
        system.read_stat = lambda path: Stat(int(path.rpartition("/")[2]), "python", "S", 1, born[path.rpartition("/")[2]])
        print([thread["tid"] for thread in system.threads(32750)])
        """, cwd=ROOT / "day12").stdout == "[32750, 32749, 90, 311]\n"


def test_zombies_pipes_and_threads_are_seen_and_the_guardian_is_not(our_page):
    page = our_page
    begun = page.start("day07/zombie.py")
    page.until(lambda: "zombie" in text_of(page.get(begun)))
    parent, child = picture(page, begun)
    assert child["state"] == "Z (zombie)" and child["parent"] == parent["pid"] and parent["parent"] is None
    assert parent["command"].startswith("python /")
    begun = page.start("day07/pipes.py")
    page.until(lambda: len(page.get(begun)["lanes"]) == 2)
    page.until(lambda: len(picture(page, begun)[0]["threads"]) == 2)
    parent, child = picture(page, begun)
    assert (parent["lane"], child["lane"]) == (0, 1)
    assert [one["end"] for one in parent["pipes"] + child["pipes"]] == ["write", "read"]
    assert parent["pipes"][0]["inode"] == child["pipes"][0]["inode"]
    assert not parent["sockets"] and not parent["files"]       # descriptors 0 to 2, which lead to the classroom, are left out


# The clients that the class connects to a server

def transcript(page, begun, number):
    [client] = [one for one in page.get(f"{begun}/clients")["clients"] if one["client"] == number]
    return client


def test_clients_say_half_and_the_rest_and_leave(page):
    begun = page.serve("day12/epoll_server.py", "edge")
    one, two = page.connect(begun, 2)
    page.say(begun, one, "say", "你好")
    client = page.until(lambda: (it := transcript(page, begun, one))["echo_ms"] is not None and it)
    assert [line["text"] for line in client["transcript"][-2:]] == ["你好", "你好"] and client["transcript"][-1]["who"] == "server"
    assert 0 <= client["echo_ms"] < 5000 and client["state"] == "open" and client["pending"] == ""
    page.say(begun, two, "half", "abcdefg")
    page.until(lambda: transcript(page, begun, two)["transcript"][-1]["text"] == "abcd")
    page.say(begun, two, "rest")
    page.until(lambda: transcript(page, begun, two)["transcript"][-1]["text"] == "efg")
    page.say(begun, two, "silent")
    page.say(begun, two, "end")
    page.until(lambda: transcript(page, begun, two)["state"] == "ended")
    page.say(begun, one, "reset")
    assert transcript(page, begun, one)["state"] == "reset"
    page.post(f"{begun}/clients", 409, client=one, action="say", text="x")
    page.until(lambda: len(picture(page, begun)[0]["sockets"]) == 1)


def test_a_client_that_does_not_read_is_held_back(page):
    begun = page.serve("day10/thread_server.py")
    [number] = page.connect(begun)
    page.say(begun, number, "stop reading")
    page.say(begun, number, "flood")
    seen = []

    def is_stuck():
        seen.append(transcript(page, begun, number)["unsent"])
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    page.until(is_stuck)
    assert seen[-1] > 0, "the kernel's buffers hold the entire flood: make it larger"
    [other] = page.connect(begun)
    page.say(begun, other, "say")
    page.until(lambda: transcript(page, begun, other)["echo_ms"] is not None)
    page.say(begun, number, "read on")
    client = page.until(lambda: (it := transcript(page, begun, number))["state"] == "open" and it)
    assert client["unsent"] == 0 and client["echo_ms"] > 100


def test_iterative_server_lets_the_second_client_wait(page):
    begun = page.serve("day10/iterative_server.py")
    one, two = page.connect(begun, 2)
    page.say(begun, "all", "say")
    page.until(lambda: transcript(page, begun, one)["echo_ms"] is not None)
    assert (transcript(page, begun, two)["state"], transcript(page, begun, two)["pending"]) == ("waiting", "hello")
    page.say(begun, one, "leave")
    assert page.until(lambda: transcript(page, begun, two)["echo_ms"]) > 0


def test_clients_are_twenty_at_most_and_end_with_their_server(page):
    begun = page.serve("day12/epoll_server.py")
    page.connect(begun, 10), page.connect(begun, 10)
    page.post(f"{begun}/clients", 429, action="connect")
    page.post(f"{begun}/clients", 400, action="connect", count=11)
    page.post(f"{begun}/clients", 404, client=99, action="say")
    page.post(f"{begun}/clients", 400, client=1, action="exec")
    page.post(f"{begun}/clients", 400, client=None, action="say")
    page.say(begun, 3, "leave")
    page.connect(begun)
    page.post(f"{begun}/stop")
    page.finish(begun)
    assert {client["state"] for client in page.get(f"{begun}/clients")["clients"]} == {"ended", "left"}


def test_http_and_ftp_servers_answer_clients(page):
    for script, text, wanted in (("day12/http_server.py", "GET /api/status", "HTTP/1.1 200 OK"), ("day11/ftp/ftp_server.py", "USER anonymous", "331 ")):
        begun = page.serve(script)
        [number] = page.connect(begun)
        page.say(begun, number, "say", text)
        page.until(lambda: any(wanted in line["text"] for line in transcript(page, begun, number)["transcript"]))


def test_members_of_the_chat_and_the_administrator_are_typed_from_the_page(page):
    server = page.serve("day07/chat/chat_server.py")
    number = int(server.rpartition("/")[2])
    members = [page.start("day07/chat/chat_client.py", server=number, name=name) for name in ("小明", "Tom")]
    page.until(lambda: all("You are in the room" in text_of(page.get(member)) for member in members))
    page.post(f"{members[0]}/type", text="大家好")
    page.post(f"{server}/type", text="下课")
    page.until(lambda: {"小明：大家好", "管理员消息：下课"} <= {*text_of(page.get(members[1])).splitlines()})
    page.post(f"{members[1]}/type", text="quit")
    assert page.finish(members[1])["status"] == 0
    page.post(f"{members[1]}/type", 409, text="x")
    page.post("/api/runs", 400, script="day07/chat/chat_client.py", server=number, name="a b")
    page.post("/api/runs", 400, script="day07/chat/chat_client.py", server=number, name="--help")
    page.post("/api/runs", 409, script="day10/echo_client.py", server=number)


def test_the_ftp_client_writes_into_a_folder_that_goes_with_it(page):
    number = int(page.serve("day11/ftp/ftp_server.py").rpartition("/")[2])
    client = page.start("day11/ftp/ftp_client.py", server=number)
    page.post(f"{client}/type", text="get welcome.txt")
    page.until(lambda: "got welcome.txt" in text_of(page.get(client)))
    pid = picture(page, client)[0]["pid"]
    folder = os.readlink(f"/proc/{pid}/cwd")
    assert os.listdir(folder) == ["welcome.txt"]
    page.post(f"{client}/type", text="quit")
    page.finish(client)
    assert not os.path.exists(folder)


@pytest.mark.parametrize("action, ending", [("reset", ConnectionResetError), ("leave", b""), ("end", b"")])
def test_how_a_client_goes_is_what_its_server_sees(monkeypatch, action, ending):
    monkeypatch.syspath_prepend(str(ROOT / "day12"))
    from classroomd.clients import Client
    with socket.create_server(("127.0.0.1", 0)) as listener, select.epoll() as epoll:
        client = Client(1, listener.getsockname(), "echo", epoll)
        conn, _ = listener.accept()
        with conn:
            client.do(action, "")
            select.select([conn], [], [], harness.TIMEOUT)
            if ending == b"":
                assert conn.recv(10) == ending
            else:
                with pytest.raises(ending):
                    conn.recv(10)
        client.close("left")


# A run leaves no process, thread or descriptor behind

def is_open(page):
    with socket.socket() as probe:
        return probe.connect_ex((page.server.host, page.server.port)) == 0


def test_a_script_that_prints_without_end_is_bounded_and_delays_no_other(our_page):
    page = our_page
    begun = page.start("day07/forever.py")
    page.until(lambda: page.get(begun)["dropped"] > 5000)
    answer = page.get(begun)
    assert 1000 < text_of(answer).count("\n") <= 2000 and answer["missed"] and answer["pieces"][0]["n"] > 0
    later = page.get(f"{begun}?from={answer['next']}")
    numbers = [piece["n"] for piece in later["pieces"]]
    assert numbers == list(range(numbers[0], later["next"])) if numbers else later["next"] == answer["next"]
    began = time.monotonic()
    assert text_of(page.run("day07/quick.py")) == "done\n"
    assert time.monotonic() - began < 5
    page.post(f"{begun}/stop")
    assert page.finish(begun)["state"] == "stopped"


@pytest.mark.parametrize("how", ["stop", "bye", "ctrl-c", "terminal closes"])
def test_a_script_that_only_sigkill_ends_is_ended_with_all_its_descendants(tmp_path, how):
    with own(tmp_path) as page:
        begun = page.start("day07/stubborn.py")
        page.until(lambda: text_of(page.get(begun)).count("ready") == 3)
        pids, guardian = [process["pid"] for process in picture(page, begun)], picture(page, begun)[0]["ppid"]
        assert len(pids) == 3
        names = {lane["name"]["en"] for lane in page.get(begun)["lanes"]}
        assert names == {"parent", "child 1", "orphan 1"}
        if how == "stop":
            page.post(f"{begun}/stop")
        elif how == "bye":
            page.post("/api/bye", token=page.token, page=page.name)
        elif how == "ctrl-c":
            # While the guardian is stopped, the classroom waits for it. Another Ctrl-C changes nothing.
            os.kill(guardian, signal.SIGSTOP)
            page.server.signal(signal.SIGINT)
            page.until(lambda: not is_open(page))
            page.server.interrupt()
            os.kill(guardian, signal.SIGCONT)
            page.server.wait()
        elif how == "terminal closes":
            page.server.signal(signal.SIGHUP)
            page.server.wait()
        if how in ("stop", "bye"):
            answer = page.finish(begun)
            assert answer["state"] == "stopped" and answer["status"] == -signal.SIGKILL
            assert not any(map(harness.state_of, pids))
            assert picture(page, begun) == []
    assert not any(map(harness.state_of, pids))    # serve has also checked that no other process is left


def test_kill_9_of_the_classroom_leaves_no_run(tmp_path):
    with Program(write_course(tmp_path), "0", stdin="") as server:
        harness.ready(server)
        page = Page(server)
        for name in ("stubborn", "forever", "patient", "zombie"):
            begun = page.start(f"day07/{name}.py")
            page.until(lambda: page.get(begun)["pieces"])
        pids = [process["pid"] for one in page.get("/api/runs")["runs"] for process in picture(page, f"/api/runs/{one['id']}")]
        assert len(pids) >= 6
        server.signal(signal.SIGKILL)
        # The four guardians, which this test process has adopted, end by themselves.
        server.finish(status=-signal.SIGKILL, orphans=4)
        assert not any(map(harness.state_of, pids))


def test_a_guardian_that_is_killed_takes_its_script_along(our_page):
    page = our_page
    begun = page.start("day07/patient.py")
    page.until(lambda: page.get(begun)["pieces"])
    [process] = picture(page, begun)
    os.kill(process["ppid"], signal.SIGKILL)
    assert page.finish(begun)["state"] == "ended"
    assert harness.gone(process["pid"])
    harness.reap(process["pid"], harness.TIMEOUT)      # this test process has adopted the script


def test_a_guardian_that_is_killed_while_a_process_writes_without_end(monkeypatch):
    """The rest of the output has an end, because no process can write once the guardian has ended.

    The run must not find the output empty merely because the writer is slow, so this test waits for the writer each time.
    """
    monkeypatch.syspath_prepend(str(ROOT / "day12"))
    from classroomd import runs
    receive, calls = runs.Run.receive, []

    def receive_when_ready(run, stream):
        if stream == "err" or len(calls) > 10_000:
            return False
        if calls:
            calls.append("again")
            select.select([run.outputs[stream]], [], [], harness.TIMEOUT)
        return receive(run, stream)
    monkeypatch.setattr(runs.Run, "receive", receive_when_ready)
    begun = runs.Runs().start(runs.Order("", "", [shutil.which("yes")], "", "/"))
    harness.wait_until(lambda: begun.lanes.pieces, lambda: "the script writes nothing")
    script = begun.lanes.lanes[0]["pid"]
    calls.append("the guardian is killed")
    begun.guardian.kill()
    begun.thread.join()
    assert len(calls) < 10_000
    assert harness.reap(script, harness.TIMEOUT)       # this test process has adopted the script


@pytest.mark.parametrize("more", [{}, {"is_typed": True}, {"has_result": True}])
@pytest.mark.parametrize("what, error", [
    ("subprocess.Popen", OSError(errno.EAGAIN, "no more processes")), ("threading.Thread.start", RuntimeError("can't start new thread"))])
def test_a_run_that_cannot_be_started_leaves_nothing(monkeypatch, more, what, error):
    """The machine has no more processes, or no more threads. A script that has already started is ended."""
    monkeypatch.syspath_prepend(str(ROOT / "day12"))
    from classroomd import problem, runs

    def fail(*args, **options):
        raise error
    start, guardians, before = runs.Run.start, [], os.listdir("/proc/self/fd")

    def start_and_note(run, outputs):
        guardians.append(start(run, outputs))
        return guardians[-1]
    with monkeypatch.context() as patch:
        patch.setattr(runs.Run, "start", start_and_note)
        patch.setattr(f"classroomd.runs.{what}", fail)
        with pytest.raises(problem.Problem, match="cannot start the program") as refused:
            runs.Runs().start(runs.Order("", "", [sys.executable, "-c", "import time; time.sleep(600)"], "", "/", **more))
    assert refused.value.status == 503
    assert os.listdir("/proc/self/fd") == before
    for guardian in guardians:
        assert guardian.wait(harness.TIMEOUT) == 0


def test_a_run_that_no_page_asks_for_is_ended_and_forgotten(tmp_path):
    # The classroom's clock is ahead by as many seconds as this file has bytes, so time passes when the test wants it to.
    ahead = tmp_path / "ahead"
    ahead.touch()
    clock = ("import os, time, types; from classroomd import api, runs, system; api.time = runs.time = system.time = "
             f"types.SimpleNamespace(monotonic=lambda: time.monotonic() + os.path.getsize({str(ahead)!r}))")
    with own(tmp_path, clock) as page:
        asked, unasked = page.start("day07/patient.py"), page.start("day07/stubborn.py")
        page.until(lambda: text_of(page.get(unasked)).count("ready") == 3)
        pids = [process["pid"] for process in picture(page, unasked)]
        os.truncate(ahead, 60)
        assert page.get(asked)["state"] == "running"
        os.truncate(ahead, 120)
        page.until(lambda: not any(map(harness.state_of, pids)))
        assert page.get(asked)["state"] == "running"
        os.truncate(ahead, 240)
        # Asking for the list of runs does not count as asking about one of them.
        page.until(lambda: [one["id"] for one in page.get("/api/runs")["runs"]] == [])
        page.get(asked, 404)
        page.get(unasked, 404)


def test_two_hundred_runs_leave_nothing(tmp_path):
    with own(tmp_path) as page:
        page.run("day07/quick.py")
        server = page.server
        page.until(lambda: server.threads() == 1 and len(server.descriptors()) == OPEN)
        before = server.memory()
        for group in range(25):
            runs = [page.start("day07/quick.py" if number == 0 else "day07/patient.py") for number in range(8)]
            for begun in runs[1:]:
                page.post(f"{begun}/stop")
            for begun in runs:
                page.finish(begun)
        assert len(page.get("/api/runs")["runs"]) <= 32
        page.get("/api/runs/5", 404)
        page.until(lambda: server.threads() == 1 and len(server.descriptors()) == OPEN and not server.children())
        assert server.memory() - before < 4096


def test_ctrl_c_ends_it_while_runs_and_pages_are_there(tmp_path):
    with own(tmp_path) as page:
        begun = page.start("day07/forever.py")
        page.until(lambda: page.get(begun)["pieces"])
        connection = socket.create_connection((page.server.host, page.server.port))
    connection.close()
