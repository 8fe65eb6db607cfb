"""Compares the speed of day12/http_server.py with that of nginx, `python -m http.server` and waitress, if they are installed.

    make bench-http                        or: python tests/bench_http.py [--quick]

The load generator is wrk, which must be installed. All servers serve the same folder. They take turns in each round, so a time
when the machine is slow affects all of them. The table shows medians of the rounds. Each server has one process (waitress: with
four threads) and writes no log. If there are at least two cores, the server has one core and the load generator another.

How to read the figures:
- They describe loopback, without a network and without a disk: the files are in the page cache.
- "64 clients": all requests have the same head, which our server parses only once. "all different": each request has a browser's
  head with another cookie, so the server must parse each head.
- nginx is tuned: open_file_cache is on, and sendfile is off for small files. It has many features that a lesson leaves out.
  It is not made for 16 requests at a time on one connection, and browsers do not send them so.
- From about 200,000 requests/s on, wrk is slower than the server. A difference of ten percent may be chance.
"""
import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import compare

SERVER = Path(__file__).resolve().parent.parent / "day12/http_server.py"
BROWSER = "\\r\\n".join([
    "GET /small.html HTTP/1.1", "Host: localhost",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language: zh-CN,zh;q=0.8,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd", "Cookie: visit="])
FRESH = f"""local n = 0\nrequest = function() n = n + 1; return "{BROWSER}" .. n .. "\\r\\n\\r\\n" end\n"""
PIPELINED = """init = function()\nlocal one = {}\nfor i = 1, 16 do one[i] = wrk.format() end\nall = table.concat(one)\nend
request = function() return all end\n"""
NGINX = """daemon off; worker_processes 1; pid {room}/nginx.pid; error_log {room}/nginx.log;
events {{ worker_connections 4096; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; types {{ text/html html; }}
    open_file_cache max=1000; open_file_cache_valid 1s; client_body_temp_path {room}/a; proxy_temp_path {room}/b;
    fastcgi_temp_path {room}/c; uwsgi_temp_path {room}/d; scgi_temp_path {room}/e;
    server {{ listen 127.0.0.1:{port} backlog=4096; root {folder}; location ~ html$ {{ sendfile off; }} }} }}\n"""
# For http.server, HTTP/1.1 and no log; for waitress, an application that sends the files.
HTTP_SERVER = """
import functools, http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    def log_message(self, *args): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096
Server(("127.0.0.1", int(sys.argv[1])), functools.partial(Handler, directory=sys.argv[2])).serve_forever()
"""
WAITRESS = """
import os, sys, waitress
def application(environ, start_response):
    file = open(sys.argv[2] + environ["PATH_INFO"], "rb")
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(os.fstat(file.fileno()).st_size))])
    return environ["wsgi.file_wrapper"](file, 65536)
waitress.serve(application, host="127.0.0.1", port=int(sys.argv[1]), connection_limit=4096, backlog=4096, asyncore_use_poll=True)
"""


def commands(folder, room):
    """Return {name: function from a port to the command} of the installed servers, and the names of the others."""
    found = {"http_server.py": lambda port: [sys.executable, SERVER, port, "-d", folder, "--quiet"],
             "http.server": lambda port: [sys.executable, "-c", HTTP_SERVER, port, folder]}
    missing = []
    if importlib.util.find_spec("waitress"):
        found["waitress"] = lambda port: [sys.executable, "-c", WAITRESS, port, folder]
    else:
        missing.append("waitress")
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

    def nginx(port):
        config = room / "nginx.conf"
        config.write_text(NGINX.format(port=port, folder=folder, room=room))
        return [program, "-e", room / "nginx.log", "-c", config]
    if program:
        found["nginx, tuned"] = nginx
    else:
        missing.append("nginx")
    return found, missing


def wrk(port, seconds, clients, path, script=None, header=None):
    """Run wrk; return requests/s and MiB/s."""
    words = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", *(["-s", script] if script else []),
             *(["-H", header] if header else []), f"http://127.0.0.1:{port}{path}"]
    printed = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    if refused:
        raise RuntimeError(f"wrk: {refused[0]}")
    value, unit = re.search(r"Transfer/sec: +([\d.]+)(KB|MB|GB)", printed).groups()
    return float(re.search(r"Requests/sec: +([\d.]+)", printed)[1]), float(value) * {"KB": 2 ** -10, "MB": 1, "GB": 2 ** 10}[unit]


def measure(args, room):
    folder = room / "files"
    folder.mkdir()
    (folder / "small.html").write_bytes(b"<!doctype html>" + b"x" * 1009)
    (folder / "large.bin").touch()
    os.truncate(folder / "large.bin", 64 << 20)
    (room / "fresh.lua").write_text(FRESH)
    (room / "pipelined.lua").write_text(PIPELINED)
    servers, missing = commands(folder, room)
    print("".join(f"not installed: {name}\n" for name in missing), end="")
    print("a file of 1 KiB, requests/s; a file of 64 MiB, MiB/s")
    compare({name: (command, 1) for name, command in servers.items()}, {
        "64 clients": lambda port, seconds: wrk(port, seconds, 64, "/small.html")[0],
        "  all different": lambda port, seconds: wrk(port, seconds, 64, "/small.html", room / "fresh.lua")[0],
        "  a connection for each": lambda port, seconds: wrk(port, seconds, 64, "/small.html", header="Connection: close")[0],
        "  16 at a time": lambda port, seconds: wrk(port, seconds, 64, "/small.html", room / "pipelined.lua")[0],
        "1,000 clients": lambda port, seconds: wrk(port, seconds, 1000, "/small.html")[0],
        "1 download": lambda port, seconds: wrk(port, seconds, 1, "/large.bin")[1],
        "8 downloads": lambda port, seconds: wrk(port, seconds, 8, "/large.bin")[1],
    }, 1 if args.quick else 3)


def main():
    parser = argparse.ArgumentParser(description="Measure the course's HTTP server beside others.")
    parser.add_argument("--quick", action="store_true", help="one round")
    args = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("bench_http: wrk is not installed: sudo apt install wrk")
    try:
        with tempfile.TemporaryDirectory(prefix="bench-http-") as room:
            os.chmod(room, 0o755)                  # nginx runs as another user
            measure(args, Path(room))
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"bench_http: {error}")


if __name__ == "__main__":
    main()
