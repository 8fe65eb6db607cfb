"""The HTTP server and real clients, and the course's own pages."""
import json
import os
import re
import shutil
import tempfile
import urllib.parse

import course
import pytest
from harness import ROOT, TIMEOUT, run, serve
from http_client import FILES, LARGE, SERVER, Client, workers
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


@pytest.mark.skipif(not BROWSER, reason="Chromium is not installed")
def test_a_browser_shows_the_page_and_its_numbers_change(tmp_path):
    root = tmp_path / "site"
    shutil.copytree(SITE, root)
    (root / "probe.html").write_text(PROBE)
    # A folder with a short path, for it makes sockets there.
    with tempfile.TemporaryDirectory() as home, serve(SERVER, "-d", root, "-w", 2, "--quiet") as server:
        folders = dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TMPDIR"], home)
        browser = run(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                      "--disable-background-networking", "--disable-component-update", f"--user-data-dir={home}/profile",
                      "--virtual-time-budget=6000", "--dump-dom", f"http://127.0.0.1:{server.port}/probe.html",
                      stderr=".*", env=folders, orphans=range(20), timeout=2 * TIMEOUT)
        seen = json.loads(re.search(r'<pre id="seen">(.*?)</pre>', browser.stdout)[1])
        for name in "requests", "bytes":           # (the time in the browser is faster than ours)
            assert len(seen[f"status-{name}"]) >= 3, seen
        assert len(workers(server)) == 2 and all(str(pid) in seen["status-workers"][-1] for pid in workers(server))
        numbers = [int(re.sub(r"\D", "", text)) for text in seen["status-requests"] if re.search(r"\d", text)]
        assert numbers == sorted(numbers) and numbers[-1] > 5
