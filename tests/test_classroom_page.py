"""Tests of the pages of `make class` and `make serve` in a real Chromium: the tests press keys and buttons, and check what appears."""
import contextlib
import json
import re

import course
import pytest
from classroom_client import Page
from harness import ROOT, serve
from http_client import SERVER, workers
from webdriver import MISSING, Browser

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

# One script of each kind: fork, wait, a zombie, signals; processes, pools; pipes, threads; locks; sockets; generators.
DEMOS = ["day07/fork.py", "day07/wait.py", "day07/zombie.py", "day07/sigchld.py", "day08/process1.py", "day08/pool.py", "day09/pipe.py",
         "day09/thread1.py", "day10/race.py", "day10/dead_lock.py", "day11/framing.py", "day12/edge_level.py", "day12/coroutine_0.py"]
SIZES = [(390, 844), (1280, 800), (1440, 900), (1920, 1080)]
VIEWS = ["", "#day07/fork.py", "#day10/fork_server.py", "#servers", "#chat", "#explorer", "#race"]
STATE = "document.querySelector('output.state').textContent"
CALM = {"prefers_reduced_motion": "reduce"}        # the page shows no animations, so the tests need not wait for them
QUIET = "!document.querySelector('.log').hasAttribute('data-waiting')"         # all output that has arrived is on the page
LINES = """[...document.querySelectorAll('.line')].map((line) => [line.classList.contains('err') ? 'err' : 'out', line.style.getPropertyValue('--lane'),
    [...line.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('').replace('\\u200b', '')])"""


@pytest.fixture(scope="module")
def classroom():
    with serve("day12/classroom.py") as server:
        yield server


@pytest.fixture(scope="module")
def chromium():
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(classroom, chromium):
    """The browser with the classroom's page, in the usual size. After the test, no run may be left, and the console must be empty.

    The page is loaded for the first test only, and then shows one view after the other, as it does in class."""
    told = Page(classroom)
    chromium.address_of_page = f"http://{told.host}/?token={told.token}"
    chromium.size(1280, 800)
    chromium.media(**CALM)
    if not chromium.js("return Boolean(window.fetchOfTheBrowser)"):
        load(chromium, "")
    yield chromium
    go(chromium, "")                               # the view that the page leaves ends its runs
    chromium.js("window.fetch = window.fetchOfTheBrowser")
    assert chromium.errors() == []
    still_running = [run for run in told.get("/api/runs")["runs"] if run["state"] == "running" and not until_ended(told, run)]
    assert not still_running


def until_ended(told, run):
    return told.finish(f"/api/runs/{run['id']}")["state"] != "running"


SHOWN = "document.getElementById('view').childElementCount && !document.querySelector('#view > [data-left]') && !document.querySelector('.source:empty')"


def load(browser, place):
    """Load the page again, with a view. The number makes it another document; without it, only the fragment would change."""
    number = browser.documents = getattr(browser, "documents", 0) + 1
    browser.open(f"{browser.address_of_page}&document={number}{place}")
    browser.wait(f"location.search.endsWith('document={number}') && {SHOWN}")
    browser.js("window.fetchOfTheBrowser = window.fetch")


def go(browser, place):
    """Show a view in the page that is already loaded. If the view is already shown, show it anew."""
    browser.js("""document.querySelector('#view > *')?.setAttribute('data-left', '');
        if (location.hash === arguments[0]) dispatchEvent(new Event('hashchange')); else location.hash = arguments[0];""", place)
    browser.wait(SHOWN)


def problem(browser):
    return browser.js("return document.getElementById('problem').hidden ? '' : document.getElementById('problem').textContent")


# Lessons

def test_demos_print_on_the_page_what_their_docstrings_say(page):
    for path in DEMOS:
        page.js("location.hash = arguments[0]", path)
        page.wait(f"document.querySelector('.title code')?.textContent.startsWith({json.dumps(path)}) && document.querySelector('.source .row')")
        page.keys("r")
        page.wait(f"/exit status|stopped|signal/.test({STATE})")
        assert "exit status 0" in page.js(f"return {STATE}"), path
        page.wait(QUIET)
        script, lines = course.describe(path), page.js(f"return {LINES}")
        assert {stream for stream, _, _ in lines} == {"out"}, path
        assert not course.compare(script.output, [text for _, _, text in lines], script.in_any_order), path


