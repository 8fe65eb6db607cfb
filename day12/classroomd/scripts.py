"""Lists the scripts, with the titles from their docstrings, and says how each can be run.
列出所有脚本，标题来自它们的文档字符串，并说明每个可以怎样运行。
"""
import ast
import os
import re
import sys

from classroomd.problem import Problem
from classroomd.runs import Order

ROW = re.compile(r"^\| \[[^\]]+\]\((day(\d\d)[^)]*\.py)\)", re.MULTILINE)
RUN = {"id": "", "en": "run", "zh": "运行", "args": []}
# Run a script with a pause after each print: see slowly.py.
SLOWLY = {"id": "slowly", "en": "slowly", "zh": "慢放", "args": []}
SLOWLY_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slowly.py")
# Echo servers -> the drawing of their model in site/models.html, or None.
MODELS = {"day10/iterative_server.py": "iterative", "day10/fork_server.py": "fork",
          "day10/thread_server.py": "thread", "day11/select_server.py": "select",
          "day12/poll_server.py": None, "day12/epoll_server.py": "epoll",
          "day12/coroutine_server.py": "coroutine", "day12/gevent_server.py": None,
          "day12/asyncio_server.py": None}
CHAT, FTP = "day07/chat/chat_server.py", "day11/ftp/ftp_server.py"
# Other servers -> (protocol, arguments after the port). The FTP server does not allow uploads.
SERVERS = {CHAT: ("chat", ["-v"]), FTP: ("ftp", ["-v", "--read-only"]),
           "day12/http_server.py": ("http", [])}
# Client programs -> the server that must be started before them.
CLIENTS = {"day07/chat/chat_client.py": CHAT, "day11/ftp/ftp_client.py": FTP,
           "day10/echo_client.py": "day10/thread_server.py"}
TYPED = {CHAT, *CLIENTS}
RACE, ITSELF = "day12/server_race.py", "day12/classroom.py"
# Scripts that can be run in several ways or, if the list is empty, not from the page at all.
CHOICES = {
    "day12/epoll_server.py": [
        {**RUN, "en": "level-triggered", "zh": "水平触发", "args": ["0", "-v"]},
        {"id": "edge", "en": "edge-triggered", "zh": "边缘触发", "args": ["0", "-v", "--edge"]}],
    RACE: [{**RUN, "en": "quick", "zh": "快速", "args": ["--quick", "--json", "RESULT"]},
           {"id": "full", "en": "full", "zh": "完整", "args": ["--json", "RESULT"]}],
    ITSELF: []}
NAME = re.compile(r"[^\s\x00-\x1f\x7f-]\S{0,31}")


