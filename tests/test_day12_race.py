"""Tests of the race: first each module of race/ alone, without a real race and in milliseconds; then server_race.py as a program."""
import itertools
import json
import os
import re
import resource
import shutil
import signal
import socket
import sys
import types
from xml.etree import ElementTree

import pytest
from harness import ROOT, TIMEOUT, Program, run, serve, state_of, wait_until

sys.path.append(str(ROOT / "day12"))
from race import scenarios  # noqa: E402
from race.load import MESSAGE, SLOTS, Clients, fresh_connections, ping_pong, receive  # noqa: E402
from race.models import MODELS, WATCHERS  # noqa: E402
from race.picture import picture  # noqa: E402
from race.progress import Progress  # noqa: E402
from race.report import report, times  # noqa: E402
from race.results import QUICK, Plan, Results, figures  # noqa: E402
from race.servers import Failed, Server, Unsupported  # noqa: E402

SERVERS = ["iterative", "fork", "thread", "select", "poll", "epoll", "epoll-edge", "coroutine", "gevent", "asyncio"]
# What a quick race writes to stderr while it runs.
PROGRESS = r"start\n(round 1 of 1, [\w ]+\n|\d+ idle clients\n|1 client beside \d+ idle ones\n)+(memory\n)?"


# models: which servers take part

def test_every_model_can_be_started_and_compared():
    assert list(MODELS) == SERVERS
    for model in MODELS.values():
        assert (ROOT / "day12" / model.command[0]).exists()
        assert {other for what, scenario, other in model.compare} <= set(MODELS)
        assert {scenario for what, scenario, other in model.compare} <= {"fresh", "memory"}
    assert set(WATCHERS) <= set(MODELS)


# results: the figures and their medians

def test_figures_are_per_request_and_in_the_units_of_their_names():
    latencies = [nanoseconds * 1000 for nanoseconds in reversed(range(200))]
    assert figures(used=0.001, seconds=0.5, latencies=latencies, memory=3072) == {
        "cpu_us": 5, "per_second": 400, "p50_us": 100, "p99_us": 198, "mib": 3, "requests": 200}
    assert latencies[0] == 199_000                 # figures() must not change the caller's list


def test_median_of_the_rounds():
    results = Results(["epoll", "poll"], Plan(), 10_000)
    for cost in 5, 1, 90:
        results.add("fresh", "epoll", {"cpu_us": cost, "mib": cost / 10})
    assert results.median("fresh", "epoll") == 5 and results.median("fresh", "epoll", "mib") == 0.5
    assert results.median("fresh", "poll") is None and results.median("clients-1", "epoll") is None
    results.failures["epoll"] = "failed: died"
    assert results.median("fresh", "epoll") is None and results.says("fresh", "epoll") == "failed: died"


def test_what_a_row_without_figures_says():
    results = Results(["epoll"], Plan(), 10_000)
    assert results.says("fresh", "epoll") == "not measured" and not results.ended("fresh", "epoll")
    results.cannot("fresh", "epoll", "too slow")
    assert results.says("fresh", "epoll") == "too slow" and results.ended("fresh", "epoll")
    assert results.says("memory", "epoll") == "not measured" and not results.ended("memory", "epoll")
    results.cannot("", "epoll", "not installed")   # for all scenarios
    assert results.says("memory", "epoll") == "not installed"


# report and picture: what they show of the figures

