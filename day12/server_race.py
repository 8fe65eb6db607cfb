"""All echo servers under the same load: what a request costs, and what each server cannot do.
所有回声服务器在同样的负载下比较：每种模型处理一个请求花多少，各自做不到什么。
讲义之外

Run:    python day12/server_race.py [--rounds N] [--seconds S] [--servers a,b,c] [--quick]
                                    [--json FILE] [--svg FILE]

How it runs: all servers are started, but only the server being measured runs. The other servers are
stopped (SIGSTOP). Every round gives each server a turn, so that a busy moment of the machine
affects several servers, not just one. The report prints the median of the rounds. Every server can
use only one core. This limit is fair to models with one thread, but it slows down models with
several processes, which could otherwise use more cores. If there are many clients, they run on
another core. A single client shares the server's core, because client and server never work at the
same time, and waking up a sleeping core would take longer than the echo.

How to read a table: the bar and the number after it show the CPU time per request, used by all
threads and processes of the server together. This figure changes least from run to run. Requests
per second and latencies also depend on the client, a Python program that is often slower than the
server, and on everything else that the machine is doing. p50 is the median latency; one request in
a hundred takes longer than p99. MiB is the server's memory (PSS: a page that n processes share
counts 1/n for each).

怎么比：所有服务器都启动，但只有正在测量的那个在运行，其余的用 SIGSTOP 停住；每一轮各上场一次，
打印各轮的中位数。怎么看：条形图和它后面的数字是服务器处理一个请求用掉的 CPU 时间，这个数字最稳定；
每秒请求数和延迟里还有客户端和机器上的其他程序。p99 表示百分之一的请求比它更慢。

The modules are in race/. For example, load.py sends the requests. To add a server, add an entry to
models.py.
"""
import argparse
import dataclasses
import gc
import json
import os
import select
import sys
import time

from race.load import raise_descriptor_limit
from race.models import MODELS
from race.picture import picture
from race.progress import Progress
from race.report import report
from race.results import QUICK, Plan, Results
from race.scenarios import Race

SPARE = 100                         # descriptors for everything except connections


def main():
    if not hasattr(select, "epoll"):
        print("this needs select.epoll: use Linux or WSL · 需要 select.epoll，请用 Linux 或 WSL",
              file=sys.stderr)
        sys.exit(2)
    options = parse_options()
    plan = dataclasses.replace(QUICK if options.quick else Plan(), **options.turns)
    # Ask for twice as many descriptors as one server's clients need, because the idle clients of
    # several servers are connected at the same time. 两倍：几个服务器的空闲客户端同时保持着连接
    room = raise_descriptor_limit(2 * (plan.held + SPARE)) - SPARE
    if room < max(plan.clients):
        print("server_race.py: too few descriptors: raise the limit (ulimit -Hn)"
              " · 描述符太少，请提高上限（ulimit -Hn）", file=sys.stderr)
        sys.exit(2)
    gc.disable()                    # the garbage collector must not interrupt a measurement
    results, progress = Results(options.servers, plan, room), Progress()
    begin = time.monotonic()
    try:
        Race(results, progress).run()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        progress.clear()
    for line in report(results, time.monotonic() - begin):
        print(line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results.as_dict(), file, indent=1)
    if options.svg:
        with open(options.svg, "w", encoding="utf-8") as file:
            file.write(picture(results))
    sys.exit(1 if results.failures else 0)


def parse_options():
    """Return the options. servers: a list of names. turns: a dict of the given rounds and seconds.

    Exits with status 2 if an option is wrong."""
    parser = argparse.ArgumentParser(description="Compare all echo servers under the same load.")
    parser.add_argument("--rounds", metavar="N", type=int,
                        help="turns of each server, 1 to 99 (default: 3)")
    parser.add_argument("--seconds", metavar="S", type=float,
                        help="length of a turn, 0.01 to 60 (default: 0.25)")
    parser.add_argument("--servers", metavar="a,b,c", default=",".join(MODELS),
                        help="measure only these servers (default: %(default)s)")
    parser.add_argument("--quick", action="store_true",
                        help="use few clients and short turns, to see whether everything works")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    parser.add_argument("--svg", metavar="FILE", help="write a picture of the figures to a file")
    options = parser.parse_args()
    options.turns = {name: value for name in ("rounds", "seconds")
                     if (value := getattr(options, name)) is not None}
    options.servers = list(dict.fromkeys(options.servers.split(",")))
    if unknown := set(options.servers) - set(MODELS):
        parser.exit(2, f"{parser.prog}: no such server: {', '.join(sorted(unknown))}; "
                       f"choose from {', '.join(MODELS)}\n")
    rounds, seconds = options.turns.get("rounds", 1), options.turns.get("seconds", 1)
    if not (1 <= rounds <= 99 and 0.01 <= seconds <= 60):
        parser.exit(2, f"{parser.prog}: --rounds takes 1 to 99, --seconds takes 0.01 to 60\n")
    for path in filter(None, [options.json, options.svg]):
        try:
            check_writable(path)
        except OSError as error:
            parser.exit(2, f"{parser.prog}: {error}\n")
    return options


def check_writable(path):
    """Raise OSError if the file cannot be written: better now than at the end of the race."""
    new = not os.path.exists(path)
    open(path, "a").close()
    if new:
        os.remove(path)


if __name__ == "__main__":
    main()