def test_the_source_is_the_file_and_each_process_has_a_lane(page):
    go(page, "#day07/fork.py")
    assert page.js("return [...document.querySelectorAll('.source .row')].map((row) => row.textContent)") == \
        (ROOT / "day07/fork.py").read_text(encoding="utf-8").splitlines()
    page.click(".start")
    page.wait(f"/exit status 0/.test({STATE}) && {QUIET}")
    parent, child = page.js("return [...document.querySelectorAll('.heads span')].map((head) => head.dataset.pid)")
    for _, lane, text in page.js(f"return {LINES}"):
        said = re.search(r"(?:child|parent)\s+(\d+)|PID (\d+)", text)
        assert (said[1] or said[2]) == (parent, child)[int(lane)]


def test_slowly_there_is_time_to_see_a_zombie(page):
    go(page, "#day07/zombie.py")
    page.keys("s")
    page.wait("document.querySelector('.zombie')?.textContent.includes('僵尸') && document.querySelectorAll('.process').length === 2")
    zombie = page.js("return document.querySelector('.zombie .pid').textContent")
    page.wait(f"/exit status 0/.test({STATE}) && {QUIET}")
    lines = [text for _, _, text in page.js(f"return {LINES}")]
    assert not course.compare(course.describe("day07/zombie.py").output, lines) and f"the child {zombie} has exited" in lines[0]
    # After the run has ended, the picture still shows the moment at which there was most to see.
    assert page.js("return document.querySelector('.system.over .zombie .pid').textContent") == zombie


# The output of a run as the server could answer it: two processes write into each other's lines, and the script fails.
PIECES = [(0, "out", "a beginning"), (1, "out", "<img src=x onerror=window.broken=1>"), (0, "out", " and its end\n"), (1, "out", "\n\n"),
          (0, "err", 'Traceback (most recent call last):\n  File "/x/day07/fork.py", line 31, in main\n'), (0, "err", "AssertionError: no\n")]
STUB = """window.fetch = async (target, options) => {
  const answer = (value, status = 200) => new Response(JSON.stringify(value), { status });
  if (options?.method === "POST") return answer({ id: 1 });
  if (target.startsWith("/api/runs/1/system")) return answer({ state: "running", processes: [] });
  if (target.startsWith("/api/runs/1")) return answer(window.next(Number(target.split("from=")[1])));
  return window.fetchOfTheBrowser(target, options);
};
const pieces = %s;
window.next = (from) => ({ state: "ended", status: 1, seconds: 1, port: null, next: pieces.length, dropped: 0, missed: false,
  lanes: [{ lane: 0, pid: 10, name: { en: "parent", zh: "" } }, { lane: 1, pid: 11, name: { en: "child 1", zh: "" } }],
  pieces: pieces.slice(from).map(([lane, stream, text]) => ({ lane, stream, text })) });
"""


@pytest.fixture
def stubbed(page):
    """The page, which gets PIECES instead of the server's answers when it runs a script."""
    page.js(STUB % json.dumps(PIECES))
    return page


def test_lines_are_put_together_and_the_line_of_the_error_is_marked(stubbed):
    go(stubbed, "#day07/fork.py")
    stubbed.keys("r")
    stubbed.wait("document.querySelector('.marked')")
    assert stubbed.js("return document.querySelector('.marked').textContent") == \
        (ROOT / "day07/fork.py").read_text(encoding="utf-8").splitlines()[30]
    stubbed.wait("document.querySelectorAll('.line').length === 7")
    assert stubbed.js(f"return {LINES}") == [
        ["out", "0", "a beginning"], ["out", "1", PIECES[1][2]], ["out", "0", " and its end"], ["out", "1", ""],
        ["err", "0", "Traceback (most recent call last):"], ["err", "0", '  File "/x/day07/fork.py", line 31, in main'],
        ["err", "0", "AssertionError: no"]]
    assert "exit status 1" in stubbed.js(f"return {STATE}") and not stubbed.js("return window.broken")
    stubbed.keys("r")                              # a second run begins with an empty page
    stubbed.wait("document.querySelectorAll('.line').length === 7")


def test_a_flood_of_output_leaves_a_bounded_page(stubbed):
    go(stubbed, "#day07/fork.py")
    stubbed.js("""const line = (n) => `line ${n} of a flood, as long as such lines are\\n`; let n = 0;
        window.next = (from) => ({ state: from < 20000 ? "running" : "ended", status: 0, seconds: 1, port: null, next: Math.min(from + 1200, 20001),
          dropped: 0, missed: false, lanes: [{ lane: 0, pid: 10, name: { en: "parent", zh: "" } }],
          pieces: from > 20000 ? [] : [{ lane: 0, stream: "out", text: Array.from({ length: 1200 }, () => line(n++)).join("") }] });""")
    stubbed.keys("r")
    stubbed.wait(f"/exit status 0/.test({STATE}) && {QUIET}")
    assert stubbed.js("return document.querySelectorAll('.line').length") <= 400
    lines = stubbed.js("return [...document.querySelectorAll('.line')].map((line) => line.textContent)")
    assert lines == [f"line {n} of a flood, as long as such lines are" for n in range(20400 - len(lines), 20400)]       # no holes
    assert stubbed.js("return document.querySelector('.log .empty').textContent").startswith(f"{20400 - len(lines):,} earlier lines")


