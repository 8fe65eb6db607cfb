"""The HTTP server and real clients, and the course's own pages."""
import html
import json
import os
import re
import shutil
import tempfile
import urllib.parse

import course
import pytest
import readme
from harness import ROOT, TIMEOUT, run, serve
from http_client import FILES, LARGE, SERVER, Client, get, workers
from http_client import server, shared  # fixtures

SITE = ROOT / "day12/site"


# Real clients

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


def curl(server, *args, **options):
    return run("curl", "-sS", *args[:-1], f"http://127.0.0.1:{server.port}{args[-1]}", **options)


@needs_curl
def test_curl(server, tmp_path):
    for name in "large.bin", "a b%41.txt", "中文 文件.txt":
        curl(server, "-o", tmp_path / "out", "/" + urllib.parse.quote(name))
        assert (tmp_path / "out").read_bytes() == FILES[name]
    (tmp_path / "out").write_bytes(LARGE[:1234])
    curl(server, "-C", "-", "-o", tmp_path / "out", "/large.bin")      # goes on with a download
    assert (tmp_path / "out").read_bytes() == LARGE
    assert "301" in curl(server, "-L", "-w", "%{http_code} %{num_redirects} ", "-D", "-", "/folder").stdout
    assert curl(server, "-0", "/").stdout == "<p>home</p>\n"
    assert curl(server, "-z", "1 Jan 2100", "-w", "%{http_code}", "/").stdout == "304"
    assert curl(server, "-T", "-", "-o", "/dev/null", "-w", "%{http_code}", "/put", stdin="x" * 5000).stdout == "405"
    many = curl(server, "-Z", "--parallel-max", "50", "-o", "/dev/null", "-w", "%{http_code}\n", "/?[1-200]", stderr=".*").stdout
    assert many.split() == ["200"] * 200


# The course's own pages

def test_every_link_of_the_site_leads_somewhere():
    """Also those to styles, scripts and pictures; and nothing comes from anywhere else."""
    with serve(SERVER, "--quiet") as server, Client(server) as client:
        todo, seen = ["/"], set()
        while todo:
            target = todo.pop()
            seen.add(target)
            answer = client.get(target)
            assert answer.status == 200, target
            text = answer.body.decode()
            if target.startswith("/source/"):      # a script: what is in it is no link
                assert text == (ROOT / target.removeprefix("/source/")).read_text(encoding="utf-8")
                continue
            for link in re.findall(r'(?:href|src)="([^"#]+)', text) + re.findall(r"url\(([^)#]+)\)", text):
                assert ":" not in link and not link.startswith("//"), f"{target} needs {link}"
                link = os.path.normpath(os.path.join(os.path.dirname(target), link))
                if link not in seen and link not in todo:
                    todo.append("/" + link.lstrip("/"))
    on_disk = {"/" + str(path.relative_to(SITE)) for path in SITE.rglob("*") if path.is_file()} - {"/index.html"}
    scripts = {f"/source/{script.path}" for script in course.scripts_in_order()}
    assert seen - {"/", "/index.html"} == on_disk | scripts


def test_the_names_of_the_scripts_lead_to_them():
    """As they are now, and only with the course's own page."""
    with serve(SERVER, "--quiet") as server, Client(server) as client:
        for path in course.find_scripts():
            answer = client.get(f"/source/{path}")
            assert (answer.status, answer["content-type"], answer["cache-control"]) == (200, "text/plain; charset=utf-8", "no-store")
            assert answer.body == (ROOT / path).read_bytes(), path
            assert client.get(f"/source/{path}", method="POST").status == 405
        for target in "/source/", "/source/README.md", "/source/day07/../README.md", "/source/tests/harness.py", "/source/Makefile":
            assert client.get(target).status == 404
    for folder in SITE, ROOT:
        with serve(SERVER, "-d", folder, "--quiet") as server:
            assert get(server, "/source/day07/fork.py").status == 404


def test_every_script_of_the_page_is_a_link_that_is_served():
    """Of the page as `make readme` writes it."""
    page = readme.list_of_site((SITE / "index.html").read_text(encoding="utf-8"))
    links = re.findall(r'<a class="name" href="/source/([^"]+)">', page)
    assert sorted(links) == sorted(course.find_scripts())


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Shows the page in a frame and collects what it shows, as it changes.
PROBE = """<!doctype html><title>probe</title><iframe src="index.html" width="1000" height="800"></iframe><pre id="seen"></pre>
<script>
const seen = {};
setInterval(() => {
    for (const id of ["status-connections", "status-requests", "status-bytes", "status-workers", "status-state"]) {
        const element = document.querySelector("iframe").contentDocument?.getElementById(id);
        const text = element ? element.textContent.trim().replace(/\\s+/g, " ") : "";
        seen[id] ??= [];
        if (text && seen[id].at(-1) !== text) seen[id].push(text);
    }
    document.getElementById("seen").textContent = JSON.stringify(seen);
}, 100);
</script>
"""


def browse(server, home, path, milliseconds):
    """The page as a browser shows it after so long, in the browser's own time."""
    folders = dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"], home)
    return run(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
               "--disable-background-networking", "--disable-component-update", f"--user-data-dir={home}/profile",
               f"--virtual-time-budget={milliseconds}", "--dump-dom", f"http://127.0.0.1:{server.port}/{path}",
               stderr=".*", env=folders, orphans=range(20), timeout=2 * TIMEOUT).stdout