def made_up(costs, kib=None, idle=None, names=None, plan=QUICK, room=10_000):
    """Return Results with made-up figures. costs: server -> us per request in each scenario. kib: server -> KiB per connection.

    idle: server -> its costs for the levels of plan.idle."""
    results = Results(names or list(costs), plan, room)
    for name, cost in costs.items():
        figure = {"cpu_us": cost, "per_second": 1e6 / cost, "p50_us": cost + 3, "p99_us": cost * 9, "mib": 6.25, "requests": 99}
        for scenario in [*(f"clients-{count}" for count in plan.clients), "fresh", f"idle-{plan.idle_for_all}"]:
            results.add(scenario, name, figure)
        results.idle_for_all = plan.idle_for_all
        results.add("memory", name, {"connections": plan.held, "kib": (kib or costs)[name]})
    for name, found in (idle or {}).items():
        for level, cost in zip(plan.idle, found):
            results.rounds.setdefault(f"idle-{level}", {})[name] = [
                {"cpu_us": cost, "per_second": 1e6 / cost, "p50_us": cost, "p99_us": cost, "mib": 6, "requests": 9}]
    return results


def tables(lines):
    """Return the tables of a report: title -> the lines below it."""
    blocks = "\n".join(lines).split("\n\n")
    return {title: rows for title, *rows in (block.split("\n") for block in blocks)}


def test_report_table():
    results = made_up({"epoll": 10, "thread": 40, "gevent": 20}, names=["thread", "gevent", "iterative", "epoll"])
    results.cannot("clients-4", "iterative", "serves 1 at a time; the next client gets no answer")
    found = tables(report(results, 5))
    assert found["4 clients, a long connection each"] == [
        "                CPU time per request      us requests/s   p50 us   p99 us    MiB",
        "  thread        ###################     40.0     25,000       43      360    6.2",
        "  gevent        ##########              20.0     50,000       23      180    6.2",
        "  iterative     serves 1 at a time; the next client gets no answer",
        "  epoll         #####                   10.0    100,000       13       90    6.2"]
    assert list(found)[1:] == [
        "1 client, one long connection", "4 clients, a long connection each", "16 clients, a long connection each",
        "A new connection per request, 16 at a time", "1 busy client beside 20 idle ones",
        "1 busy client beside a growing number of idle clients", "Connections that are held and silent", "What this shows"]
    assert found["1 client, one long connection"][3] == "  iterative     not measured"


def test_report_memory_has_its_own_figure():
    held = tables(report(made_up({"epoll": 10, "thread": 40}, kib={"epoll": 0.5, "thread": 20}), 5))
    assert held["Connections that are held and silent"] == [
        "                memory for each          KiB       held",
        "  epoll         #                        0.5         60",
        "  thread        ###################     20.0         60",
        "  Wanted: 60."]


@pytest.mark.parametrize("plan", [QUICK, Plan()])
def test_report_fits_80_columns(plan):
    """The report has the widest figures, the longest labels, and a reason that is longer than a row."""
    names = [name for name in SERVERS if name not in ("iterative", "asyncio")]
    results = made_up(dict.fromkeys(names, 99_999.9), names=SERVERS, plan=plan, room=59,
                      idle={name: [1234.5] * len(plan.idle) for name in WATCHERS})
    results.failures["asyncio"] = f"failed: {100 * 'word '}"
    lines = list(report(results, 12_345))
    assert max(map(len, lines)) == 80
    for rows in list(tables(lines).values())[1:-1]:
        for row in rows:                           # there is a space between the label and the rest
            assert not re.match("  [a-z]", row) or row[15] == " ", row
    assert any("allows 59 connections." in line for line in lines)
    assert " ".join(lines).count("word") > 100     # the last part contains the entire reason


def lesson_of(results, name):
    """Return the sentences of the report about a server."""
    text = "\n".join(report(results, 5)).partition("What this shows\n")[2]
    return " ".join(re.search(rf"^  {name} .*(\n   .*)*", text, re.MULTILINE)[0].split()[1:])