def test_it_is_asked_seldom_while_nothing_is_new_and_at_once_when_something_is_done(stubbed):
    go(stubbed, "#day07/fork.py")
    # When nothing has been new for long, an action takes place. The next question must come at once, then there are a few without news.
    stubbed.js("""let last = 0, left = 0, acted = false; window.after = [];
        window.next = (from) => {
          const now = performance.now(), gap = now - last;
          if (acted) after.push(gap);
          acted = last && gap > 450 && --left < 0;
          if (acted) { left = 3; setTimeout(() => dispatchEvent(new Event("acted")), 20); }
          last = now;
          return { state: "running", status: null, seconds: 1, port: null, next: 0, dropped: 0, missed: false, lanes: [], pieces: [] };
        };""")
    stubbed.keys("r")
    stubbed.wait("after.length === 2")
    assert min(stubbed.js("return after")) < 250                   # a loaded machine may delay one of the two


def test_a_refusal_is_said_in_both_languages_and_a_dead_server_too(page):
    go(page, "#day07/fork.py")
    page.js("""window.fetch = async () => new Response('{"error": {"en": "8 run already", "zh": "已有 8 个"}}', { status: 429 })""")
    page.keys("r")
    page.wait("!document.getElementById('problem').hidden")
    assert problem(page) == "8 run already 已有 8 个"
    page.js("window.fetch = async () => { throw new TypeError('no connection'); }")
    page.keys("r")
    page.wait("document.getElementById('problem').textContent.includes('does not answer')")


# Keys

def test_everything_can_be_done_with_the_keyboard(page):
    def focused():
        return page.js("const a = document.activeElement; return [a.tagName, a.className, a.textContent, getComputedStyle(a).outlineStyle]")

    for _ in range(20):
        page.keys("Tab")
        if "fork.py" in focused()[2]:
            break
    assert focused()[3] != "none"                  # the focus is visible
    page.keys("Enter")
    page.wait("document.querySelector('.source .row')")
    for _ in range(20):
        page.keys("Tab")
        if "start" in focused()[1]:
            break
    page.keys("Enter")
    page.wait(f"/exit status 0/.test({STATE})")
    page.keys("Right")
    page.wait("location.hash === '#day07/fork1.py'")
    page.keys("Left")
    page.wait("location.hash === '#day07/fork.py' && document.querySelector('.source .row')")
    size = "return [getComputedStyle(document.querySelector('.source')).fontSize, document.querySelector('.start').offsetHeight].map(parseFloat)"
    content, control = page.js(size)
    page.keys("+")
    larger, same = page.js(size)
    assert larger > content and same == control    # the content grows, the controls do not
    page.keys("-")
    assert page.js(size) == [content, control]


# Servers

def seen(browser):
    """Return for each picture on the page the numbers [processes, threads, connected sockets] that it shows."""
    return browser.js("""return [...document.querySelectorAll('.system')].map(({ dataset }) =>
        ['processes', 'threads', 'sockets'].map((name) => Number(dataset[name])))""")


def begin(browser, one, two):
    go(browser, "#servers")
    browser.js("""const { one, two } = document.querySelector('.choose'); [one.value, two.value] = arguments""",
               f"{one}|", two and f"{two}|")
    browser.click(".choose .start")
    browser.wait("!document.querySelector('.act').disabled && [...document.querySelectorAll('.system')].every((f) => f.dataset.processes === '1')")


