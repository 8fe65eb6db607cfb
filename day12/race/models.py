"""The echo servers that take part: how each is started, and what its row teaches.
参赛的回声服务器：如何启动，各自说明什么。

To add a server, add an entry to MODELS. It must take a port as its first argument, print
`listening on HOST:PORT` when it is ready, and send back what it receives.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A server of the race.

    command: the script, relative to day12/, and its arguments after the port.
    lesson: a sentence of the report.
    compare: what the report compares after this sentence: (words, scenario, the other model).
    held: the most silent connections to hold, to save memory and time; 0: leave this row out.
    idle: the most idle clients beside one at work.
    """
    command: tuple
    lesson: str
    compare: tuple = ()
    held: int = 10_000
    idle: int = 10_000


MODELS = {
    "iterative": Model(
        ("../day10/iterative_server.py",),
        "One client at a time: simple, and enough for short visits.",
        (("a new connection", "fresh", "epoll"),),
        held=0),
    "fork": Model(
        ("../day10/fork_server.py",),
        "A process per client: a client can harm only its own process.",
        (("a new connection", "fresh", "thread"), ("a held connection", "memory", "thread")),
        held=200),
    "thread": Model(
        ("../day10/thread_server.py",),
        "A thread per client: as easy to write as processes, and threads share their data.",
        (("a new connection", "fresh", "epoll"), ("a held connection", "memory", "epoll")),
        held=2000),
    "select": Model(
        ("../day11/select_server.py",),
        "One thread for all clients; each call checks the entire list, 1,024 descriptors at most.",
        held=1000),
    # Whenever a client connects, poll checks all the others: 10,000 would take minutes.
    "poll": Model(
        ("poll_server.py",),
        "A list without that limit, but each call still checks all of it.",
        held=1000, idle=5000),
    "epoll": Model(
        ("epoll_server.py",),
        "The kernel keeps the list and reports only the sockets that are ready."),
    "epoll-edge": Model(
        ("epoll_server.py", "--edge"),
        "Fewer reports, but the server must call recv until nothing is left."),
    "coroutine": Model(
        ("coroutine_server.py",),
        "A coroutine per client, on our own small scheduler over epoll.",
        (("a held connection", "memory", "thread"),)),
    "gevent": Model(
        ("gevent_server.py",),
        "Written like the thread server, but all greenlets run in one thread.",
        (("a held connection", "memory", "thread"),)),
    "asyncio": Model(
        ("asyncio_server.py",),
        "Written with async and await, all in one thread.",
        (("a held connection", "memory", "thread"),)),
}
# The three ways to watch many sockets: these three meet more and more idle clients.
WATCHERS = ("select", "poll", "epoll")