class Catalogue:
    """The scripts of the course. top: the folder of the course."""

    def __init__(self, top):
        self.top = top
        # path -> (mtime of the file, result of describe(path))
        self.known = {}

    def paths(self):
        """Return path -> day for all scripts, in the order of README.md."""
        rows = ROW.findall(self.read("README.md"))
        # A student may have moved or deleted some of the files.
        return {path: day for path, day in rows if os.path.isfile(os.path.join(self.top, path))}

    def course(self):
        """Return the days with their scripts, for the page."""
        days = {}
        for path, day in self.paths().items():
            changed = os.stat(os.path.join(self.top, path)).st_mtime_ns
            # Read only changed files, because reading all files would make every client wait.
            if self.known.get(path, (0, 0))[0] != changed:
                self.known[path] = changed, self.describe(path)
            days.setdefault(day, []).append(self.known[path][1])
        return [{"day": day, "title": self.title_of(day), "scripts": scripts}
                for day, scripts in days.items()]

    def title_of(self, day):
        """Return the heading of a day's page, in English and Chinese."""
        try:
            first = self.read(f"day{day}/README.md").partition("\n")[0]
        except FileNotFoundError:
            first = f"Day {int(day)} · 第 {int(day)} 天"
        en, _, zh = first.lstrip("# ").partition(" · ")
        return {"en": en, "zh": zh}

    def describe(self, path):
        """Return what the page's list shows about a script."""
        en, zh, third, *_ = [*docstring(self.read(path))[0], "", "", ""]
        choices = [{**choice, "command": f"python {' '.join([path, *choice['args']])}"}
                   for choice in choices_of(path)]
        for choice in choices:
            del choice["args"]
        return {"path": path, "name": os.path.basename(path), "kind": kind_of(path),
                "title": {"en": en.rstrip("."), "zh": zh.rstrip("。")},
                "notes": third.removeprefix("讲义: ") if third.startswith("讲义: ") else "",
                "protocol": protocol_of(path), "model": MODELS.get(path), "typed": path in TYPED,
                "needs": CLIENTS.get(path), "choices": choices}

    def source(self, path):
        """Return the text of a script, and the parts of its docstring. Raises Problem."""
        self.check(path)
        text = self.read(path)
        lines, end = docstring(text)
        joined = "\n".join(lines)
        code = [number for number, line in enumerate(text.splitlines(), 1)
                if number > end and line.strip()]
        return {"path": path, "source": text, "docstring": lines,
                "first_code_line": code[0] if code else 1, "run": section(joined, "Run:"),
                "output": section(joined, r"Output(?: \(in any order\))?:"),
                "in_any_order": "Output (in any order):" in joined}

    def order(self, path, choice="", address=None, name=""):
        """Return the Order to run a script. Raises Problem.

        address: (host, port) of the server, for a client.  name: the user's name, for the chat.
        """
        self.check(path)
        found = [one for one in choices_of(path) if one["id"] == choice]
        if not found:
            raise Problem(404, "this script cannot be run this way", "不能这样运行")
        args = found[0]["args"]
        if path in CLIENTS:
            args = [str(address[1])]
            if path == "day07/chat/chat_client.py":
                if not NAME.fullmatch(name):
                    raise Problem(400, "a name has 1 to 32 characters and no spaces",
                                  "名字有 1 到 32 个字符，不含空格")
                args += ["--name", name]
        # Only the FTP client saves files where it is started, so it gets a temporary folder.
        folder = "-" if path == "day11/ftp/ftp_client.py" else self.top
        command = [os.path.join(self.top, path), *args]
        if choice == SLOWLY["id"]:
            command.insert(0, SLOWLY_SCRIPT)
        return Order(path, choice, [sys.executable, *command],
                     " ".join(["python", path, *args]), folder, protocol_of(path), path in TYPED,
                     path == RACE)

    def check(self, path):
        """Raise a Problem if `path` is not the path of a script."""
        if path not in self.paths():
            raise Problem(404, "there is no such script; README.md lists all scripts",
                          "没有这个脚本，README.md 里有全部脚本")

    def read(self, path):
        with open(os.path.join(self.top, path), encoding="utf-8", errors="replace") as file:
            return file.read()


def choices_of(path):
    """Return the ways in which a script can be run, each as a dictionary."""
    if path in MODELS:
        return CHOICES.get(path, [{**RUN, "args": ["0", "-v"]}])
    if path in SERVERS:
        return [{**RUN, "args": ["0", *SERVERS[path][1]]}]
    return CHOICES.get(path, [RUN] if path in CLIENTS else [RUN, SLOWLY])


def kind_of(path):
    if path in MODELS or path in SERVERS:
        return "server"
    return {RACE: "race", ITSELF: "system"}.get(path, "client" if path in CLIENTS else "demo")


def protocol_of(path):
    """Return the protocol that a server speaks; None if the script is not a server."""
    return "echo" if path in MODELS else SERVERS.get(path, (None,))[0]


def docstring(text):
    """Return the lines of a script's docstring, and the number of its last line in the file.

    Return ([], 0) if the script has no docstring, or cannot be parsed, for example because a
    student is editing it.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # ValueError: the script contains NUL, and Python is older than 3.11.4. The last two errors:
        # the script is nested too deeply.
        return [], 0
    lines = (ast.get_docstring(tree) or "").splitlines()
    return lines, tree.body[0].end_lineno if lines else 0


def section(text, title):
    """Return the lines under a title (a regular expression), without their common indent."""
    found = re.search(rf"^{title}(.*\n(?:(?:[ ].*)?\n)*)", text + "\n", re.MULTILINE)
    if not found:
        return []
    first, *rest = found[1].rstrip().split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in rest if line), default=0)
    return ([first.strip()] if first.strip() else []) + [line[indent:] for line in rest]