def test_what_two_clients_make_appear_in_each_model(page):
    two_more = {"day10/fork_server.py": [3, 3, 2], "day10/thread_server.py": [1, 3, 2], "day12/epoll_server.py": [1, 1, 2]}
    for one, two in [("day10/fork_server.py", "day12/epoll_server.py"), ("day10/thread_server.py", "")]:
        begin(page, one, two)
        assert seen(page) == [[1, 1, 0]] * len(seen(page))
        page.click("[data-count='1']")
        page.click("[data-count='1']")
        wanted = [two_more[path] for path in (one, two) if path]
        page.wait("""JSON.stringify([...document.querySelectorAll('.system')].map(({ dataset }) =>
            ['processes', 'threads', 'sockets'].map((name) => Number(dataset[name])))) === arguments[0]""", json.dumps(wanted, separators=(",", ":")))
        page.click("[data-action=say]")
        page.wait("[...document.querySelectorAll('.clients tbody tr')].every((row) => row.cells[2].textContent === 'hello 你好' && Number(row.cells[3].textContent) >= 0)")
        page.click("[data-action=leave]")
        page.wait("[...document.querySelectorAll('.system')].every(({ dataset }) => dataset.processes === '1' && dataset.threads === '1' && dataset.sockets === '0')")
        assert problem(page) == ""
        page.keys("Escape")
        page.wait("document.querySelector('.stop').disabled")


def test_a_client_in_the_queue_of_a_server_that_serves_another(page):
    begin(page, "day10/iterative_server.py", "")
    page.click("[data-count='1']")
    page.click("[data-count='1']")
    page.wait("document.querySelector('.system').dataset.queue === '1' && document.querySelector('.queued')")


def test_the_chat_with_two_members(page):
    go(page, "#chat")
    page.click(".start")
    page.wait("document.querySelectorAll('.member input:enabled').length === 3")
    page.wait("/joined from(.|\\n)*joined from/.test(document.querySelector('.member .log').textContent)")
    page.click(".member:nth-child(2) input")
    page.js("document.activeElement.value = '<b>大家好</b>'")
    page.keys("Enter")
    page.wait("document.querySelector('.member:nth-child(3) .log').textContent.includes('小明：<b>大家好</b>') || "
              "document.querySelector('.member:nth-child(3) .log').textContent.includes('<b>大家好</b>')")
    page.click(".stop")


def test_the_explorer_steps_through_a_lost_update(page):
    go(page, "#explorer")
    page.wait("document.querySelectorAll('.bars b').length === 2")
    for _ in range(4):
        page.keys("Right")
    assert "the end: n = 1" in page.js(f"return {STATE}") and page.js("return document.querySelectorAll('.schedule tbody tr').length") == 4
    page.keys("Left")
    assert page.js("return document.querySelector('.now').textContent").endswith("writes n: 1")


# What a closed page leaves, and the layout

def test_a_page_that_goes_away_leaves_no_run(page, classroom):
    told = Page(classroom)
    before = page.tab()
    page.open(page.address_of_page + "#day10/fork_server.py")
    page.wait("document.querySelector('.source .row')")
    page.keys("r")
    page.wait("document.querySelector('.line')")
    run = next(run for run in told.get("/api/runs")["runs"] if run["state"] == "running")
    page.close_tab(back_to=before)
    assert told.finish(f"/api/runs/{run['id']}")["state"] == "stopped"


def test_nothing_is_wider_than_the_screen(page):
    colours = {"light": "rgb(243, 245, 248)", "dark": "rgb(14, 20, 27)"}
    for view in VIEWS:
        load(page, view)                           # load each view as the first view of a page
        for width, height in SIZES:
            page.size(width, height)
            for scheme, colour in colours.items():
                page.media(prefers_color_scheme=scheme, **CALM)
                assert page.js("""return [document.documentElement.scrollWidth <= innerWidth, getComputedStyle(document.body).backgroundColor,
                    [...document.querySelectorAll('main *, .bar *')].filter((element) => element.offsetParent && !element.closest('.heard')
                        && element.getBoundingClientRect().right > innerWidth + 1).map(({ className }) => className)]"""
                               ) == [True, colour, []], (view, width)


# The front page of `make serve`: its panel shows the numbers of the server

# Records every value that the panel shows, by name. Timers run several times faster, and the script looks at the panel every 5 ms.
RECORD = """{ const patient = window.setTimeout; window.setTimeout = (run, milliseconds) => patient(run, milliseconds / %d); }
    window.seen = {}; window.states = [];
    setInterval(() => {
        const text = (id) => document.getElementById(`status-${id}`)?.textContent.trim().replace(/\\s+/g, " ") ?? "";
        for (const name of ["connections", "requests", "bytes", "workers", "state"]) {
            seen[name] ??= [];
            if (text(name) && seen[name].at(-1) !== text(name)) seen[name].push(text(name));
        }
        const now = JSON.stringify([document.getElementById("status")?.dataset.state, text("rate"), text("uptime"),
            document.getElementById("status-workers")?.rows.length, document.getElementById("status-trace")?.getAttribute("points")]);
        if (states.at(-1) !== now) states.push(now);
    }, 5);"""


