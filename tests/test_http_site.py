"""Tests of the HTTP server with curl, and of the course's own pages. What a browser shows of these pages: test_classroom_page.py."""
import os
import re
import shutil
import urllib.parse

import course
import pytest
import readme
from harness import ROOT, run, serve
from http_client import FILES, LARGE, SERVER, Client, get
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
    curl(server, "-C", "-", "-o", tmp_path / "out", "/large.bin")      # continues a download
    assert (tmp_path / "out").read_bytes() == LARGE
    assert "301" in curl(server, "-L", "-w", "%{http_code} %{num_redirects} ", "-D", "-", "/folder").stdout
    assert curl(server, "-0", "/").stdout == "<p>home</p>\n"
    assert curl(server, "-z", "1 Jan 2100", "-w", "%{http_code}", "/").stdout == "304"
    assert curl(server, "-T", "-", "-o", "/dev/null", "-w", "%{http_code}", "/put", stdin="x" * 5000).stdout == "405"
    many = curl(server, "-Z", "--parallel-max", "50", "-o", "/dev/null", "-w", "%{http_code}\n", "/?[1-200]", stderr=".*").stdout
    assert many.split() == ["200"] * 200


# The course's own pages

def test_every_link_of_the_site_leads_somewhere():
    """This includes links to styles, scripts and pictures. No link may lead to another server."""
    with serve(SERVER, "--quiet") as server, Client(server) as client:
        todo, seen = ["/"], set()
        while todo:
            target = todo.pop()
            seen.add(target)
            answer = client.get(target)
            assert answer.status == 200, target
            text = answer.body.decode()
            if target.startswith("/source/"):      # the source of a script contains no links
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
    """/source/ serves the scripts as they are now, and only if the server serves the course's own pages."""
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
    """The page is checked as `make readme` would write it now."""
    page = readme.list_of_site((SITE / "index.html").read_text(encoding="utf-8"))
    links = re.findall(r'<a class="name" href="/source/([^"]+)">', page)
    assert sorted(links) == sorted(course.find_scripts())


def test_the_colour_of_a_server_that_answers_is_not_that_of_an_error():
    style = (SITE / "style.css").read_text(encoding="utf-8")
    def colours(state):
        return set(re.findall(r"var\((--\w+)\)", "".join(re.findall(rf'data-state="{state}"\] \.state[^{{]*{{([^}}]*)}}', style))))
    assert colours("live") and colours("busy") and colours("live").isdisjoint(colours("busy") | colours("down"))
