"""The figures of all rounds and their medians, the reasons for missing figures, and the JSON.
各轮的数字，或没有数字的原因；中位数；JSON。

The names of the scenarios: "clients-64" means 64 busy clients; "fresh", a new connection per
request; "idle-1000", one busy client beside 1,000 idle ones; "memory", silent connections only.
"""
import platform
import statistics
import sys
from dataclasses import dataclass

from race.servers import CORES


@dataclass
class Plan:
    """What to measure: how many clients, how many rounds, and how long a turn is.

    clients: the numbers of busy clients to measure with, one after the other.
    idle: the numbers of idle clients beside a busy one. WATCHERS (models.py) are measured with
    each of these numbers, the other servers only with idle_for_all.
    idle_for_all: one of the numbers in idle.
    held: how many silent connections to hold.
    rounds: how many turns each server gets. seconds: the length of a turn.
    A Model may set lower limits for idle and held.
    """
    clients: tuple = (1, 64, 512)
    idle: tuple = (10, 100, 1000, 5000, 10_000)
    idle_for_all: int = 1000
    held: int = 10_000
    rounds: int = 3
    seconds: float = 0.25


# A short race, to see whether everything works.
QUICK = Plan(clients=(1, 4, 16), idle=(5, 20, 50), idle_for_all=20, held=60, rounds=1, seconds=0.03)


class Results:
    """The results of a race: figures, and the reasons where a server has no figures.

    names: the servers' names. plan: a Plan. room: how many connections the descriptor limit allows.
    rounds: scenario -> server -> a list with one dictionary of figures per round.
    words: scenario, or "" for all scenarios -> server -> what the server cannot do.
    failures: server -> what went wrong; the figures of such a server no longer count.
    idle_for_all: the number of idle clients that all servers got, or None.
    """

    def __init__(self, names, plan, room):
        self.names, self.plan, self.room = names, plan, room
        self.rounds, self.words, self.failures = {}, {}, {}
        self.idle_for_all = None

    def add(self, scenario, name, figures):
        self.rounds.setdefault(scenario, {}).setdefault(name, []).append(figures)

    def cannot(self, scenario, name, reason):
        self.words.setdefault(scenario, {})[name] = reason

    def median(self, scenario, name, figure="cpu_us"):
        """Return the median of a figure over the rounds, or None if it was not measured."""
        rounds = self.rounds.get(scenario, {}).get(name)
        if not rounds or name in self.failures:
            return None
        return statistics.median(one[figure] for one in rounds)

    def says(self, scenario, name):
        """Return why a server has no figures in a scenario, for its row in the table."""
        words = self.words.get("", {}).get(name) or self.words.get(scenario, {}).get(name)
        return self.failures.get(name) or words or "not measured"

    def ended(self, scenario, name):
        """Return whether a server gets no more turns in a scenario."""
        return name in self.failures or name in self.words.get(scenario, {})

    def idle(self):
        """Return the list of measured numbers of idle clients, in ascending order."""
        names = [name for name in self.rounds if name.startswith("idle-")]
        return sorted(int(name.removeprefix("idle-")) for name in names)

    def crowd(self):
        """Return the number of busy clients in the comparisons: the second one in plan.clients."""
        return self.plan.clients[1]

    def as_dict(self):
        """Return all results as a dictionary, for the JSON file."""
        return {"machine": machine(),
                "options": {"rounds": self.plan.rounds, "seconds": self.plan.seconds},
                "medians": {scenario: self.medians(scenario) for scenario in self.rounds},
                "rounds": self.rounds, "cannot": self.words, "failed": self.failures}

    def medians(self, scenario):
        """Return server -> figure -> median."""
        return {name: {figure: self.median(scenario, name, figure) for figure in rounds[0]}
                for name, rounds in self.rounds[scenario].items()}


def figures(used, seconds, latencies, memory):
    """Return the figures of a turn as a dictionary.

    used: the server's CPU seconds. seconds: the length of the turn. latencies: a list, in ns.
    memory: the server's memory in KiB."""
    count, latencies = len(latencies), sorted(latencies)
    return {"cpu_us": 1e6 * used / count, "per_second": count / seconds,
            "p50_us": latencies[count // 2] / 1e3, "p99_us": latencies[count * 99 // 100] / 1e3,
            "mib": memory / 1024, "requests": count}


def machine():
    # Python 3.13 and later can tell whether there is a GIL; older versions always have one.
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return {"python": platform.python_version(), "gil": gil, "cores": len(CORES),
            "kernel": platform.release()}