@contextlib.contextmanager
def front_page(browser, script="", faster=10, workers=1):
    """Open the front page of a new server, with a script that runs before the page's own. At the end, the console must be empty."""
    identifier = browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=RECORD % faster + script)["identifier"]
    try:
        with serve(SERVER, "-w", workers, "--quiet") as server:
            browser.open(f"http://127.0.0.1:{server.port}/")
            yield server
            browser.open("about:blank")
        assert browser.errors() == []
    finally:
        browser.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=identifier)


def test_a_browser_shows_the_page_and_its_numbers_change(chromium):
    with front_page(chromium, workers=2) as server:
        chromium.wait("['requests', 'bytes'].every((name) => seen[name]?.length >= 3)"
                      " && Number(seen.requests.at(-1).replace(/\\D/g, '')) > 5")
        seen = chromium.js("return seen")
        assert len(workers(server)) == 2 and all(str(pid) in seen["workers"][-1] for pid in workers(server))
        numbers = [int(re.sub(r"\D", "", text)) for text in seen["requests"] if re.search(r"\d", text)]
        assert numbers == sorted(numbers) and numbers[-1] > 5


# Answers of a server, one for each question of the page. After the last answer, the page becomes hidden.
READINGS = """const worker = (pid, requests) => ({ pid, uptime: 1, connections: 1, requests, bytes: 1000 });
    const answers = [{ uptime: 10, workers: [worker(1, 100), worker(2, 100)] }, { uptime: 12, workers: [worker(1, 300), worker(2, 100)] },
        null, { uptime: 83, workers: [worker(1, 400)] }, { uptime: 84, workers: [worker(1, 450)] }];
    window.asked = 0;
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    window.fetch = async () => {
        const answer = answers[Math.min(asked++, 4)];
        if (!answer) throw new Error("down");
        return { ok: true, status: 200, text: async () => JSON.stringify(answer) };
    };
    setInterval(() => {
        if (asked === 5 && !hidden) { hidden = true; document.dispatchEvent(new Event("visibilitychange")); window.whenHidden = asked; }
    }, 5);"""


def test_the_panel_says_what_the_server_says(chromium):
    with front_page(chromium, READINGS):
        chromium.wait("JSON.parse(states.at(-1))[0] === 'paused' && asked >= 5")
        # In these 3 seconds, a page that is not hidden would have asked again.
        found = chromium.js("return new Promise((done) => setTimeout(() => done({ states, asked, whenHidden }), 3000))")
    seen = [json.loads(one) for one in found["states"]]
    states = [state for state, *_ in seen]
    assert ["live", "100", "12 s", 2] in [one[:4] for one in seen]                 # 200 requests in 2 seconds
    assert "down" in states and "live" in states[states.index("down"):]            # the panel asks again after an error
    assert "1 min 23 s" in [one[2] for one in seen] and seen[-1][3] == 1           # the row of the ended worker is removed
    assert seen[-1][0] == "paused" and found["asked"] == found["whenHidden"] == 5
    points = [[tuple(map(float, point.split(","))) for point in one[4].split()] for one in seen if one[4]]
    assert [x for x, y in points[0]] == [0, 1] and all(y < 5 for x, y in points[0])        # the first rate is already a line, at the top of the box
    assert [x for x, y in points[-1]] == list(range(len(points[-1])))              # the curve grows from the left


ANSWERS = {
    "live": "new Response(JSON.stringify({ uptime: window.asked, workers: [{ pid: 7, connections: 1, requests: 10 * window.asked, bytes: 5 }] }))",
    "busy": "new Response('', { status: 503 })", "down": "(() => { throw new TypeError('refused'); })()",
    "none": "new Response('<p>every page</p>')"}


def test_the_panel_of_the_front_page_says_what_the_server_answers(chromium):
    stub = f"window.asked = 0; window.fetch = async () => {{ asked++; return answer(); }}; window.answer = () => {ANSWERS['live']};"
    with front_page(chromium, stub, faster=50):
        panel = "document.getElementById('status').dataset.state === arguments[0]"
        chromium.wait(panel + " && document.getElementById('status-trace').getAttribute('points').split(' ').length > 3", "live")
        assert chromium.js("return document.getElementById('status-rate').textContent") == "10"
        for state in "busy", "live", "down", "live", "none":
            chromium.js(f"window.answer = () => {ANSWERS[state]}")
            chromium.wait(panel, state)
        asked = chromium.js("return window.asked")
        chromium.js("return new Promise((done) => setTimeout(done, 5000))")
        assert chromium.js("return window.asked") == asked           # the panel never asks a server without /api/status again
