"""Accepts requests from this machine only, and changes from the classroom's own page only.
检查是否放行一个请求：只接受本机的请求，只有课堂自己的页面才能改变状态。

The classroom starts programs, so only its own page may use it. A page of another site can also
send requests to 127.0.0.1, but such a page cannot forge the Origin and does not know the token.
The Host is checked because of DNS rebinding: an attacker can make the name of a site resolve to
127.0.0.1. Then the browser treats the classroom as a part of that site, but sends the site's name
as the Host.
别的网站的页面也能向 127.0.0.1 发请求，但它伪造不了 Origin，也不知道令牌。
检查 Host 是为了防 DNS 重绑定：网站的名字被解析成 127.0.0.1 时，Host 仍是那个网站的名字。
"""
import hmac
import ipaddress
import re

from classroomd.problem import Problem

# 127.0.0.1:8001, localhost, [::1]:8001
HOST = re.compile(r"\[([0-9a-f:]+)\](?::\d*)?|([^:]+)(?::\d*)?", re.IGNORECASE)
# The path to which a page posts when it is closed. The page uses navigator.sendBeacon, which cannot
# set a header, so the token is in the body.
BEACON = "/api/bye"
# A GET of this path starts a program. A browser sends no Origin with a GET of its own page, but a
# page of another site cannot set the header X-Token.
EXPLORER = "/api/interleavings"


def is_loopback(name):
    """Return whether only this machine can reach a host name or address (loopback)."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


def check(request, token):
    """Raise a Problem (403) for a request that the classroom's own page would not send."""
    host = request.headers.get("host", "")
    match = HOST.fullmatch(host)
    if not match or not is_loopback(match[1] or match[2]):
        raise Problem(403, "The Host header must be an address of this machine, such as 127.0.0.1, "
                           f"not {host[:80]!r}", "Host 必须是本机的地址，例如 127.0.0.1")
    if request.method in ("GET", "HEAD", "OPTIONS"):
        if request.path == EXPLORER:
            check_token(request.headers.get("x-token"), token)
        return
    origin = request.headers.get("origin")
    if origin != f"http://{host}":
        raise Problem(403, f"The Origin header must be http://{host[:80]}, because only the "
                           "classroom's own page may change anything",
                           "Origin 不对：只有课堂自己的页面才能改变状态")
    if request.path != BEACON:
        check_token(request.headers.get("x-token"), token)


def check_token(given, token):
    """Raise a Problem (403) if `given` is not the token."""
    # compare_digest takes the same time however many characters are right, so the time reveals
    # nothing about the token (timing attack).
    # A str from JSON can contain lone surrogates, which cannot be encoded without errors="replace".
    data = given.encode(errors="replace") if isinstance(given, str) else b""
    if not hmac.compare_digest(data, token.encode()):
        raise Problem(403, "The token is missing or wrong: open the address that the classroom "
                           "printed", "令牌缺失或不对：请打开 classroom.py 打印的地址")
