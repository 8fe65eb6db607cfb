"""Drives a browser as a user does: WebDriver (https://www.w3.org/TR/webdriver2/) over HTTP, with the standard library alone.

    with Browser() as browser:
        browser.open(url)
        browser.js("return document.title")
        browser.keys("Enter")

It needs Chromium and its driver, which are the packages chromium and chromium-driver of Debian.
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
# The reason why the browser is not used, or "". .ci/run uses it with one Python only, because what it shows does not depend on Python.
MISSING = "" if CHROMIUM and DRIVER else "Chromium and its driver are not installed: apt install chromium chromium-driver"
if os.environ.get("COURSE_BROWSER") == "no":
    MISSING = "the browser is tested on the first Python only"
# WebDriver has code points for keys that are not characters (section "Keyboard actions").
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Escape": "\ue00c", "Space": " ",
        "End": "\ue010", "Home": "\ue011", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015"}
# Some of the browser's processes are orphans. The driver adopts them (man 2 prctl, PR_SET_CHILD_SUBREAPER), so that they end with the driver.
ADOPTING = "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
# Connect to the driver directly, even if the environment names a proxy.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Browser:
    """Chromium without a window, with an empty profile. At the end of the `with` block, all of its processes end."""

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
        """Send a command to the driver; return the value of its answer. Raises Failure with the driver's message."""
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
        """Run script, the body of a function, in the page. Return its result; if that is a Promise, the value of the Promise."""
        return self.call("POST", "/execute/sync", script=script, args=args)

    def wait(self, expression, *args, timeout=TIMEOUT):
        """Wait until a JavaScript expression is true in the page; return its value. timeout: in seconds.

        A script in the page checks the expression every 30 ms. Raises Failure if it does not become true in time.
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
        """Press keys, one after the other, in the element with the focus. "Shift+Tab" holds Shift down."""
        actions = []
        for name in names:
            held = [KEYS.get(key, key) for key in (name.split("+") if len(name) > 1 else [name])]
            actions += [{"type": "keyDown", "value": key} for key in held]
            actions += [{"type": "keyUp", "value": key} for key in reversed(held)]
        self.call("POST", "/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def type(self, text):
        self.keys(*text)

    def click(self, selector):
        """Click the element with a mouse: it must be visible, and no other element may cover it."""
        element = self.call("POST", "/element", using="css selector", value=selector)
        self.call("POST", f"/element/{next(iter(element.values()))}/click")

    def cdp(self, command, **params):
        """Send a command of the Chrome DevTools Protocol, for features that WebDriver lacks; return its result."""
        return self.call("POST", "/goog/cdp/execute", cmd=command, params=params)

    def size(self, width, height):
        """Set the size of the page in pixels. It may be smaller than any real window."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, **features):
        """Set what the user prefers, such as prefers_color_scheme="dark"."""
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.cdp("Emulation.setEmulatedMedia", features=features)

    def errors(self):
        """Return the errors and warnings in the console since the last call; failed requests are among them."""
        return [entry["message"] for entry in self.call("POST", "/se/log", type="browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def tab(self):
        """Open a new tab, and switch to it; return the handle of the tab before."""
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