def test_report_compares():
    results = made_up({"epoll": 10, "thread": 40, "gevent": 10.5}, kib={"epoll": 0.5, "thread": 20, "gevent": 8})
    assert lesson_of(results, "thread").startswith(f"{MODELS['thread'].lesson} A new connection takes 40.0 us, "
        "4.0 times as much as with epoll. A held connection takes 20.0 KiB, 40 times as much as with epoll. "
        "A request among 4 clients takes 40.0 us, 4.0 times as much as with epoll.")
    assert lesson_of(results, "gevent").endswith("A held connection takes 8.0 KiB, 0.40 times as much as with thread. "
                                                 "A request among 4 clients takes 10.5 us, about as much as with epoll.")
    assert "A request among 4 clients takes 10.0 us. From" in lesson_of(results, "epoll") + " From"


@pytest.mark.parametrize("kib", [{"epoll": -0.1, "thread": 20}, {"epoll": 0, "thread": 20}, {"epoll": 1, "thread": -2}])
def test_report_compares_no_memory_that_became_less(kib):
    assert re.search(r"A held connection takes -?\d+\.0 KiB\. ", lesson_of(made_up({"epoll": 1, "thread": 2}, kib), "thread"))


def test_report_compares_only_what_was_measured():
    results = made_up({"thread": 40})              # no other server was measured
    assert "A new connection takes 40.0 us. A held connection takes 40.0 KiB. A request" in lesson_of(results, "thread")
    results.failures["thread"] = "failed: died"
    assert lesson_of(results, "thread") == "failed: died"


@pytest.mark.parametrize("ratio, words", [(0.05, "0.05 times as much"), (0.89, "0.89 times as much"), (0.95, "about as much"),
                                          (1.05, "about as much"), (1.11, "1.1 times as much"), (10, "10.0 times as much"),
                                          (10.4, "10 times as much"), (1234.5, "1,234 times as much")])
def test_times(ratio, words):
    assert times(ratio) == words


def test_report_says_what_idle_clients_cost():
    results = made_up({"select": 5, "epoll": 5}, idle={"select": [5, 50], "epoll": [5, 7, 7.4]})
    results.cannot("idle-50", "select", "serves 21 at a time; the next client gets no answer")
    assert lesson_of(results, "select").endswith(
        "From 5 to 20 idle clients, the cost of a request goes from 5.0 to 50.0 us: each idle client adds to the "
        "cost of every request. With 50 idle clients: serves 21 at a time; the next client gets no answer.")
    assert lesson_of(results, "epoll").endswith(
        "From 5 to 50 idle clients, the cost of a request goes from 5.0 to 7.4 us: idle clients cost next to nothing.")


def test_report_says_at_how_many_idle_clients_a_server_ends_and_no_more():
    results = made_up({"select": 5, "epoll": 5}, idle={"select": [5], "epoll": [5, 7, 7.4]})
    for level in (20, 50):
        results.rounds[f"idle-{level}"].pop("select", None)
        results.cannot(f"idle-{level}", "select", f"not {level}")
    assert lesson_of(results, "select").endswith(" With 20 idle clients: not 20.")


def test_server_race_asks_for_descriptors_for_two_servers_at_once():
    """The race needs descriptors for the idle clients of two servers, and exits with a message if it gets too few."""
    printed = run(sys.executable, "-c", """if True:
        import sys, server_race
        server_race.raise_descriptor_limit = lambda wanted: print(wanted) or 110
        sys.argv = ["server_race.py", "--quick"]
        server_race.main()
        """, cwd=ROOT / "day12", env={"PYTHONDONTWRITEBYTECODE": "1"}, status=2, stderr="server_race.py: too few descriptors: .*\n").stdout
    assert int(printed) == 2 * (QUICK.held + 100)


def elements(svg, kind):
    return [one for one in ElementTree.fromstring(svg).iter() if one.tag.endswith(f"}}{kind}")]


