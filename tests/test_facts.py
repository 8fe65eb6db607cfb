"""What the pages say in figures and options (ports, versions, ratios) is what the programs have."""
import ast
import re

import pytest
from harness import ROOT
from test_pages import PAGES, check_options, part, prose_of, text_of

def default_of(script, name):
    """What argparse takes if the argument is not given, as the source says: a number, or the name of a constant beside it."""
    text = (ROOT / script).read_text(encoding="utf-8")
    return re.search(rf'add(?:_argument)?\("{name}",[^)]*?default=(\w+)', text)[1]


@pytest.mark.parametrize("script, port", [
    *((f"day{path}_server.py", 8888) for path in (
        "10/iterative", "10/fork", "10/thread", "11/select", "12/poll", "12/epoll", "12/coroutine", "12/gevent", "12/asyncio")),
    ("day10/echo_client.py", 8888), ("day11/ftp/ftp_server.py", 2121), ("day11/ftp/ftp_client.py", 2121), ("day12/http_server.py", 8000),
    ("day12/classroom.py", 8012),
])
def test_ports_by_default(script, port):
    assert default_of(script, "port") == str(port)


def test_ports_by_default_of_the_chat():
    assert default_of("day07/chat/chat_server.py", "port") == default_of("day07/chat/chat_client.py", "port") == "PORT"
    assert re.search(r"^PORT = (\d+)", (ROOT / "day07/chat/chatroom/arguments.py").read_text(encoding="utf-8"), re.MULTILINE)[1] == "8888"


def test_ports_in_readme():
    """In both languages, and the same in each."""
    english, chinese = re.search(r"The chat server uses UDP port.*?first argument", text_of("README.md"), re.DOTALL)[0], re.search("端口：聊天室.*?。", text_of("README.md"))[0]
    assert re.findall(r"\d{4}", english) == re.findall(r"\d{4}", chinese) == ["8888", "8888", "2121", "8000"]


@pytest.mark.parametrize("page", PAGES)
def test_ports_in_addresses(page):
    """Of what the reader types: a port that is none of the course's own stands in the command that starts the server, too."""
    for scheme, port, path in re.findall(r"\b(http|ftp)://(?:127\.0\.0\.1|localhost)(?::(\d+))?(/api/runs)?", text_of(page)):
        usual = "8012" if path else {"http": "8000", "ftp": "2121"}[scheme]        # /api/runs is the classroom's
        assert port == usual or re.search(rf"_server\.py(?: .*)? {port}\b", text_of(page)), port
    for port in re.findall(r"\bnc (?:-u )?127\.0\.0\.1 (\d+)", text_of(page)):
        assert port in ("8888", "2121", "8000"), port


@pytest.mark.parametrize("page", PAGES)
def test_options_in_the_text(page):
    """An option that stands alone, as code, is one of a script that its page names. (Tables tell of other servers, too.)"""
    for option in re.findall(r"(?:`|<code>)(--?[a-z][\w-]*)[^`<]*", re.sub(r"^\|.*", "", prose_of(page), flags=re.MULTILINE)):
        if option in ("-l", "-a", "-rf", "-la"):   # of ls, for the FTP server
            continue
        scripts = [f"{page.rpartition('/')[0]}/{name}".lstrip("/") for name in re.findall(r"\]\(([^)]+_(?:server|client)\.py)\)", text_of(page))]
        scripts += re.findall(r"(?<=python )day\S+\.py", text_of(page))
        assert any(has_option(script, option) for script in dict.fromkeys(scripts)), option


def has_option(script, option):
    try:
        check_options(script, [option])
    except AssertionError:
        return False
    return True


def test_pythons():
    """The oldest and the newest Python are the same wherever they are named."""
    def versions(path, pattern):
        found = re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"))
        assert found, f"{path}: nothing about {pattern}"
        return found
    span = r"CPython (3\.\d+) (?:to|-) (3\.\d+)"
    assert len(versions("README.md", span)) == 2
    [(oldest, newest)] = set(versions("README.md", span))
    tuples = rf"\({oldest.replace('.', ', ')}\)"
    assert set(versions("tests/packages.py", r"needs (3\.\d+) or newer")) == {oldest} and versions("tests/packages.py", f"version_info < {tuples}")
    assert set(versions("Makefile", r"\((3\.\d+) or newer\)")) == {oldest}
    assert set(versions(".ci/run", r"CPython >= (3\.\d+)")) == {oldest} and versions(".ci/run", f"version_info < {tuples}")
    [matrix] = versions(".github/workflows/tests.yml", r"python: (\[.*\])")
    every = [f"3.{minor}" for minor in range(int(oldest[2:]), int(newest[2:]) + 1)]
    assert ast.literal_eval(matrix) == every
    assert versions(".ci/run", r"python3\.\{([\d,]+)\}") == [",".join(one[2:] for one in every)]
    assert versions("tests/test_course.py", f"feature_version={tuples}")
    for path in [path for day in ROOT.glob("day*") for path in day.glob("*.py")]:
        for version in re.findall(r"version_info < \((\d+, \d+)\)", path.read_text(encoding="utf-8")):
            assert version.replace(", ", ".") == oldest and f"this needs Python {oldest} or newer" in path.read_text(encoding="utf-8"), path


def test_figures_of_readme():
    """In each row, the number in parentheses is the figure divided by that of the column with (1)."""
    rows = re.findall(r"^\| .*\(1\) .*$", part("README.md", "## Compared with production servers"), re.MULTILINE)
    assert len(rows) >= 10
    for row in rows:
        cells = [(float(figure.replace(",", "")), ratio) for figure, ratio in re.findall(r"([\d,]+) \(([\d.]+)\)", row)]
        [one] = [figure for figure, ratio in cells if ratio == "1"]
        for figure, ratio in cells:
            assert figure / one == pytest.approx(float(ratio), abs=0.0051), row
