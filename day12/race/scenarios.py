"""Give every server every load, turn by turn. A server runs only during its own turn.
每个服务器依次面对每一种负载；没轮到的服务器处于暂停状态。
"""
import contextlib
import signal

from race.load import Clients, fresh_connections, ping_pong
from race.models import MODELS, WATCHERS
from race.results import figures
from race.servers import Failed, Server, Unsupported, end_all

# Maximum number of new connections to a server, in all rounds together. Each connection blocks a
# client port for a minute (TIME_WAIT).
MOST_FRESH = 20_000


class Race:
    """The race: run() measures all servers in all scenarios.

    results: a Results, which receives the figures. progress: a Progress, which shows the steps.
    """

    def __init__(self, results, progress):
        self.results, self.progress, self.plan = results, progress, results.plan

    def run(self):
        with self.started(self.results.names, "start") as servers:
            for number in range(1, self.plan.rounds + 1):
                self.run_round(f"round {number} of {self.plan.rounds}", servers)
            self.run_idle(servers)
        # Start each server again, because the memory of the old process has already grown.
        for name in self.results.names:
            if MODELS[name].held and name not in self.results.failures:
                with self.started([name], "memory") as servers:
                    for server in servers:
                        self.turn("memory", "memory", server, self.measure_memory, server)

    @contextlib.contextmanager
    def started(self, names, step):
        """Start servers, yield those that answer (paused with SIGSTOP), then end all of them."""
        servers = [Server(name, MODELS[name].command) for name in names]
        try:
            for server in servers:
                self.turn(step, "", server, start, server)
            yield [server for server in servers if server.address]
        finally:
            end_all(servers)

    def turn(self, step, scenario, server, action, *args):
        """Let a server run during action(*args); note what the server cannot do, or why it failed.

        step: what to show as progress, or "". scenario: where to note what the server cannot do;
        "" means in all scenarios."""
        results = self.results
        if results.ended(scenario, server.name):
            return
        if step:
            self.progress.show(step, server.name)
        try:
            server.signal(signal.SIGCONT)
            action(*args)
        except Unsupported as reason:
            results.cannot(scenario, server.name, str(reason))
        except (Failed, OSError) as reason:
            results.failures[server.name] = f"failed: {server.last_words() or reason}"
        finally:
            server.signal(signal.SIGSTOP)

    def run_round(self, title, servers):
        """Give each server a turn in each scenario."""
        for count in self.plan.clients:
            step = f"{title}, {count} busy client{'s' if count > 1 else ''}"
            for server in servers:
                self.turn(step, f"clients-{count}", server, self.measure_clients, server, count)
        most = MOST_FRESH // self.plan.rounds
        for server in servers:
            self.turn(f"{title}, a new connection per request", "fresh", server,
                      self.measure, "fresh", server, fresh_connections, server, most)

    def run_idle(self, servers):
        """Measure one busy client beside a growing number of idle clients."""
        with contextlib.ExitStack() as stack:
            crowds = [Clients(server) for server in servers]
            for crowd in crowds:
                # The servers are about to end, so do not wait until they close their side too.
                stack.callback(crowd.close, politely=False)
            for level in self.plan.idle:
                self.run_level(level, crowds)
                for crowd in crowds:
                    if crowd.server.name not in WATCHERS:
                        self.turn("", "", crowd.server, crowd.close)

    def run_level(self, level, crowds):
        """Measure a busy client beside `level` idle ones (fewer if descriptors are too few).

        crowds: a Clients object for each server. WATCHERS take part in every level, but the other
        servers only in the level plan.idle_for_all.
        """
        results, for_all = self.results, level == self.plan.idle_for_all
        invited = [one for one in crowds if for_all or one.server.name in WATCHERS]
        excuses = {one.server.name: excuse(one.server, level) for one in invited}
        taking_part = [one for one in invited if not excuses[one.server.name]]
        if not taking_part:
            return
        # The servers that take part share the descriptors that the others' clients do not use.
        kept = sum(len(one.conns) for one in crowds if one not in taking_part)
        level = min(level, (results.room - kept) // len(taking_part) - 1)
        # There may be so few descriptors that this level would not exceed the previous level.
        if level <= max(results.idle(), default=0):
            return
        if for_all:
            results.idle_for_all = level
        scenario = f"idle-{level}"
        for name in filter(excuses.get, excuses):
            results.cannot(scenario, name, excuses[name])
        for one in taking_part:
            self.turn(f"{level:,} idle clients", scenario, one.server, one.grow, level + 1)
        for _ in range(self.plan.rounds):
            for one in taking_part:
                self.turn(f"1 client beside {level:,} idle ones", scenario, one.server,
                          self.measure, scenario, one.server, ping_pong, one.conns[:1])

    def measure_clients(self, server, count):
        with Clients(server) as clients:
            clients.grow(count)
            self.measure(f"clients-{count}", server, ping_pong, clients.conns)

    def measure_memory(self, server):
        with Clients(server) as clients:
            # If the server cannot hold that many connections, measure as many as it can hold.
            with contextlib.suppress(Unsupported):
                clients.grow(min(self.results.room, self.plan.held, MODELS[server.name].held))
            held = len(clients.conns)
            self.results.add("memory", server.name, {
                "connections": held, "kib": (server.memory() - clients.memory) / held})

    def measure(self, scenario, server, load, *args):
        """Measure what a load costs a server, and add the figures to the results.

        load: ping_pong or fresh_connections; args: its arguments after the seconds."""
        before = server.cpu()
        seconds, latencies = load(self.plan.seconds, *args)
        used = server.cpu() - before
        self.results.add(scenario, server.name, figures(used, seconds, latencies, server.memory()))


def start(server):
    """Start a server, and check that it answers a client."""
    server.start()
    with Clients(server) as clients:
        clients.grow(1)


def excuse(server, level):
    """Return why a server does not take part in this level of idle clients; "" if it does."""
    if level > MODELS[server.name].idle:
        return "left out, because opening so many connections takes too long"
    return server.excuse(level + 1)