def test_picture():
    results = made_up({"select": 40, "poll": 30, "epoll": 10, "asyncio": 20}, names=["select", "poll", "epoll", "asyncio", "fork"],
                      idle={"select": [10, 100], "poll": [10, 50, 90], "epoll": [10, 10, 10]})
    results.failures["fork"] = "failed: <died> & more"
    svg = picture(results)
    background, *bars = elements(svg, "rect")
    assert [int(bar.get("width")) for bar in bars] == [340, 255, 85, 170]
    texts = [text.text for text in elements(svg, "text")]
    assert {"4 clients: CPU time per request", "failed: <died> & more", "40.0 \u00b5s", "10 \u00b5s", "100 \u00b5s", "5", "20", "50"} <= set(texts)
    curves = [[tuple(map(int, point.split(","))) for point in line.get("points").split()] for line in elements(svg, "polyline")]
    assert list(map(len, curves)) == [2, 3, 3]
    for curve in curves:                           # a curve goes to the right, and up where a request costs more
        assert curve[0][0] == 770 and [x for x, y in curve] == sorted(x for x, y in curve)
    assert [y for x, y in curves[0]] == [620, 90] and [y for x, y in curves[2]] == [620] * 3
    assert 90 < curves[1][2][1] < curves[1][1][1] < 620 and curves[1][2][0] == 1150


def test_picture_numbers_do_not_touch():
    results = made_up({"epoll": 10}, idle={"epoll": [10] * 5}, plan=Plan())
    places = {text.text: (int(text.get("x")), int(text.get("y"))) for text in elements(picture(results), "text")}
    numbers = [places[number] for number in ("10", "100", "1,000", "5,000", "10,000")]
    assert [y for x, y in numbers] == [655] * 4 + [677]
    assert all(right[0] - left[0] > 60 or right[1] - left[1] > 20 for left, right in itertools.pairwise(numbers))


def test_picture_has_room_for_every_server():
    names = [*SERVERS, *(f"another-{number}" for number in range(10))]
    bars = elements(picture(made_up(dict.fromkeys(names, 7))), "rect")[1:]
    tops = [int(bar.get("y")) for bar in bars]
    assert len(bars) == len(names) and tops[0] >= 60 and tops[-1] + int(bars[-1].get("height")) < 720
    assert all(below - above > int(bars[0].get("height")) for above, below in itertools.pairwise(tops))


@pytest.mark.parametrize("costs", [{}, {"epoll": 10}])
def test_picture_without_idle_clients(costs):
    results = made_up(costs, names=["epoll"])
    results.rounds.pop("idle-20", None)
    assert "idle connections" in [text.text for text in elements(picture(results), "text")]


# progress

def test_progress_is_a_line_per_step(capsys):
    progress = Progress()
    for step, server in [("start", "poll"), ("start", "epoll"), ("round 1", "poll"), ("round 1", "epoll"), ("memory", "poll")]:
        progress.show(step, server)
    progress.clear()
    assert capsys.readouterr() == ("", "start\nround 1\nmemory\n")


def test_progress_on_a_terminal_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress()
    progress.show("start", "poll")
    progress.show("round 1", 100 * "x")
    progress.clear()
    assert capsys.readouterr().err == f"\r\x1b[Kstart: poll\r\x1b[Kround 1: {70 * 'x'}\r\x1b[K"


# scenarios: which server meets which load

class Quiet:
    """A Progress that shows nothing."""

    def show(self, step, server):
        pass


class MadeUp(Server):
    """A server without a process. Its memory is 100 KiB, and 4 KiB for each connection. capacity: how many clients it serves."""

    def __init__(self, name, capacity=None):
        self.name, self.capacity = name, capacity
        self.limit = self.process = self.crowd = None
        self.asked = []

    def memory(self):
        return 100 + 4 * len(self.crowd.conns) if self.crowd else 100

    def cpu(self):
        return 7.0

    def settle(self):
        pass


class MadeUpClients(Clients):
    def __init__(self, server):
        super().__init__(server)
        server.crowd = self

    def connect_some(self, count):
        for _ in range(count):
            if len(self.conns) == self.server.capacity:
                raise BlockingIOError
            self.conns.append(types.SimpleNamespace(shutdown=lambda how: None, recv=lambda size: b"", close=lambda: None))


