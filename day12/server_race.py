"""All echo servers of the course side by side: what a request costs in each model, and what each cannot do.
并发网络通信模型 · 各种模型同场比较

Run:    python day12/server_race.py [--rounds N] [--seconds S] [--servers a,b,c] [--json FILE] [--svg FILE]

The servers run at once, but all except the one that is measured are stopped (SIGSTOP). In every round each has its turn, so
that a busy moment of the machine hits all of them, and what is printed is the median of the rounds.

How to read a table: the bar and the number behind it are the CPU time that the server used per request, all of its threads
and processes together. That figure is the steadiest. Requests per second and the latencies also contain the client, which
is Python too and often the slower of the two, and all the waiting for whatever else the machine is doing; what a server has
to do changes little with them. p50 is the latency of the middle request, p99 is exceeded by one in a hundred. MiB is the
server's memory (PSS: a page that n processes share counts 1/n for each).

Every server is held to one core, which is fair to models of one thread; processes alone could use more. Many clients run on
another core. A single client shares the server's: the two never work at the same time, and waking up a sleeping core would
take longer than the echo.
"""
import argparse
import contextlib
import ctypes
import gc
import json
import math
import os
import platform
import re
import resource
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {
    "iterative": ["../day10/iterative_server.py"], "fork": ["../day10/fork_server.py"], "thread": ["../day10/thread_server.py"],
    "select": ["../day11/select_server.py"], "poll": ["poll_server.py"], "epoll": ["epoll_server.py"],
    "epoll-edge": ["epoll_server.py", "--edge"], "gevent": ["gevent_server.py"], "asyncio": ["asyncio_server.py"],
}
CORES = sorted(os.sched_getaffinity(0))            # that we may use
CURVE = ["select", "poll", "epoll"]                # the three ways to watch many sockets
MESSAGE = b"x" * 63 + b"\n"
PATIENCE = 2                                       # seconds in which a server must answer
GRACE = 2                                          # seconds in which it must end
BATCH = 50                                         # connections to open before the first of them must be answered
SLOTS = 16                                         # fresh connections at a time
MOST_FRESH = 20_000                                # per server: each holds a port of the client's for a minute (TIME_WAIT)
MEMORY = 1 << 20                                   # KiB by which a server may grow
SPARE = 100                                        # descriptors for everything else
WIDTH = 24                                         # of a bar
PR_SET_PDEATHSIG = 1                               # from <sys/prctl.h>


@dataclass
class Plan:
    """How many clients there are, and how long a turn is."""
    clients: tuple = (1, 64, 512)                  # at work
    idle: tuple = (10, 100, 1000, 5000, 10_000)    # beside one at work, for those of CURVE
    all_idle: int = 1000                           # and this one of them for all
    most: int = 10_000                             # only held, but less where each is dear, or dear to open
    poll_idle: int = 5000                          # no more with poll: for each one that comes it looks at all the others
    held: dict = field(default_factory=lambda: {"fork": 200, "thread": 2000, "select": 1000, "poll": 1000})
    rounds: int = 3
    seconds: float = 0.25


QUICK = Plan((1, 4, 16), (5, 20, 50), 20, 60, 50, {"fork": 10}, 1, 0.03)


class Cannot(Exception):
    """What a model, or this machine, is not able to do: a row in words."""


class Failed(Exception):
    """What should have worked."""


def main():
    options = parse_options()
    gc.disable()                                   # no pauses of the client's in the middle of a measurement
    room = raise_descriptor_limit(options.plan.most + SPARE) - SPARE
    if room < max(options.plan.clients):
        print("server_race.py: too few descriptors (ulimit -Hn)", file=sys.stderr)
        sys.exit(2)
    results = Results(options, room)
    begin = time.monotonic()
    try:
        race(options, results)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        progress("")
    report(results, time.monotonic() - begin)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results.as_dict(), file, indent=1)
    if options.svg:
        with open(options.svg, "w", encoding="utf-8") as file:
            file.write(picture(results))
    sys.exit(1 if results.failures else 0)