@pytest.mark.skipif(not BROWSER, reason="Chromium is not installed")
def test_a_browser_shows_the_page_and_its_numbers_change(tmp_path):
    root = tmp_path / "site"
    shutil.copytree(SITE, root)
    (root / "probe.html").write_text(PROBE)
    # A folder with a short path, for it makes sockets there.
    with tempfile.TemporaryDirectory() as home, serve(SERVER, "-d", root, "-w", 2, "--quiet") as server:
        shown = browse(server, home, "probe.html", 6000)
        seen = json.loads(re.search(r'<pre id="seen">(.*?)</pre>', shown)[1])
        for name in "requests", "bytes":           # (the time in the browser is faster than ours)
            assert len(seen[f"status-{name}"]) >= 3, seen
        assert len(workers(server)) == 2 and all(str(pid) in seen["status-workers"][-1] for pid in workers(server))
        numbers = [int(re.sub(r"\D", "", text)) for text in seen["status-requests"] if re.search(r"\d", text)]
        assert numbers == sorted(numbers) and numbers[-1] > 5


# Answers of a server, one for each time that the page asks; it records what it shows, hides itself for a while, and in the end.
STUB = """<script>
const worker = (pid, requests) => ({ pid, uptime: 1, connections: 1, requests, bytes: 5000000 });
const answers = [{ uptime: 10, workers: [worker(1, 100), worker(2, 100)] }, { uptime: 12, workers: [worker(1, 300), worker(2, 100)] },
                 null, { uptime: 83, workers: [worker(1, 400)] }, { uptime: 84, workers: [worker(1, 450)] },
                 { uptime: 200, workers: [worker(1, 10000)] }, { uptime: 201, workers: [worker(1, 10010)] }];
const asleep = [];                      // how often it had asked, again and again while it was hidden
let asked = 0;
let hidden = false;
const hide = (now) => { hidden = now; document.dispatchEvent(new Event("visibilitychange")); };
Object.defineProperty(document, "hidden", { get: () => hidden });
window.fetch = async () => {
  const answer = answers[Math.min(asked++, 6)];
  if (!answer) throw new Error("down");
  return { ok: true, status: 200, text: async () => JSON.stringify(answer) };
};
const seen = [];
setInterval(() => {
  const text = (id) => document.getElementById(id)?.textContent.trim();
  const now = JSON.stringify([document.getElementById("status")?.dataset.state, text("status-rate"), text("status-uptime"),
    document.getElementById("status-workers")?.rows.length, document.getElementById("status-trace")?.getAttribute("points"),
    text("status-bytes")]);
  if (seen.at(-1) !== now) seen.push(now);
  if (hidden) asleep.push(asked);
  if (hidden && asleep.length === 40) hide(false);
  else if (!hidden && (asked === 5 && !asleep.length || asked === 7)) hide(true);
  document.title = JSON.stringify({ seen, asleep });
}, 50);
</script>"""


@pytest.mark.skipif(not BROWSER, reason="Chromium is not installed")
def test_the_panel_says_what_the_server_says(tmp_path):
    root = tmp_path / "site"
    shutil.copytree(SITE, root)
    page = (root / "index.html").read_text(encoding="utf-8")
    (root / "index.html").write_text(page.replace("<head>", "<head>" + STUB, 1), encoding="utf-8")
    with tempfile.TemporaryDirectory() as home, serve(SERVER, "-d", root, "--quiet") as server:
        shown = browse(server, home, "index.html", 14000)
    found = json.loads(html.unescape(re.search(r"<title>(\{.*?)</title>", shown)[1]))
    seen = [json.loads(one) for one in found["seen"]]
    states = [state for state, *_ in seen]
    assert ["live", "100", "12 s", 2] in [one[:4] for one in seen]                 # 200 requests in 2 seconds
    assert "down" in states and "live" in states[states.index("down"):]            # and it asks again
    assert "1 min 23 s" in [one[2] for one in seen] and seen[-1][3] == 1           # the row of the worker that has ended
    assert seen[-1][0] == "paused" and found["asleep"][:40] == [5] * 40 and set(found["asleep"][40:]) == {7}
    rates = list(dict.fromkeys(one[1] for one in seen))
    assert rates[-3:] == ["100", "50", "10"]       # none over the pause
    assert list(dict.fromkeys(one[5] for one in seen))[-2:] == ["10.0 MB", "5.0 MB"]
    points = [[tuple(map(float, point.split(","))) for point in one[4].split()] for one in seen if one[4]]
    assert [x for x, y in points[0]] == [0, 1] and all(y < 5 for x, y in points[0])        # a line at once; the top is a high rate
    assert [x for x, y in points[-1]] == list(range(len(points[-1])))              # it grows from the left


def test_the_colour_of_a_server_that_answers_is_not_that_of_an_error():
    style = (SITE / "style.css").read_text(encoding="utf-8")
    def colours(state):
        return set(re.findall(r"var\((--\w+)\)", "".join(re.findall(rf'data-state="{state}"\] \.state[^{{]*{{([^}}]*)}}', style))))
    assert colours("live") and colours("busy") and colours("live").isdisjoint(colours("busy") | colours("down"))