@pytest.fixture
def made_up_race(monkeypatch):
    """A function that returns a Race between made-up servers, and the servers. capacities: name -> capacity."""
    monkeypatch.setattr(scenarios, "Clients", MadeUpClients)
    monkeypatch.setattr("race.load.stay_on_core", lambda core: None)

    def ping_pong(seconds, conns):
        return 2.0, [1000] * len(conns)

    monkeypatch.setattr(scenarios, "ping_pong", ping_pong)

    def make(plan, room=100_000, **capacities):
        names = [name.replace("_", "-") for name in capacities]
        race = scenarios.Race(Results(names, plan, room), Quiet())
        return race, [MadeUp(name, capacity) for name, capacity in zip(names, capacities.values())]
    return make


def test_memory_is_per_connection(made_up_race):
    race, [thread, select] = made_up_race(Plan(), thread=None, select=500)
    for server in thread, select:
        race.turn("memory", "memory", server, race.measure_memory, server)
    assert race.results.rounds["memory"] == {"thread": [{"connections": MODELS["thread"].held, "kib": 4}],
                                             "select": [{"connections": 500, "kib": 4}]}
    assert race.results.words == {} and race.results.failures == {}


def test_idle_clients_of_the_default_race(made_up_race):
    """All servers meet 1,000 idle clients; the watchers meet all levels, as far as each of them can."""
    race, servers = made_up_race(Plan(rounds=2), iterative=1, thread=None, select=1020, poll=None, epoll=None)
    for server in servers:
        server.limit = {"iterative": 1}.get(server.name)           # an earlier scenario has found out this limit
    race.run_idle(servers)
    found = {scenario: {name: len(rounds) for name, rounds in measured.items()} for scenario, measured in race.results.rounds.items()}
    watchers = {"select": 2, "poll": 2, "epoll": 2}
    assert found == {"idle-10": watchers, "idle-100": watchers, "idle-1000": {"thread": 2, **watchers},
                     "idle-5000": {"poll": 2, "epoll": 2}, "idle-10000": {"epoll": 2}}
    assert race.results.words == {
        "idle-1000": {"iterative": "serves 1 at a time; the next client gets no answer"},
        "idle-5000": {"select": "serves 1,020 at a time; the next client gets no answer"},
        "idle-10000": {"select": "serves 1,020 at a time; the next client gets no answer",
                       "poll": "left out, because opening so many connections takes too long"}}
    assert race.results.idle_for_all == 1000 and race.results.failures == {}


@pytest.mark.parametrize("room, levels, for_all", [
    (100_000, [10, 100, 1000, 5000, 10_000], 1000),
    (12_000, [10, 100, 1000, 5000, 6998], 1000),   # poll keeps its 5,001 connections
    (8000, [10, 100, 1000, 3999], 1000),           # poll and epoll share 8,000; the last level would get no more
    (600, [10, 100, 199, 299], 199),               # thread, poll and epoll share the 600, then only poll and epoll
    (15, [6, 7], None)])
def test_idle_clients_where_descriptors_are_few(made_up_race, room, levels, for_all):
    race, servers = made_up_race(Plan(rounds=1), room=room, thread=None, poll=None, epoll=None)
    most = 0

    def show(step, server):
        nonlocal most
        most = max(most, sum(len(one.crowd.conns) for one in servers))

    race.progress.show = show
    race.run_idle(servers)
    assert race.results.idle() == levels and race.results.idle_for_all == for_all
    assert race.results.failures == {} and most <= room


