"""The routes: which function answers which path, and what it returns as JSON.
路由：哪个函数回答哪个路径，返回什么 JSON。

The functions of all routes run in the event loop of the HTTP server, so none of them may block.
Each run of a script has its own thread, and the page asks for new output again and again (GET
/api/runs/7?from=12).
"""
import functools
import json
import os
import platform
import sys
import time

from classroomd.explorer import PROGRAMS
from classroomd.problem import Problem
from classroomd.runs import HERE, Order, Runs
from classroomd.safety import check_token
from classroomd.scripts import CLIENTS, Catalogue
from classroomd.system import look

# Maximum characters of a string that a page sends (MAX_TEXT), and of a page's name (MAX_PAGE).
MAX_TEXT, MAX_PAGE = 1000, 64
EXPLORE = [sys.executable, "-c", "from classroomd.explorer import main; main()"]


def body_of(request):
    """Return the JSON object in the body of a request. Raises Problem if there is none."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Problem(400, "the body must be a JSON object", "请求体必须是 JSON 对象")
    return body


def take(body, name, kind, default=None, limit=MAX_TEXT):
    """Return body[name]. Raises Problem if it is not of type `kind`, or exceeds `limit`.

    kind: the type, str or int.  default: the value if the name is missing.  limit: the maximum
    number of characters of a str, or the maximum absolute value of an int.
    """
    value = body.get(name, default)
    is_good = type(value) is kind and (len(value) if kind is str else abs(value)) <= limit
    if not is_good:
        expected = f"a str of at most {limit} characters"
        if kind is int:
            expected = f"an int from {-limit} to {limit}"
        raise Problem(400, f"{name} must be {expected}",
                      f"{name} 的类型应为 {kind.__name__}，不超过 {limit}")
    # Replace lone surrogates: they are not characters, and cannot be encoded as UTF-8.
    return value.encode(errors="replace").decode() if kind is str else value


def granted(function):
    """Turn a function into a route: if the function raises a Problem, the Problem is the answer."""
    @functools.wraps(function)
    def answer(request):
        try:
            return function(request)
        except Problem as problem:
            return problem.answer()
    return answer


class Api:
    """The routes of a classroom.

    server: an HTTPServer.  top: the folder of the course.  token: the secret that the page
    must send.  unasked: if no page asks about a run for this many seconds, the run is ended, or
    forgotten if it has already ended.
    """

    def __init__(self, server, top, token, unasked):
        self.server, self.token = server, token
        self.catalogue, self.runs = Catalogue(top), Runs(unasked)
        # program -> (mtime of interleavings.py, the run that explores the program or None, the
        # table of the program or None)
        self.tables, self.race = {}, None
        for path, method, function in [
                ("/api/course", "GET", self.course), ("/api/source", "GET", self.source),
                ("/api/runs", "GET", self.list_runs), ("/api/runs", "POST", self.start),
                ("/api/bye", "POST", self.bye), ("/api/race", "GET", self.last_race),
                ("/api/interleavings", "GET", self.interleavings)]:
            server.route(path, (method,))(granted(function))

    # The course

    def course(self, request):
        programs = [{"program": name, "title": title} for name, (title, *_) in PROGRAMS.items()]
        return {"python": platform.python_version(), "days": self.catalogue.course(),
                "interleavings": programs}

    def source(self, request):
        return self.catalogue.source(request.query.get("script", ""))

    def interleavings(self, request):
        """Return the table of a program; the status is 202 while the table is being computed."""
        program = request.query.get("program", "")
        if program not in PROGRAMS:
            raise Problem(404, f"the programs are {', '.join(PROGRAMS)}", "没有这个程序")
        path = os.path.join(self.catalogue.top, "day10/interleavings.py")
        try:
            changed = os.stat(path).st_mtime_ns
        except FileNotFoundError:
            raise Problem(404, f"there is no {path}", f"没有 {path}") from None
        known, run, table = self.tables.get(program, (None, None, None))
        if known == changed and table:
            return table
        if known != changed or run is None:
            run = self.runs.start(Order("", program, [*EXPLORE, program], "", HERE))
            self.tables[program] = changed, run, None
        with run.lock:
            run.asked = time.monotonic()
            if run.state == "running":
                return 202, {"state": "working"}
            # Delete the entry first: if the run failed, the next request must start a new run.
            del self.tables[program]
            # The status is None if the guardian was killed.
            if run.status != 0:
                raise Problem(500, run.lanes.text("err")[-MAX_TEXT:], "探索失败")
            table = json.loads(run.lanes.text())
        self.tables[program] = changed, None, table
        return table

    # Runs

    def start(self, request):
        """Start a script; return the number of its run."""
        self.forget()
        body = body_of(request)
        script, choice = take(body, "script", str), take(body, "choice", str, "")
        page = take(body, "page", str, "", MAX_PAGE)
        address = self.address_for(script, body) if script in CLIENTS else None
        order = self.catalogue.order(script, choice, address, take(body, "name", str, "student"))
        order.page = page
        run = self.runs.start(order)
        for suffix, method, function in [
                ("", "GET", self.show),
                ("/stop", "POST", self.stop), ("/type", "POST", self.type),
                ("/clients", "GET", self.clients), ("/clients", "POST", self.act),
                ("/result", "GET", self.result)]:
            answer = functools.partial(self.under_lock, run, function)
            self.server.route(f"/api/runs/{run.number}{suffix}", (method,))(granted(answer))
        # This route does not use under_lock, because look() needs milliseconds to read /proc;
        # look() takes the lock itself, but only for a moment.
        self.server.route(f"/api/runs/{run.number}/system")(lambda request: look(run))
        return 201, {"id": run.number}

    def address_for(self, script, body):
        """Return the address of the server that a client should connect to. Raises Problem."""
        server = self.runs.known.get(take(body, "server", int, 0, 1 << 30))
        wanted = "chat" if "chat" in script else "ftp" if "ftp" in script else "echo"
        if not server or server.order.protocol != wanted:
            raise Problem(409, f"start {CLIENTS[script]} first", f"请先启动 {CLIENTS[script]}")
        with server.lock:
            if server.state != "running" or not server.address:
                raise Problem(409, "the server is not listening yet, or has already ended",
                              "服务器还没有开始监听，或者已经结束")
            return server.address

    def under_lock(self, run, function, request):
        """Call function(run, request) while holding the run's lock."""
        with run.lock:
            run.asked = time.monotonic()
            return function(run, request)

    def forget(self):
        """Forget old runs and their routes, but keep the result of the newest race."""
        self.race = self.newest_race()
        for number in self.runs.forget():
            prefix = f"/api/runs/{number}"
            for path in [path for path in self.server.routes
                         if path == prefix or path.startswith(f"{prefix}/")]:
                del self.server.routes[path]

    def list_runs(self, request):
        self.forget()
        return {"runs": [self.outline(run) for run in self.runs.known.values()
                         if run.order.script]}

    def outline(self, run):
        return {"id": run.number, "script": run.order.script, "choice": run.order.choice,
                "command": run.order.shown, "state": run.state, "status": run.status,
                "port": run.address and run.address[1], "page": run.order.page,
                "began": run.began}

    def show(self, run, request):
        """Return what a run has printed, beginning with the piece that ?from=NUMBER names."""
        number = request.query.get("from", "0")
        if not number.isdecimal() or len(number) > 15:
            raise Problem(400, "?from= must be the number of a piece of output",
                          "from 应该是一段输出的编号")
        pieces, missed = run.lanes.since(int(number))
        now = time.monotonic()
        return {**self.outline(run), "now": now, "seconds": run.seconds or now - run.began,
                "next": run.lanes.next, "dropped": run.lanes.dropped, "missed": missed,
                "lanes": run.lanes.lanes, "pieces": pieces}

    def stop(self, run, request):
        run.stop()
        return {"state": run.state}

    def type(self, run, request):
        text = take(body_of(request), "text", str)
        if "\n" in text or "\r" in text:
            raise Problem(400, "type only one line at a time", "一次只能输入一行")
        run.type(text)
        return {}

    def bye(self, request):
        """End the runs of a page that has just been closed."""
        body = body_of(request)
        check_token(body.get("token"), self.token)
        page = take(body, "page", str, "", MAX_PAGE)
        for run in self.runs.known.values():
            if page and run.order.page == page:
                with run.lock:
                    run.stop()
        return {}

    # The clients that the class connects to a server

    def clients(self, run, request):
        if not run.order.protocol or run.order.protocol == "chat":
            raise Problem(409, "this run is not a TCP server", "这不是 TCP 服务器")
        return {"now": time.monotonic(),
                "clients": [client.as_dict() for client in run.clients.values()]}

    def act(self, run, request):
        """Connect new clients, or make connected clients do something, as the page asks."""
        body = body_of(request)
        action = take(body, "action", str)
        if action == "connect":
            count = max(1, take(body, "count", int, 1, 10))
            return 201, {"clients": [client.as_dict() for client in run.connect(count)]}
        text, which = take(body, "text", str, "hello"), body.get("client")
        if which == "all":
            chosen = [client for client in run.clients.values() if client.is_open]
        else:
            chosen = [run.clients.get(take(body, "client", int, limit=1 << 30))]
        if None in chosen:
            raise Problem(404, "there is no such client", "没有这个客户端")
        for client in chosen:
            client.do(action, text)
        return {"clients": [client.as_dict() for client in chosen]}

    # The race

    def result(self, run, request):
        if not run.result:
            raise Problem(404, "there is no result, because only finished races have results",
                          "没有结果：只有跑完的比赛才有结果")
        return json.loads(run.result)

    def last_race(self, request):
        # Answer {} if there is no result, because the browser would report a 404 as an error.
        self.race = self.newest_race()
        return json.loads(self.race or "{}")

    def newest_race(self):
        """Return the newest result of a race as JSON, or None if there is no result."""
        results = [run.result for run in self.runs.known.values() if run.result]
        return results[-1] if results else self.race
