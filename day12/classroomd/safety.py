"""Checks each request: it must come from this machine and, to change anything, from our page.
检查是否放行一个请求：只接受本机的请求，只有课堂自己的页面才能改变状态。

The classroom starts programs, so only its own page may use it. A page of another site can send
requests to 127.0.0.1 too, but the page cannot forge the Origin, does not know the token, and its
Host is not this machine. The Host is checked because of DNS rebinding: an attacker can make the
name of a site resolve to 127.0.0.1; then the browser treats the classroom as a part of that site.
别的网站的页面也能向 127.0.0.1 发请求，但它伪造不了 Origin，不知道令牌，
Host 也不是本机（DNS 重绑定）。
"""
import hmac
import ipaddress
import re

from classroomd.problem import Problem

# 127.0.0.1:8001, localhost, [::1]:8001
HOST = re.compile(r"\[([0-9a-f:]+)\](?::\d*)?|([^:]+)(?::\d*)?", re.IGNORECASE)
# A page that is closed sends this request with navigator.sendBeacon, which cannot set a header. So
# the token is in the body.
BEACON = "/api/bye"


def is_loopback(name):
    """Return whether a host name or address is a loopback one: only this machine can reach it."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


def check(request, token):
    """Raise a Problem (403) for a request that the classroom's own page would not send."""
    host = request.headers.get("host", "")
    match = HOST.fullmatch(host)
    if not match or not is_loopback(match[1] or match[2]):
        raise Problem(403, "The Host must be an address of this machine, such as 127.0.0.1, "
                           f"not {host[:80]!r}", "Host 必须是本机的地址，例如 127.0.0.1")
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("origin")
    if origin != f"http://{host}":
        raise Problem(403, f"The Origin must be http://{host[:80]}: only the classroom's own page "
                           "may change anything", "Origin 不对：只有课堂自己的页面才能改变状态")
    if request.path != BEACON:
        check_token(request.headers.get("x-token"), token)


def check_token(given, token):
    """Raise a Problem (403) if this is not the token."""
    # compare_digest takes the same time however many characters are right, so the time reveals
    # nothing about the token (timing attack).
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), token.encode()):
        raise Problem(403, "The X-Token is missing or wrong: open the address that the classroom "
                           "printed", "令牌缺失或不对：请打开 classroom.py 打印的地址")