def test_a_turn_notes_what_cannot_be_and_what_fails(made_up_race, monkeypatch):
    race, servers = made_up_race(QUICK, poll=None, epoll=None, thread=None)
    signals = []
    monkeypatch.setattr(MadeUp, "signal", lambda self, signum: signals.append((self.name, signum.name)))
    errors = dict(zip(servers, [Unsupported("no"), Failed("died"), OSError("reset")]))

    def fail(server):
        raise errors[server]

    for server in servers + servers:               # in the second round, no server gets a turn
        race.turn("step", "fresh", server, fail, server)
    assert race.results.words == {"fresh": {"poll": "no"}}
    assert race.results.failures == {"epoll": "failed: died", "thread": "failed: reset"}
    assert signals == [(server.name, name) for server in servers for name in ("SIGCONT", "SIGSTOP")]


# load: which answers are counted

@pytest.mark.parametrize("answer, words", [(b"y" * len(MESSAGE), "sent something else back"), (b"x", "sent something else back"),
                                           (b"", "closed the connection")])
def test_load_says_what_a_wrong_answer_was(answer, words):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(MESSAGE + answer)
        theirs.shutdown(socket.SHUT_WR)
        receive(ours)
        with pytest.raises(Failed, match=words):
            receive(ours)


def test_load_counts_each_answer(monkeypatch):
    monkeypatch.setattr("race.load.stay_on_core", lambda core: None)
    server = MadeUp("epoll")
    with serve("day12/epoll_server.py") as running:
        server.address = running.host, running.port
        seconds, latencies = fresh_connections(TIMEOUT, server, 40)
        assert 40 <= len(latencies) < 40 + SLOTS and 0 < sum(latencies) / SLOTS / 1e9 <= seconds < TIMEOUT
        with Clients(server) as clients:
            clients.grow(3)
            seconds, latencies = ping_pong(0.02, clients.conns)
        assert len(latencies) >= 3 and 0.02 <= seconds < TIMEOUT and sum(latencies) / 3 / 1e9 <= seconds


# servers: how they start

