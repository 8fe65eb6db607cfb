"""The classroom in the browser: run any script, and see its processes and sockets live.
浏览器里的课堂：运行每个脚本，现场观看它的进程和套接字。
讲义之外

Run:    python day12/classroom.py [port]       then open the address that it prints
        make class

The classroom is built on the HTTP server of this day, which serves the files of the classroom's
page. The JavaScript of the page sends requests, and each kind of request has a route. The classroom
uses what days 8 to 12 teach: a script that runs has processes of its own, and the classroom has a
thread for each run, which uses a lock and epoll.
The file classroomd/__init__.py lists the modules.

    browser --- GET /api/runs/7?from=12 ---> HTTPServer, one loop
                                                  |  a lock
                                             thread of run 7: epoll
                                              |       |        |
              writer's PID (SO_PASSCRED) -->  out    err    guardian --- script --- its children
                                                            (adopts orphans, ends all of them)

Ask the API with curl:

    curl http://127.0.0.1:8012/api/runs
    curl 'http://127.0.0.1:8012/api/runs/1?from=0'

The classroom starts programs. So only this machine can reach it, and only its own page may start a
program: see classroomd/safety.py.
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
GONE = Problem(404, "there is nothing at this address: ended runs are forgotten after a while",
               "这里没有内容：结束的运行过一会儿就会被忘记")


class Classroom(HTTPServer):
    """The HTTP server of the course, with the routes of the classroom.

    address: (host, port).  top: the folder of the course.  unasked: a run is ended when no page has
    asked about it for this many seconds.
    """

    def __init__(self, address, top=COURSE, unasked=90):
        super().__init__(address, PAGE, log=False)
        self.token = secrets.token_urlsafe(16)
        self.api = Api(self, top, self.token, unasked)

    def find_handler(self, request):
        """Return the function that answers this request, or a function that refuses it.

        The server calls this method as soon as the head of a request has arrived. So the client
        need not send the body of a request that is refused.
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
        """Answer a request, then empty turn_cache, so that find_handler checks every request."""
        reply = super().answer(request)
        self.turn_cache.clear()
        return reply


def main():
    check_needs()
    parser = argparse.ArgumentParser(description="Serve the classroom to the browser.")
    parser.add_argument("port", nargs="?", type=int, default=8012,
                        help="the port to listen on, 0 for a free one (default: 8012)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1",
                        help="the loopback address to listen on (default: 127.0.0.1)")
    args = parser.parse_args()
    if not is_loopback(args.bind):
        parser.exit(2, f"{parser.prog}: the classroom starts programs, so only this machine may"
                       " reach it: leave out -b · 它会启动程序，只允许本机访问，请去掉 -b\n")
    try:
        server = Classroom((args.bind, args.port))
    except (OSError, OverflowError) as error:
        in_use = getattr(error, "errno", None) == errno.EADDRINUSE
        hint = "try port 0, and the system chooses a free port · 试试 0，自动选空闲端口\n"
        parser.exit(2, f"{parser.prog}: {error}\n{hint if in_use else ''}")
    stop_on_signals(server)
    host, port = server.address
    host = f"[{host}]" if ":" in host else host
    print(f"listening on {host}:{port}")
    print(f"http://{host}:{port}/?token={server.token}", flush=True)
    try:
        server.serve_forever()
    finally:
        # No run may outlive the classroom, even after an error. 无论如何都不留下任何进程
        server.api.runs.close()


def check_needs():
    """Print one line and exit with status 2 if the system lacks what this program needs."""
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
    """Make SIGINT (Ctrl-C), SIGTERM (kill) and SIGHUP (closed terminal) end the server."""
    def stop(signum, frame):
        # A later signal must not write to the self-pipe, which will soon be closed.
        signal.set_wakeup_fd(-1)
        server.shutdown()

    for signum in STOP_SIGNALS:
        signal.signal(signum, stop)
    # A signal can reach another thread while the loop waits in epoll. So let Python also write a
    # byte to the self-pipe for each signal: the byte wakes the loop.
    # 信号可能落在别的线程上；往自管道写一个字节，主循环一定醒来
    signal.set_wakeup_fd(server.shutdown_writer.fileno(), warn_on_full_buffer=False)


if __name__ == "__main__":
    main()