def parse_options():
    parser = argparse.ArgumentParser(description="All echo servers of the course under the same load.")
    parser.add_argument("--rounds", metavar="N", type=int, help="turns of each server, 1 to 99 (default: 3)")
    parser.add_argument("--seconds", metavar="S", type=float, help="length of a turn, 0.01 to 60 (default: 0.25)")
    parser.add_argument("--servers", metavar="a,b,c", default=",".join(MODELS), help="some of: %(default)s")
    parser.add_argument("--quick", action="store_true", help="few clients, short turns: does it work at all?")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    parser.add_argument("--svg", metavar="FILE", help="draw a picture")
    options = parser.parse_args()
    options.plan = QUICK if options.quick else Plan()
    options.rounds = options.plan.rounds if options.rounds is None else options.rounds
    options.seconds = options.plan.seconds if options.seconds is None else options.seconds
    options.servers = list(dict.fromkeys(options.servers.split(",")))
    if unknown := set(options.servers) - set(MODELS):
        parser.exit(2, f"{parser.prog}: no such server: {', '.join(sorted(unknown))}\n")
    if not (1 <= options.rounds <= 99 and 0.01 <= options.seconds <= 60):
        parser.exit(2, f"{parser.prog}: --rounds must be from 1 to 99, and --seconds from 0.01 to 60\n")
    for path in filter(None, [options.json, options.svg]):
        try:                                       # now: not when the race is over
            new = not os.path.exists(path)
            open(path, "a").close()
            if new:
                os.remove(path)
        except OSError as error:
            parser.exit(2, f"{parser.prog}: {error}\n")
    return options