def test_a_server_can_be_started_when_descriptors_are_beyond_what_select_can_watch():
    """A race of many servers and clients has more than 1,024 descriptors open."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    server, many = Server("poll", MODELS["poll"].command), []
    try:
        while not many or many[-1] < 1024:
            many.append(os.dup(0))
        server.start()
        assert server.process.stdout.fileno() >= 1024 and server.address[0] == "127.0.0.1"
    finally:
        for fd in many:
            os.close(fd)
        server.end()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


# servers: CPU time and memory from /proc

def test_cpu_time_counts_children_that_are_reaped():
    burn = """if True:
        import os, signal, time
        pid = os.fork()
        if pid == 0:
            while time.process_time() < 0.3:
                pass
            os._exit(0)
        os.waitpid(pid, 0)
        print("x", flush=True)
        signal.pause()"""
    with Program(sys.executable, "-c", burn) as program:
        program.expect("x")
        server = MadeUp("fork")
        server.process = program
        assert Server.cpu(server) >= 0.25


def test_memory_counts_every_process_of_a_server():
    fork = """if True:
        import os, signal, sys
        pid = os.fork()
        grown = bytearray(b"x") * (20 << 20)       # 20 MiB in each of the two processes
        if pid == 0:
            print("x", flush=True)
            signal.pause()
        print("x", flush=True)
        signal.pause()"""
    with Program(sys.executable, "-c", fork) as program:
        program.expect("x\nx\n")
        server = MadeUp("fork")
        server.process = program
        assert 40 << 10 <= Server.memory(server) < 100 << 10


# The program

def test_server_race(tmp_path):
    """In every scenario, every server has figures, or a reason why it has none."""
    race = run("day12/server_race.py", "--quick", "--json", tmp_path / "race.json", "--svg", tmp_path / "race.svg",
               stderr=PROGRESS)
    found = json.loads((tmp_path / "race.json").read_text())
    assert found["failed"] == {} and found["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert set(found["medians"]) == {"clients-1", "clients-4", "clients-16", "fresh", "idle-5", "idle-20", "idle-50", "memory"}
    for scenario, servers in found["medians"].items():
        asked = {"memory": SERVERS[1:], "idle-5": WATCHERS, "idle-50": WATCHERS}.get(scenario, SERVERS)
        assert {*servers, *found["cannot"].get(scenario, {})} == set(asked), scenario
        assert all(value > 0 for name, figures in servers.items() for figure, value in figures.items() if figure != "kib"), scenario
        for name, figures in servers.items():
            assert [list(one) for one in found["rounds"][scenario][name]] == [list(figures)]
    for scenario in "clients-4", "clients-16", "idle-20":
        assert found["cannot"][scenario]["iterative"] == "serves 1 at a time; the next client gets no answer"
    for name in SERVERS:
        assert re.search(rf"^  {name} +#+ +\d", race.stdout, re.MULTILINE)
        assert re.search(rf"^  {name} +[A-Z]", race.stdout.partition("What this shows")[2], re.MULTILINE)
    assert max(map(len, race.stdout.splitlines())) <= 80
    figures_fit_together(found["medians"])
    texts = [text.text for text in ElementTree.parse(tmp_path / "race.svg").iter() if text.tag.endswith(("title", "text"))]
    assert "Echo servers side by side: CPU time per request" in texts and set(SERVERS) < set(texts)


def figures_fit_together(medians):
    """Check that the medians are plausible. The bounds hold however busy the machine is."""
    for scenario, servers in medians.items():
        for name, one in servers.items():
            if scenario == "memory":
                assert one["kib"] < 20_000
            else:
                assert one["p50_us"] <= one["p99_us"] and one["p50_us"] < 2e6
    assert medians["memory"]["thread"]["kib"] < 300
    assert medians["fresh"]["fork"]["cpu_us"] > 1.3 * medians["fresh"]["thread"]["cpu_us"]     # the children of fork_server.py count too


def test_server_race_says_what_it_does_when_it_is_no_terminal():
    race = run("day12/server_race.py", "--quick", "--servers", "poll,epoll", stderr=PROGRESS)
    assert race.stderr.splitlines() == [
        "start", "round 1 of 1, 1 busy client", "round 1 of 1, 4 busy clients", "round 1 of 1, 16 busy clients",
        "round 1 of 1, a new connection per request", "5 idle clients", "1 client beside 5 idle ones", "20 idle clients",
        "1 client beside 20 idle ones", "50 idle clients", "1 client beside 50 idle ones", "memory"]


def race_with(tmp_path, **servers):
    """Copy the race and some of its servers into tmp_path. servers: name of a script -> its new text. Return the copy's path."""
    shutil.copytree(ROOT / "day12" / "race", tmp_path / "day12" / "race", ignore=shutil.ignore_patterns("__pycache__"))
    for path in ["day12/server_race.py", "day12/poll_server.py", "day12/epoll_server.py", "day12/gevent_server.py"]:
        copy = tmp_path / path
        copy.write_text(servers.get(copy.stem, (ROOT / path).read_text(encoding="utf-8")), encoding="utf-8")
    return tmp_path / "day12" / "server_race.py"


# A server that echoes the first message of a client, and fails with ZeroDivisionError at the second. A turn may be over after two
# messages if the machine is busy.
DIES = """import socket
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        conn, addr = listener.accept()
        with conn:
            for left in reversed(range(2)):
                if data := conn.recv(1000):
                    1 / left
                    conn.sendall(data)
"""


def test_server_race_reports_what_fails(tmp_path):
    """The race goes on although one server does not exist, one cannot start, and one fails at work."""
    race = race_with(tmp_path, epoll_server=DIES, gevent_server="raise SystemExit('no such luck')\n")
    printed = run(sys.executable, race, "--quick", "--servers", "select,poll,epoll,gevent", status=1, stderr=PROGRESS).stdout
    clients, lessons = re.search(r"4 clients.*?\n\n", printed, re.DOTALL)[0], printed.partition("What this shows")[2]
    assert "can't open file" in " ".join(lessons.split())          # a long path makes the report fold this line
    for table in clients, lessons:
        assert re.search(r"^  select +failed: ", table, re.MULTILINE)
        assert re.search(r"^  epoll +failed: ZeroDivisionError", table, re.MULTILINE)
        assert re.search(r"^  gevent +failed: no such luck", table, re.MULTILINE)
    assert re.search(r"^  poll +#+ +\d", clients, re.MULTILINE)


