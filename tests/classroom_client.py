"""A client of the classroom that behaves like its page: sends the token, and asks about a run until the run has ended."""
import http.client
import json
import time

PERIOD = 0.02                                      # seconds from an answer to the next question
PATIENCE = 30                                      # seconds before a wait fails


class Page:
    """A page of the classroom. server: a running day12/classroom.py, with the attributes host and port."""

    def __init__(self, server, name="page"):
        self.server, self.name = server, name
        self.host = f"{server.host}:{server.port}"
        if not hasattr(server, "token"):
            server.token = server.expect(rf"^http://{self.host}/\?token=(\S+)\n")[1]
        self.token = server.token

    def ask(self, method, path, body=None, headers=()):
        """Send a request with exactly these headers; return the status and the answer, parsed if it is JSON."""
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body), dict(headers))
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(data) if answer.headers["Content-Type"] == "application/json" else data

    def get(self, path, status=200):
        got, answer = self.ask("GET", path, headers={"X-Token": self.token})
        assert got == status, answer
        return answer

    def post(self, path, status=200, **body):
        got, answer = self.ask("POST", path, body, {"X-Token": self.token, "Origin": f"http://{self.host}"})
        assert got == status, answer
        return answer

    def start(self, script, choice="", **more):
        """Start a script; return the path of its run."""
        return f"/api/runs/{self.post('/api/runs', 201, script=script, choice=choice, page=self.name, **more)['id']}"

    def answers(self, run):
        """Yield answers with the new output of a run, until the run ends. After PATIENCE seconds without an end, fail."""
        number, deadline = 0, time.monotonic() + PATIENCE
        while True:
            answer = self.get(f"{run}?from={number}")
            yield answer
            if answer["state"] != "running" and not answer["pieces"]:
                return
            number = answer["next"]
            if not answer["pieces"]:
                assert time.monotonic() < deadline, "the run does not end"
                time.sleep(PERIOD)

    def finish(self, run):
        """Wait until a run ends; return the last answer, with all pieces of the run's output."""
        pieces = []
        for answer in self.answers(run):
            pieces += answer["pieces"]
        return {**answer, "pieces": pieces}

    def run(self, script, choice="", **more):
        return self.finish(self.start(script, choice, **more))

    def serve(self, script, choice=""):
        """Start a server and wait until it listens; return the path of its run."""
        run = self.start(script, choice)
        self.until(lambda: self.get(run)["port"])
        return run

    def say(self, run, client, action, text="hello"):
        return self.post(f"{run}/clients", client=client, action=action, text=text)["clients"]

    def connect(self, run, count=1):
        return [client["client"] for client in self.post(f"{run}/clients", 201, action="connect", count=count)["clients"]]

    def until(self, condition):
        """Call condition() again and again until its result is true; return the result. Fails after PATIENCE seconds."""
        deadline = time.monotonic() + PATIENCE
        while not (result := condition()):
            assert time.monotonic() < deadline, "the condition did not become true in time"
            time.sleep(PERIOD)
        return result


def text_of(answer, stream="out", lane=None):
    return "".join(piece["text"] for piece in answer["pieces"] if piece["stream"] == stream and lane in (None, piece["lane"]))