def raise_descriptor_limit(wanted):
    """Each connection takes a descriptor here and one in its server, which inherits the limit. Return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, 2 * wanted)                 # twice: several crowds are idle at the same time
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


# The race

def race(options, results):
    plan, room = options.plan, results.room
    with started(options.servers, results) as servers:
        for number in range(1, options.rounds + 1):
            for count in plan.clients:
                for server in servers:
                    progress(f"round {number} of {options.rounds}, {count} at work: {server.name}")
                    results.turn(f"clients-{count}", server, measure_clients, results, server, count)
            for server in servers:
                progress(f"round {number} of {options.rounds}, fresh connections: {server.name}")
                results.turn("fresh", server, measure, results, "fresh", server, fresh_connections, server,
                             MOST_FRESH // options.rounds)
        with contextlib.ExitStack() as stack:
            crowds = [Clients(server) for server in servers]
            for clients in crowds:
                stack.callback(clients.close, politely=False)      # the servers end too
            measure_idle(results, crowds, room)
    for name in options.servers:                   # once more, since their memory must be as it was when they began
        if name != "iterative" and name not in results.failures:
            with started([name], results) as servers:
                for server in servers:
                    progress(f"memory: {name}")
                    results.turn("memory", server, measure_memory, results, server, min(room, plan.held.get(name, plan.most)))


def measure(results, scenario, server, load, *args):
    share_a_core(load is ping_pong and len(args[0]) == 1)
    used = server.cpu()
    seconds, latencies = load(results.options.seconds, *args)
    used, count = server.cpu() - used, len(latencies)
    latencies.sort()
    results.add(scenario, server, {
        "cpu_us": 1e6 * used / count, "per_second": count / seconds, "p50_us": latencies[count // 2] / 1e3,
        "p99_us": latencies[count * 99 // 100] / 1e3, "mib": server.memory() / 1024, "requests": count})


def measure_clients(results, server, count):
    with Clients(server) as clients:
        clients.grow(count)
        measure(results, f"clients-{count}", server, ping_pong, clients.conns)


def measure_idle(results, crowds, room):
    """One client at work beside more and more that say nothing. Those stay, from one number to the next."""
    plan, before = results.options.plan, None
    for level in plan.idle:
        for_all = level == plan.all_idle
        taking_part = [clients for clients in crowds if clients.server.name in CURVE or for_all]
        if level > plan.poll_idle:
            taking_part = [clients for clients in taking_part if clients.server.name == "epoll"]
        others = sum(len(clients.conns) for clients in crowds if clients not in taking_part)
        level = min(level, (room - others) // max(1, len(taking_part)) - 1)    # they are all there at once
        if not taking_part or before is not None and level <= before:
            continue
        if level > plan.poll_idle:
            results.words.setdefault(f"idle-{level}", {}).update(
                {"poll": "left out: to open so many takes it too long", "select": "as above"})
        results.all_idle = level if for_all else results.all_idle
        for clients in taking_part:
            progress(f"{level:,} idle clients: {clients.server.name}")
            results.turn(f"idle-{level}", clients.server, clients.grow, level + 1)
        for _ in range(results.options.rounds):
            for clients in taking_part:
                progress(f"1 client beside {level:,} idle ones: {clients.server.name}")
                results.turn(f"idle-{level}", clients.server, measure, results, f"idle-{level}", clients.server,
                             ping_pong, clients.conns[:1])
        for clients in crowds:
            if clients.server.name not in CURVE:
                results.turn("", clients.server, clients.close)
        before = level


def measure_memory(results, server, count):
    with Clients(server) as clients:
        with contextlib.suppress(Cannot):          # then as far as it goes
            clients.grow(count)
        held = len(clients.conns)
        results.add("memory", server, {"connections": held, "kib": (server.memory() - clients.memory) / held})


def share_a_core(with_server):
    """Move this process, the client. (The core of a server is fixed, for its threads and children to come too.)"""
    os.sched_setaffinity(0, {CORES[0] if with_server else CORES[-1]})  # first and last: not two halves of one, if it can be


# The servers

class Server:
    def __init__(self, name):
        self.name = name
        self.limit = None                          # how many clients it serves at once, when that is known
        self.stderr = tempfile.TemporaryFile()
        self.process = None

    def start(self):
        script, *args = MODELS[self.name]
        race = os.getpid()
        with signals_held_back():                  # between its start and self.process, Ctrl-C would lose it
            self.process = subprocess.Popen(
                [sys.executable, os.path.normpath(os.path.join(HERE, script)), "0", *args], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=self.stderr, start_new_session=True, preexec_fn=lambda: prepare(race))
        line, data = b"", b"more"
        while data and not line.endswith(b"\n") and select.select([self.process.stdout], [], [], 5 * PATIENCE)[0]:
            data = os.read(self.process.stdout.fileno(), 100)
            line += data
        ready = re.match(r"listening on (.+):(\d+)\n", line.decode(errors="replace"))
        if not ready:
            words = self.last_words() or "no ready line"
            raise (Cannot if words.startswith("ModuleNotFoundError") else Failed)(words)
        self.address = ready[1], int(ready[2])
        with Clients(self) as clients:
            clients.grow(1)

    def last_words(self):
        """If it has ended: why, as well as can be told."""
        try:
            status = self.process.wait(0.2)        # it may be just ending
        except subprocess.TimeoutExpired:
            return ""
        self.stderr.seek(0)
        lines = re.findall(r"^\S.*", self.stderr.read().decode(errors="replace"), re.MULTILINE)
        return next((line for line in reversed(lines) if "Warning: " not in line), f"ended with status {status}")

    def signal(self, signum):
        """For its process group, which is its own session: the children of fork_server.py are in it too."""
        if self.process and self.process.returncode is None:
            os.killpg(self.process.pid, signum)

    def stats(self):
        """The fields of /proc/PID/stat, from the state on, of all its processes."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
                if int(fields[2]) == self.process.pid:             # its process group
                    found[pid] = fields
        return found

    def cpu(self):
        """Seconds of CPU time, user and system, of its processes and of the children that they have reaped."""
        seconds = 0
        for pid, fields in self.stats().items():
            with contextlib.suppress(OSError):     # the clock that clock_getcpuclockid(3) gives: /proc counts in 10 ms
                seconds += time.clock_gettime(~int(pid) << 3 | 2)
            seconds += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        return seconds

    def memory(self):
        """KiB of all its processes; what they share is counted once (PSS), where the kernel tells."""
        return sum(memory_of(pid) for pid in self.stats())

    def settle(self):
        """Wait until the children that have no client any more are reaped."""
        deadline = time.monotonic() + PATIENCE
        while len(self.stats()) > 1 and time.monotonic() < deadline:
            time.sleep(0.005)

    def end(self):
        """Ctrl-C, as often as it takes, and then force; reap it."""
        if self.process:
            for signum, patience in 8 * [(signal.SIGINT, GRACE / 8)] + [(signal.SIGKILL, None)]:
                self.signal(signum)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience)
            self.process.stdout.close()
        self.stderr.close()


def memory_of(pid):
    for path, name in ((f"/proc/{pid}/smaps_rollup", "Pss"), (f"/proc/{pid}/status", "VmRSS")):
        with contextlib.suppress(OSError), open(path) as file:
            if found := re.search(rf"^{name}:\s+(\d+)", file.read(), re.MULTILINE):
                return int(found[1])
    return 0                                       # it has just ended