def test_server_race_without_gevent(tmp_path):
    (tmp_path / "gevent.py").write_text("raise ModuleNotFoundError(\"No module named 'gevent'\")\n")
    race = run("day12/server_race.py", "--quick", "--servers", "epoll,gevent", stderr=PROGRESS,
               env={"PYTHONPATH": tmp_path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"})
    assert race.stdout.splitlines()[2] == "Left out: gevent (this needs gevent)"
    assert re.search(r"^  gevent +this needs gevent$", race.stdout, re.MULTILINE)
    assert re.search(r"^  epoll +#+ +\d", race.stdout, re.MULTILINE)


def test_server_race_names_the_module_that_a_server_lacks(tmp_path):
    """The report names the missing module, but does not show Python's ModuleNotFoundError."""
    race = race_with(tmp_path, gevent_server="import gevent_of_another_python\n")
    printed = run(sys.executable, race, "--quick", "--servers", "poll,gevent", stderr=PROGRESS).stdout
    assert printed.splitlines()[2] == "Left out: gevent (this needs gevent_of_another_python)"
    assert re.search(r"^  gevent +this needs gevent_of_another_python$", printed, re.MULTILINE) and "Error" not in printed


def test_server_race_without_epoll_says_what_it_needs():
    race = run(sys.executable, "-c", "import select, sys; del select.epoll; sys.argv = ['x']; import server_race; server_race.main()",
               cwd=ROOT / "day12", env={"PYTHONDONTWRITEBYTECODE": "1"}, status=2, stderr="this needs select.epoll: .*Linux.*\n")
    assert race.stdout == ""


def test_server_race_ends_with_ctrl_c():
    """Ctrl-C arrives in the middle of a turn, while the terminal shows the progress."""
    with Program("day12/server_race.py", "--servers", "fork,iterative,gevent", "--seconds", 60, tty=True) as race:
        race.expect("busy client: fork")
        race.write("\x03")
        race.finish(130)
        assert race.stdout.endswith("\r\x1b[K")    # the line of the progress is cleared


def test_server_race_lets_one_server_run_at_a_time():
    with Program("day12/server_race.py", "--servers", "fork,epoll,poll", "--seconds", 60, tty=True) as race:
        race.expect("busy client: fork")
        servers = race.children()
        assert len(servers) == 3
        wait_until(lambda: sorted(state_of(pid) == "T" for pid in servers) == [False, True, True],
                   lambda: f"their states are {list(map(state_of, servers))}")
        race.write("\x03")
        race.finish(130)


def test_server_race_killed_leaves_no_server():
    with Program("day12/server_race.py", "--servers", "fork,epoll", "--seconds", 60, tty=True) as race:
        race.expect("busy client: fork")
        assert len(race.children()) == 2
        race.signal(signal.SIGKILL)
        race.finish(-signal.SIGKILL, orphans=range(5))


@pytest.mark.parametrize("option", ["--json", "--svg"])
def test_server_race_looks_first_whether_it_can_write(option, tmp_path):
    race = run("day12/server_race.py", option, tmp_path / "none" / "race", status=2, stderr="server_race.py: .*No such file.*\n")
    assert race.stdout == ""


@pytest.mark.parametrize("args, words", [(["--servers", "epoll,apache"], "no such server: apache"), (["--rounds", 0], "--rounds"),
                                         (["--seconds", "nan"], "--seconds")])
def test_server_race_arguments(args, words):
    run("day12/server_race.py", *args, status=2, stderr=f"server_race.py: .*{words}.*\n")
