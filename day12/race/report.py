"""The report: a table with bars for each scenario, then what the figures mean, in sentences.
报告：每个场景一张带条形图的表，然后用句子说明这些数字的含义。

table() turns figures into rows, and lesson() turns figures into sentences. No line of the report
exceeds 80 columns.
"""
import textwrap

from race.load import SLOTS
from race.models import MODELS, WATCHERS
from race.results import machine

COLUMNS = 80
LABEL, BAR = 14, 20                 # widths in characters, including the space after each
FORMATS = {"per_second": "11,.0f", "p50_us": "9,.0f", "p99_us": "9,.0f", "mib": "7.1f",
           "connections": "11,.0f"}


def report(results, took):
    """Yield the lines of the report. took: how many seconds the race took."""
    plan, facts = results.plan, machine()
    gil = "with" if facts["gil"] else "without"
    cores = "one core for the servers, one for the clients"
    if facts["cores"] == 1:
        cores = "one core for all"
    yield f"CPython {facts['python']} {gil} a GIL, Linux {facts['kernel']}"
    yield f"{cores}; {plan.rounds} x {plan.seconds:g} s each, {took:.0f} s in all"
    left_out = [f"{name} ({reason})" for name, reason in results.words.get("", {}).items()]
    if left_out:
        yield from fold(f"Left out: {', '.join(left_out)}", "", "  ")
    for count in plan.clients:
        clients = "1 client, one long connection"
        if count > 1:
            clients = f"{count} clients, a long connection each"
        yield from cost_table(results, clients, f"clients-{count}")
    yield from cost_table(results, f"A new connection per request, {SLOTS} at a time", "fresh")
    if results.idle_for_all:
        level = results.idle_for_all
        title = f"1 busy client beside {level:,} idle ones"
        yield from cost_table(results, title, f"idle-{level}")
    yield from growth_table(results)
    yield from memory_table(results)
    yield from ["", "What this shows"]
    for name in results.names:
        yield from fold(lesson(results, name), f"  {name:12}")


# Figures become rows.

def cost_table(results, title, scenario):
    return table(results, title, [(name, scenario, name) for name in results.names])


def growth_table(results):
    rows = [(f"{name} {level:,}", f"idle-{level}", name)
            for name in WATCHERS if name in results.names for level in results.idle()]
    if rows:
        yield from table(results, "1 busy client beside a growing number of idle clients", rows)


def memory_table(results):
    plan, held = results.plan, {name: MODELS[name].held for name in results.names}
    rows = [(name, "memory", name) for name in results.names if held[name]]
    yield from table(results, "Connections that are held and silent", rows, "memory for each",
                     f"{'KiB':>8}{'held':>11}", "kib", ["connections"])
    fewer = [f"{name} {held[name]:,}" for name in results.names if 0 < held[name] < plan.held]
    wanted = f"Wanted: {plan.held:,}"
    if fewer:
        wanted += f" per server; reduced to save memory and time: {', '.join(fewer)}"
    yield from fold(f"{wanted}.", "  ", "  ")
    if results.room < plan.held:
        yield f"  The limit on descriptors (ulimit -Hn) allows {results.room:,} connections."


def table(results, title, rows, what="CPU time per request",
          head=f"{'us':>8}{'requests/s':>11}{'p50 us':>9}{'p99 us':>9}{'MiB':>7}",
          figure="cpu_us", others=("per_second", "p50_us", "p99_us", "mib")):
    """Yield the lines of a table.

    rows: a (label, scenario, server) for each row. what: the heading above the bars. head: the
    headings above the figures.
    figure: the figure that the bar and the first number show. others: the figures in the columns
    after the first number.
    If a server has no figures, its row says why."""
    values = [results.median(scenario, name, figure) for label, scenario, name in rows]
    largest = max(filter(None, values), default=1)
    yield from ["", title, f"  {'':{LABEL}}{what:{BAR}}{head}"]
    for (label, scenario, name), value in zip(rows, values):
        if value is None:
            room, words = COLUMNS - LABEL - 2, results.says(scenario, name)
            yield f"  {label:{LABEL}}{textwrap.shorten(words, room, placeholder=' ...')}"
        else:
            bar = "#" * max(1, round((BAR - 1) * value / largest))
            more = (f"{results.median(scenario, name, one):{FORMATS[one]}}" for one in others)
            yield f"  {label:{LABEL}}{bar:{BAR}}{value:8.1f}{''.join(more)}"


# Figures become sentences.

def lesson(results, name):
    """Return the sentences about a server. All figures in the sentences are from this race."""
    if results.ended("", name):
        return results.says("", name)
    among = f"a request among {results.crowd()} clients"
    compare = [*MODELS[name].compare, (among, f"clients-{results.crowd()}", "epoll")]
    sentences = [MODELS[name].lesson, *(comparison(results, name, *one) for one in compare)]
    if name in WATCHERS:
        sentences += growth(results, name)
    return " ".join(sentences)


def comparison(results, name, what, scenario, other):
    """Return a sentence about one of a server's costs, compared with another's if possible."""
    figure, unit = ("kib", "KiB") if scenario == "memory" else ("cpu_us", "us")
    ours, theirs = (results.median(scenario, one, figure) for one in (name, other))
    what = what[0].upper() + what[1:]
    if ours is None:
        return f"{what}: {results.says(scenario, name)}."
    # A memory figure of 0 or less is rare, but possible: if another program begins to share some
    # of the server's memory, a smaller part of this memory is counted as the server's.
    if theirs and min(ours, theirs) > 0 and other != name:
        return f"{what} takes {ours:,.1f} {unit}, {times(ours / theirs)} as with {other}."
    return f"{what} takes {ours:,.1f} {unit}."


def times(ratio):
    if 0.9 < ratio < 1.1:
        return "about as much"
    if ratio < 1:
        return f"{ratio:.2f} times as much"
    if ratio <= 10:
        return f"{ratio:.1f} times as much"
    return f"{ratio:,.0f} times as much"


def growth(results, name):
    """Yield sentences on how idle clients affect the cost of a request, and any limit reached."""
    costs = {level: results.median(f"idle-{level}", name) for level in results.idle()}
    measured = [level for level, cost in costs.items() if cost is not None]
    missing = [level for level, cost in costs.items() if cost is None]
    if len(measured) > 1:
        first, last = measured[0], measured[-1]
        verdict = "idle clients cost next to nothing."
        if costs[last] > 1.5 * costs[first]:
            verdict = "each idle client adds to the cost of every request."
        yield (f"From {first:,} to {last:,} idle clients, the cost of a request goes "
               f"from {costs[first]:.1f} to {costs[last]:.1f} us: {verdict}")
    for level in missing[:1]:
        yield f"With {level:,} idle clients: {results.says(f'idle-{level}', name)}."


def fold(text, indent, rest=14 * " "):
    return textwrap.wrap(text, COLUMNS, initial_indent=indent, subsequent_indent=rest)