@contextlib.contextmanager
def started(names, results):
    """Start servers, yield those that run, stopped (SIGSTOP), and end them, whatever happens."""
    servers = [Server(name) for name in names]
    try:
        for server in servers:
            progress(f"start: {server.name}")
            results.turn("", server, server.start)
        yield [server for server in servers if hasattr(server, "address")]
    finally:
        with signals_held_back():                  # a second Ctrl-C must not keep us from this; it takes some seconds at most
            for server in servers:                 # all of them first, so that they end at the same time
                server.signal(signal.SIGCONT)
                server.signal(signal.SIGINT)
            for server in servers:
                server.end()


def prepare(race):
    """In the child, before it becomes the server."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)      # even if the race is killed, the server does not stay
    if os.getppid() != race:                       # it has been already
        os._exit(1)
    os.sched_setaffinity(0, {CORES[0]})
    signal.signal(signal.SIGINT, signal.default_int_handler)       # in the background, a shell lets it be ignored
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


@contextlib.contextmanager
def signals_held_back():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# The clients

class Clients:
    """Connections to a server. Each has been answered once, so the server knows it, not only the kernel."""

    def __init__(self, server):
        self.server = server
        self.conns = []
        self.memory = server.memory()

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.close(politely=kind is not KeyboardInterrupt)

    def grow(self, count):
        server = self.server
        if server.limit is not None and count > server.limit:
            raise Cannot(f"serves {server.limit:,} at once, the next one gets no answer")
        share_a_core(False)
        while len(self.conns) < count:
            new = []
            try:
                for _ in range(min(BATCH, count - len(self.conns))):
                    new.append(connect(server.address))
                    new[-1].sendall(MESSAGE)
                while new:
                    receive(new[0])
                    self.conns.append(new.pop(0))
            except BlockingIOError:
                server.limit = len(self.conns)
                if server.limit == 0:
                    raise Failed(f"no answer within {PATIENCE} s") from None
                return self.grow(count)            # to say so
            finally:
                for conn in new:
                    conn.close()
            if len(self.conns) % (4 * BATCH) == 0 and server.memory() - self.memory > MEMORY:
                raise Cannot(f"stopped at {len(self.conns):,}: they take {MEMORY >> 20} GiB")

    def close(self, politely=True):
        """Say good-bye and wait until the server does so too, or what it still has to do would count for the next turn."""
        conns, self.conns = self.conns, []
        try:
            for conn in conns if politely else ():
                conn.shutdown(socket.SHUT_WR)
            for conn in conns if politely else ():
                conn.recv(1)
        except OSError:                            # it has failed, or is too slow; if that matters, the next turn will tell
            pass
        finally:
            for conn in conns:
                conn.close()
        if politely and conns:
            self.server.settle()


def connect(address):
    conn = socket.socket()
    try:
        # The kernel's own time limits; Python's would cost one more system call each time.
        limit = struct.pack("ll", PATIENCE, 0)     # struct timeval
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conn.connect(address)
        return conn
    except BaseException:
        conn.close()
        raise


def receive(conn):
    data = conn.recv(len(MESSAGE), socket.MSG_WAITALL)
    if data != MESSAGE:
        raise Failed("sent something else back" if data else "closed the connection")


def ping_pong(seconds, conns):
    """Each client sends a message, waits for the echo, sends the next. Return seconds, and the latency of each in ns."""
    clock, latencies, sent = time.perf_counter_ns, [], {}
    by_number = {conn.fileno(): conn for conn in conns}
    with select.epoll() as epoll:
        for number in by_number:
            epoll.register(number, select.EPOLLIN)
        begin = now = clock()
        end = begin + int(seconds * 1e9)
        for number, conn in by_number.items():
            sent[number] = clock()
            conn.send(MESSAGE)
        while sent:                                # also after the end, until all have their answer: so what is counted is exact
            events = epoll.poll(PATIENCE)
            if not events:
                raise Failed(f"no answer within {PATIENCE} s")
            for number, event in events:
                conn = by_number[number]
                receive(conn)
                now = clock()
                latencies.append(now - sent[number])
                if now < end:
                    sent[number] = now
                    conn.send(MESSAGE)
                else:
                    del sent[number]
    return (now - begin) / 1e9, latencies


def fresh_connections(seconds, server, most):
    """Connect, send a message, wait for the echo, close; SLOTS of them at a time. Return as ping_pong does."""
    clock, latencies, open_ones = time.perf_counter_ns, [], {}
    begin = now = clock()
    end = begin + int(seconds * 1e9)
    with select.epoll() as epoll:
        try:
            while True:
                while len(open_ones) < SLOTS and now < end and len(latencies) < most:
                    now = clock()
                    conn = connect(server.address)
                    open_ones[conn.fileno()] = conn, now
                    conn.send(MESSAGE)
                    epoll.register(conn, select.EPOLLIN)
                if not open_ones:
                    server.settle()                # the end of a connection is part of its cost
                    return (now - begin) / 1e9, latencies
                events = epoll.poll(PATIENCE)
                if not events:
                    raise Failed(f"no answer within {PATIENCE} s")
                for number, event in events:
                    conn, since = open_ones[number]
                    receive(conn)
                    del open_ones[number]
                    conn.close()
                    now = clock()
                    latencies.append(now - since)
        finally:
            for conn, since in open_ones.values():
                conn.close()


# What comes of it

class Results:
    def __init__(self, options, room):
        self.options, self.room = options, room    # room for that many connections
        self.rounds = {}                           # scenario -> server -> a dictionary of figures for each round
        self.words = {}                            # scenario, or "" for all -> server -> what cannot be done
        self.failures = {}                         # server -> what went wrong
        self.all_idle = None                       # the number of idle ones for which all servers were asked

    def turn(self, scenario, server, action, *args):
        """Let a server run for the length of the action, and take note of what it cannot do."""
        words = self.words.setdefault(scenario, {})
        if server.name in self.failures or server.name in words:
            return
        try:
            server.signal(signal.SIGCONT)
            action(*args)
        except Cannot as reason:
            words[server.name] = str(reason)
        except (Failed, OSError) as reason:
            self.failures[server.name] = f"failed: {server.process and server.last_words() or reason}"
        finally:
            server.signal(signal.SIGSTOP)

    def add(self, scenario, server, figures):
        self.rounds.setdefault(scenario, {}).setdefault(server.name, []).append(figures)

    def median(self, scenario, name, figure="cpu_us"):
        """None if there is no such figure."""
        rounds = self.rounds.get(scenario, {}).get(name)
        return statistics.median(one[figure] for one in rounds) if rounds and name not in self.failures else None

    def says(self, scenario, name):
        """What stands in a row without figures."""
        words = (self.words.get(where, {}).get(name) for where in ("", scenario))
        return self.failures.get(name) or next(filter(None, words), "not measured")

    def idle(self):
        """The numbers of idle neighbours that there were."""
        return sorted(int(scenario[5:]) for scenario in self.rounds if scenario.startswith("idle-"))

    def crowd(self):
        """The scenario for comparisons: many clients at work, but not too many."""
        return f"clients-{self.options.plan.clients[1]}"

    def as_dict(self):
        medians = {scenario: {name: {figure: self.median(scenario, name, figure) for figure in rounds[0]}
                              for name, rounds in servers.items()} for scenario, servers in self.rounds.items()}
        return {"machine": machine(), "options": {"rounds": self.options.rounds, "seconds": self.options.seconds},
                "medians": medians, "rounds": self.rounds, "cannot": {key: words for key, words in self.words.items() if words},
                "failed": self.failures}


def machine():
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()          # can be asked since 3.13; before, there always was one
    return {"python": platform.python_version(), "gil": gil, "cores": len(CORES), "kernel": platform.release()}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:79]}", end="", file=sys.stderr, flush=True)


# What is printed

def report(results, took):
    facts, options, names = machine(), results.options, results.options.servers
    print(f"CPython {facts['python']} {'with' if facts['gil'] else 'without'} a GIL, Linux {facts['kernel']}, "
          + ("one core for the servers, another for the clients" if facts["cores"] > 1 else "one core for servers and clients")
          + f"; {options.rounds} x {options.seconds:g} s each, {took:.0f} s in all")
    head, figures = f"{'us':>8}{'requests/s':>12}{'p50 us':>9}{'p99 us':>9}{'MiB':>8}", ["per_second", "p50_us", "p99_us", "mib"]
    same = [(f"clients-{count}", f"{count} client{'s' * (count > 1)}, connected once") for count in options.plan.clients]
    same.append(("fresh", f"Fresh connections, {SLOTS} at a time: connect, one message, its echo, close"))
    if results.all_idle:
        same.append((f"idle-{results.all_idle}", f"1 client at work beside {results.all_idle:,} idle ones"))
    for scenario, title in same:
        print_table(results, title, "CPU time per request", head, [(name, scenario, name) for name in names], "cpu_us", figures)
    print_table(results, "1 client at work beside more and more idle ones", "CPU time per request", head,
                [(f"{name} {level:,}", f"idle-{level}", name) for name in CURVE if name in names for level in results.idle()],
                "cpu_us", figures)
    print_table(results, "Connections that are held and silent", "memory for each", f"{'KiB':>8}{'held':>12}",
                [(name, "memory", name) for name in names if name != "iterative"], "kib", ["connections"])
    less = ", ".join(f"{count:,} with {name}" for name, count in options.plan.held.items())
    print(f"  Wanted: {options.plan.most:,}, but {less}, to spare memory and time.")
    if results.room < options.plan.most:
        print(f"  The limit of descriptors (ulimit -Hn) leaves room for {results.room:,}.")
    print("\nWhat this shows")
    for name in names:
        print(textwrap.fill(lesson(results, name), 100, initial_indent=f"  {name:12}", subsequent_indent=14 * " "))


def print_table(results, title, what, head, rows, figure, figures):
    """The bar and the first number are of the one figure. rows: what stands in front, scenario, server."""
    values = [results.median(scenario, name, figure) for label, scenario, name in rows]
    largest = max(filter(None, values), default=1)
    print(f"\n{title}\n  {'':14}{what:{WIDTH + 1}}{head}")
    for (label, scenario, name), value in zip(rows, values):
        if value is None:
            print(f"  {label:14}{textwrap.shorten(results.says(scenario, name), 90, placeholder=' ...')}")
        else:
            others = (f"{results.median(scenario, name, one):{WIDTHS[one]}}" for one in figures)
            print(f"  {label:14}{'#' * max(1, round(WIDTH * value / largest)):{WIDTH + 1}}{value:8.1f}{''.join(others)}")


WIDTHS = {"per_second": "12,.0f", "p50_us": "9,.0f", "p99_us": "9,.0f", "mib": "8.1f", "connections": "12,.0f"}
# For each model a sentence, and what to compare: the words for it, the scenario, the other model.
LESSONS = {
    "iterative": ("One at a time is simple, and enough for short visits.", [("a fresh connection", "fresh", "epoll")]),
    "fork": ("A process per client: it can harm no other, and has memory of its own.",
             [("a fresh connection", "fresh", "thread"), ("a held connection", "memory", "thread")]),
    "thread": ("As easy to write as processes, and they share what they know.",
               [("a fresh connection", "fresh", "epoll"), ("a held connection", "memory", "epoll")]),
    "select": ("One thread for all, and the whole list with every call.", []),
    "poll": ("A list without the limit, but again the whole list with every call.", []),
    "epoll": ("The kernel keeps the list, and names who is ready.", []),
    "epoll-edge": ("Fewer reports, but recv until there is no more.", []),
    "gevent": ("Written like threads, in one thread.", [("a held connection", "memory", "thread")]),
    "asyncio": ("Written with await, in one thread.", [("a held connection", "memory", "thread")]),
}


def lesson(results, name):
    """What a row teaches. Whatever compares is made of the figures of this race."""
    if results.says("", name) != "not measured":
        return results.says("", name)
    sentence, comparisons = LESSONS[name]
    found = [sentence]
    for what, scenario, other in [*comparisons, (f"a request among {results.crowd()[8:]} clients", results.crowd(), "epoll")]:
        figure, unit = ("kib", "KiB") if scenario == "memory" else ("cpu_us", "us")
        ours, theirs = results.median(scenario, name, figure), results.median(scenario, other, figure)
        if ours is None:
            found.append(f"{what[0].upper()}{what[1:]}: {results.says(scenario, name)}.")
        else:
            versus = f", {times(ours, theirs)} {other}" if theirs and other != name else ""
            found.append(f"{what[0].upper()}{what[1:]} takes {ours:,.1f} {unit}{versus}.")
    if name in CURVE:
        found += growth(results, name)
    return " ".join(found)


def times(value, other):
    ratio = value / other
    digits = 0 if ratio > 10 else 1 if ratio > 1 else 2
    return "about as much as" if 0.9 < ratio < 1.1 else f"{ratio:,.{digits}f} times as much as"


def growth(results, name):
    levels = [level for level in results.idle() if results.median(f"idle-{level}", name) is not None]
    if len(levels) > 1:
        few, many = (results.median(f"idle-{level}", name) for level in (levels[0], levels[-1]))
        verdict = "each of them costs, with every request." if many > 1.5 * few else "they cost next to nothing."
        yield (f"From {levels[0]:,} to {levels[-1]:,} idle ones beside it, a request goes from {few:.1f} to {many:.1f} us: "
               f"{verdict}")
    for level in [level for level in results.idle() if level not in levels][:1]:
        yield f"{level:,} idle ones: {results.says(f'idle-{level}', name)}."


# The picture

COLOURS = {name: "#5d6d7e" for name in MODELS} | {"select": "#c0392b", "poll": "#b9770e", "epoll": "#1f618d"}


def picture(results):
    """Bars for many clients at work, and the curve for idle ones, whose axes are both logarithmic."""
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720" font-family="sans-serif" font-size="20">',
                      "<title>Echo servers side by side: CPU time per request</title>",
                      '<rect width="1280" height="720" fill="#fdfdfb"/>', *svg_bars(results), *svg_curve(results), "</svg>", ""])


def svg_text(x, y, text, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{escape(text)}</text>'


def svg_bars(results):
    yield svg_text(40, 50, f"{results.crowd()[8:]} clients: CPU time per request", 'font-size="26" font-weight="bold"')
    rows = {name: results.median(results.crowd(), name) for name in results.options.servers}
    largest = max(filter(None, rows.values()), default=1)
    for y, (name, cpu) in zip(range(80, 720, 66), rows.items()):
        yield svg_text(150, y + 31, name, 'text-anchor="end"')
        if cpu is None:
            yield svg_text(165, y + 31, results.says(results.crowd(), name)[:46], 'fill="#555"')
        else:
            yield f'<rect x="160" y="{y}" width="{340 * cpu / largest:.0f}" height="44" fill="{COLOURS[name]}"/>'
            yield svg_text(170 + 340 * cpu / largest, y + 31, f"{cpu:.1f} \u00b5s")


def svg_curve(results):
    yield svg_text(690, 50, "The same, for 1 client beside idle ones", 'font-size="26" font-weight="bold"')
    curves = {name: [(math.log10(level), math.log10(cpu)) for level in results.idle()
                     if (cpu := results.median(f"idle-{level}", name))] for name in CURVE}
    levels, costs = zip(*sum(curves.values(), []) or [(1, 1)])
    left, width, low, height = min(levels), max(levels) - min(levels) or 1, math.floor(min(costs)), math.ceil(max(costs))

    def place(level, cost):
        return f"{770 + 380 * (level - left) / width:.0f}", f"{620 - 530 * (cost - low) / (height - low or 1):.0f}"

    for exponent in range(low, height + 1):
        x, y = map(int, place(left, exponent))
        yield f'<line x1="{x}" y1="{y}" x2="1150" y2="{y}" stroke="#ccc"/>'
        yield svg_text(x - 14, y + 7, f"{10 ** exponent:,g} \u00b5s", 'text-anchor="end"')
    for level in results.idle():
        yield svg_text(int(place(math.log10(level), low)[0]), 655, f"{level:,}", 'text-anchor="middle"')
    yield svg_text(960, 695, "idle connections", 'text-anchor="middle"')
    for name, points in curves.items():
        style = f'stroke="{COLOURS[name]}" stroke-width="4" fill="none"'
        yield f'<polyline points="{" ".join(",".join(place(*point)) for point in points)}" {style}/>'
        for x, y in (place(*point) for point in points):
            yield f'<circle cx="{x}" cy="{y}" r="7" fill="{COLOURS[name]}"/>'
        for point in points[-1:]:
            x, y = map(int, place(*point))
            yield svg_text(x + 14, y + (-10 if name == "select" else 8), name, f'fill="{COLOURS[name]}" font-weight="bold"')


if __name__ == "__main__":
    main()
