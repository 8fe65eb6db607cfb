"""The picture: bars for many busy clients, and curves for more and more idle ones, as SVG.
图片（SVG）：许多客户端同时工作时的条形图，以及空闲客户端越来越多时的曲线。
"""
import math
from xml.sax.saxutils import escape

from race.models import WATCHERS

WIDTH, HEIGHT = 1280, 720
GREY = "#5d6d7e"
COLOURS = {"select": "#c0392b", "poll": "#b9770e", "epoll": "#1f618d"}
TITLE = 'font-size="26" font-weight="bold"'


def picture(results):
    """Return the picture as the text of an SVG file. results: a Results."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="20">',
        "<title>Echo servers side by side: CPU time per request</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fdfdfb"/>',
        *bars(results), *curves(results), "</svg>", ""])


def text(x, y, words, style=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {style}>{escape(words)}</text>'


def bars(results):
    """Yield the left half of the picture: a bar per server, or the reason why it has none."""
    crowd = results.crowd()
    yield text(40, 50, f"{crowd} clients: CPU time per request", TITLE)
    costs = {name: results.median(f"clients-{crowd}", name) for name in results.names}
    largest = max(filter(None, costs.values()), default=1)
    step = min(66, (HEIGHT - 90) / len(costs))
    for number, (name, cost) in enumerate(costs.items()):
        y = 80 + number * step
        yield text(150, y + step / 2, name, 'text-anchor="end"')
        if cost is None:
            words = results.says(f"clients-{crowd}", name)[:46]
            yield text(165, y + step / 2, words, 'fill="#555"')
        else:
            width = 340 * cost / largest
            yield (f'<rect x="160" y="{y:.0f}" width="{width:.0f}" height="{step * 2 / 3:.0f}" '
                   f'fill="{COLOURS.get(name, GREY)}"/>')
            yield text(170 + width, y + step / 2, f"{cost:.1f} \u00b5s")


def curves(results):
    """Yield the right half: the cost of a request, plotted against the number of idle clients.

    Both axes are logarithmic."""
    yield text(690, 50, "CPU time per request, with idle clients", TITLE)
    points = {name: [(level, cost) for level in results.idle()
                     if (cost := results.median(f"idle-{level}", name))] for name in WATCHERS}
    costs = [cost for curve in points.values() for level, cost in curve] or [1]
    low, high = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))
    place = scale(results.idle() or [1], low, high)
    for exponent in range(low, high + 1):
        x, y = place(min(results.idle(), default=1), 10 ** exponent)
        yield f'<line x1="{x:.0f}" y1="{y:.0f}" x2="1150" y2="{y:.0f}" stroke="#ccc"/>'
        yield text(x - 14, y + 7, f"{10 ** exponent:,g} \u00b5s", 'text-anchor="end"')
    before = 0
    for level in results.idle():
        x, y = place(level, 10 ** low)
        # Write a number one line lower if it would touch the previous one.
        below = 57 if x - before < 65 else 35
        yield text(x, y + below, f"{level:,}", 'text-anchor="middle"')
        before = x
    yield text(960, 695, "idle connections", 'text-anchor="middle"')
    for name, curve in points.items():
        yield from draw(name, [place(*point) for point in curve])


def scale(levels, low, high):
    """Return a function that turns a number of idle clients and a cost into a place (x, y).

    low, high: the cost axis goes from 10 ** low to 10 ** high microseconds."""
    left, right = math.log10(min(levels)), math.log10(max(levels))

    def place(level, cost):
        return (770 + 380 * (math.log10(level) - left) / (right - left or 1),
                620 - 530 * (math.log10(cost) - low) / (high - low or 1))

    return place


def draw(name, places):
    """Yield a server's curve and its name. places: the points (x, y), each marked with a dot."""
    colour = COLOURS[name]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    yield f'<polyline points="{line}" stroke="{colour}" stroke-width="4" fill="none"/>'
    for x, y in places:
        yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="7" fill="{colour}"/>'
    for x, y in places[-1:]:
        style = f'fill="{colour}" font-weight="bold"'
        # select's curve ends here, but poll's goes on to the right: put "select" on the left.
        if name == "select":
            yield text(x - 14, y, name, f'{style} text-anchor="end"')
        else:
            yield text(x + 14, y + 8, name, style)
