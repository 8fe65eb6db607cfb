"""The classroom in the browser: run each script, see its processes and sockets live.
浏览器里的课堂：运行每个脚本，现场观看它的进程和套接字。
讲义之外

Run:    python day12/classroom.py [port]       then open the address that it prints
        make class

It is a program built on today's HTTP server: the server's directory contains the page, and each
request of the page's scripts has a route. The rest is what days 8 to 11 teach: a process and a
thread for each run, a lock, and epoll. The modules are in classroomd/; its __init__.py lists them.

    browser --- GET /api/runs/7?from=12 ---> HTTPServer, one loop
                                                  |  a lock
                                             thread of run 7: epoll
                                              |       |        |
              who wrote it (SO_PASSCRED) -->  out    err    guardian --- script --- its children
                                                            (adopts orphans, ends all of them)

Look at it with curl:

    curl http://127.0.0.1:8012/api/runs
    curl 'http://127.0.0.1:8012/api/runs/1?from=0'

It starts programs. So it serves only this machine, and only its own page: see
classroomd/safety.py.
"""
import argparse
import errno
import functools
import os
import secrets
import select
import signal
import sys

from classroomd.api import Api
from classroomd.problem import Problem
from classroomd.safety import check, is_loopback
from httpd.server import HTTPServer

HERE = os.path.dirname(os.path.abspath(__file__))
COURSE, PAGE = os.path.dirname(HERE), os.path.join(HERE, "classroomd", "page")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GONE = Problem(404, "there is nothing here, or not any more: runs are forgotten after a while",
               "这里没有内容：结束的运行过一会儿就会被忘记")


class Classroom(HTTPServer):
    """The HTTP server of the course, with the routes of the classroom.

    address: (host, port).  top: the folder of the course.  unasked: a run that no
    page has asked about for this many seconds is ended.
    """

    def __init__(self, address, top=COURSE, unasked=90):
        super().__init__(address, PAGE, log=False)
        self.token = secrets.token_urlsafe(16)
        self.api = Api(self, top, self.token, unasked)

    def find_handler(self, request):
        """Accept only requests that the classroom's own page sends.

        This is called once the head of a request has arrived, so a refused request need not send
        its body.
        """
        try:
            check(request, self.token)
            if request.path.startswith("/api/") and request.path not in self.routes:
                raise GONE
        except Problem as problem:
            answer = problem.answer()
            return functools.partial(self.call_route, lambda request: answer)
        return super().find_handler(request)

    def answer(self, request):
        """Answer each request without a cache, because find_handler must check all of them."""
        reply = super().answer(request)
        self.turn_cache.clear()
        return reply


def main():
    check_needs()
    parser = argparse.ArgumentParser(description="The classroom in the browser.")
    parser.add_argument("port", nargs="?", type=int, default=8012,
                        help="0 for a free one (default: 8012)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1",
                        help="an address of this machine alone (default: 127.0.0.1)")
    args = parser.parse_args()
    if not is_loopback(args.bind):
        parser.exit(2, f"{parser.prog}: it starts programs, so only this machine may reach it:"
                       " leave out -b · 它会启动程序，只允许本机访问，请去掉 -b\n")
    try:
        server = Classroom((args.bind, args.port))
    except (OSError, OverflowError) as error:
        in_use = getattr(error, "errno", None) == errno.EADDRINUSE
        hint = "try port 0, which takes a free one · 试试 0，自动选空闲端口\n"
        parser.exit(2, f"{parser.prog}: {error}\n{hint if in_use else ''}")
    stop_on_signals(server)
    host, port = server.address
    host = f"[{host}]" if ":" in host else host
    print(f"listening on {host}:{port}")
    print(f"http://{host}:{port}/?token={server.token}", flush=True)
    try:
        server.serve_forever()
    finally:
        # After an error too: no run may outlive us. 无论如何都不留下任何进程
        server.api.runs.close()


def check_needs():
    """Exit with status 2 and one line where the system lacks what this program needs."""
    if not hasattr(select, "epoll"):
        print("this needs select.epoll: use Linux or WSL · 需要 select.epoll，请用 Linux 或 WSL",
              file=sys.stderr)
        sys.exit(2)
    if not hasattr(os, "fork"):
        print("this needs os.fork: use Linux, macOS or WSL"
              " · 需要 os.fork，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    if not os.path.exists("/proc/self/stat"):
        print("this needs Linux's /proc: use Linux or WSL · 需要 Linux 的 /proc，请用 Linux 或 WSL",
              file=sys.stderr)
        sys.exit(2)


def stop_on_signals(server):
    """Let Ctrl-C, kill and a terminal that closes end the server."""
    def stop(signum, frame):
        # Once is enough: the self-pipe is closed soon.
        signal.set_wakeup_fd(-1)
        server.shutdown()

    for signum in STOP_SIGNALS:
        signal.signal(signum, stop)
    # The signal may reach another thread, while the loop waits in epoll. But this wakes it up, by a
    # byte (self-pipe). 信号可能落在别的线程上；往自管道写一个字节，主循环一定醒来
    signal.set_wakeup_fd(server.shutdown_writer.fileno(), warn_on_full_buffer=False)


if __name__ == "__main__":
    main()
