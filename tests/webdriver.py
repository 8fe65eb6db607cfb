"""A browser, driven as a user drives it: WebDriver (https://www.w3.org/TR/webdriver2/) over HTTP, with the standard library alone.

    with Browser() as browser:
        browser.open(url)
        browser.js("return document.title")
        browser.keys("Enter")

Needs Chromium and its driver: the packages chromium and chromium-driver of Debian.
"""
import base64
import contextlib
import json
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request

from harness import TIMEOUT, Failure, Program

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
# Why there is no browser here, or "". What a browser shows does not depend on the Python: see .ci/run.
MISSING = "" if CHROMIUM and DRIVER else "Chromium and its driver are not installed: apt install chromium chromium-driver"
if os.environ.get("COURSE_BROWSER") == "no":
    MISSING = "the browser is tested on the first Python only"
# Keys that are no characters have numbers of their own (WebDriver, "Keyboard actions").
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Escape": "\ue00c", "Space": " ",
        "End": "\ue010", "Home": "\ue011", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015"}
# Some of the browser's processes are orphans. The driver adopts them (man 2 prctl, PR_SET_CHILD_SUBREAPER), so that they end with it.
ADOPTING = "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
# Loopback only, whatever the environment says.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Browser:
    """Chromium without a window, with an empty profile; ended, with all its processes, at the end of a `with` block."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True))
            folders = dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR"], home)
            self.driver = stack.enter_context(Program(sys.executable, "-c", ADOPTING, DRIVER, "--port=0", env=folders))
            port = self.driver.expect(r"started successfully on port (\d+)")[1]
            self.address = f"http://127.0.0.1:{port}/session"
            options = {"binary": CHROMIUM, "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-quic",
                "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
                "--disable-extensions", "--hide-scrollbars", f"--user-data-dir={home}/profile"]}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            self.address += "/" + self.call("POST", "", capabilities={"alwaysMatch": wanted})["sessionId"]
            stack.callback(self.call, "DELETE", "")
            self.patience = None                   # the timeout of the last wait
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        self.stack.__exit__(*exception)

    def call(self, method, path, **body):
        """Send a command; return its value. Raise Failure with the browser's words if it cannot be carried out."""
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with DIRECTLY.open(request, timeout=2 * TIMEOUT) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise Failure(f"{path}: {value['error']}: {value['message'].splitlines()[0]}") from None

    def open(self, url):
        self.call("POST", "/url", url=url)

    def js(self, script, *args):
        """Run the body of a function in the page; return what it returns (of a Promise: what it is fulfilled with)."""
        return self.call("POST", "/execute/sync", script=script, args=args)

    def wait(self, expression, *args, timeout=TIMEOUT):
        """Wait until an expression is true in the page; return its value.

        The page itself looks, before each frame, so nothing here asks again and again.
        """
        script = """const [limit, ...args] = arguments; const done = args.pop(); const until = performance.now() + limit;
            const look = () => { let value; try { value = (function () { return (%s); }).apply(null, args); }
                                 catch (error) { value = null; look.error = String(error); }
                                 if (value || performance.now() > until) done([value, look.error]);
                                 else setTimeout(look, 30); }; look();"""
        if timeout != self.patience:
            self.call("POST", "/timeouts", script=int(1000 * timeout) + 5000)
            self.patience = timeout
        value, error = self.call("POST", "/execute/async", script=script % expression, args=[1000 * timeout, *args])
        if not value:
            raise Failure(f"not within {timeout} s: {expression} {args} {error or ''}")
        return value

    def keys(self, *names):
        """Press keys, one after the other, wherever the focus is. "Shift+Tab" holds the first down."""
        actions = []
        for name in names:
            held = [KEYS.get(key, key) for key in (name.split("+") if len(name) > 1 else [name])]
            actions += [{"type": "keyDown", "value": key} for key in held]
            actions += [{"type": "keyUp", "value": key} for key in reversed(held)]
        self.call("POST", "/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def type(self, text):
        self.keys(*text)

    def click(self, selector):
        """Click at an element as a mouse does: it must be seen, and nothing may lie over it."""
        element = self.call("POST", "/element", using="css selector", value=selector)
        self.call("POST", f"/element/{next(iter(element.values()))}/click")

    def cdp(self, command, **params):
        """A command of the Chrome DevTools Protocol, for what WebDriver does not know."""
        return self.call("POST", "/goog/cdp/execute", cmd=command, params=params)

    def size(self, width, height):
        """The size of the page, also such as no window has."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, **features):
        """What the user prefers, such as prefers_color_scheme="dark"."""
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.cdp("Emulation.setEmulatedMedia", features=features)

    def errors(self):
        """What was written to the console since the last call and is no remark: errors, requests that failed."""
        return [entry["message"] for entry in self.call("POST", "/se/log", type="browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def tab(self):
        """Open another page in a tab of its own, and go there; return the handle of the one before."""
        before = self.call("GET", "/window")
        handle = self.call("POST", "/window/new", type="tab")["handle"]
        self.call("POST", "/window", handle=handle)
        return before

    def close_tab(self, back_to):
        self.call("DELETE", "/window")
        self.call("POST", "/window", handle=back_to)

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))
