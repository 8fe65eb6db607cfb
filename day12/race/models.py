"""The echo servers that take part: how each is started, and what its row teaches.
参赛的回声服务器：如何启动，各自说明什么。

To add a server, add an entry to MODELS. The server must take a port as its first argument, print
`listening on HOST:PORT` when it is ready, and send back what it receives.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A server that takes part in the race.

    command: the script, relative to day12/, and its arguments after the port.
    lesson: the sentence about this server in the report.
    compare: the comparisons that follow this sentence, each as (words, scenario, the other model).
    held: the maximum number of silent connections; 0 leaves the server out of the memory table.
    idle: the maximum number of idle clients beside a busy one.
    Limits below 10,000 save memory and time.
    """
    command: tuple
    lesson: str
    compare: tuple = ()
    held: int = 10_000
    idle: int = 10_000


MODELS = {
    "iterative": Model(
        ("../day10/iterative_server.py",),
        "It serves one client at a time: simple, and enough for short visits.",
        (("a new connection", "fresh", "epoll"),),
        held=0),
    "fork": Model(
        ("../day10/fork_server.py",),
        "Each client has a process, so a client can harm only its own process.",
        (("a new connection", "fresh", "thread"), ("a held connection", "memory", "thread")),
        held=200),
    "thread": Model(
        ("../day10/thread_server.py",),
        "Each client has a thread. Threads are as easy to use as processes, but share data.",
        (("a new connection", "fresh", "epoll"), ("a held connection", "memory", "epoll")),
        held=2000),
    "select": Model(
        ("../day11/select_server.py",),
        "One thread serves all clients. Each call to select checks all sockets, at most 1,024.",
        held=1000),
    # Whenever a client connects, poll checks all sockets, so the time to connect n clients grows
    # with the square of n.
    "poll": Model(
        ("poll_server.py",),
        "Like select, but without a limit. Each call to poll still checks all sockets.",
        held=1000, idle=5000),
    "epoll": Model(
        ("epoll_server.py",),
        "The kernel keeps the list of sockets and reports only those that are ready."),
    "epoll-edge": Model(
        ("epoll_server.py", "--edge"),
        "The kernel reports only what is new, so the server must call recv until nothing is left."),
    "coroutine": Model(
        ("coroutine_server.py",),
        "Each client has a coroutine; our own small scheduler, built on epoll, runs them all.",
        (("a held connection", "memory", "thread"),)),
    "gevent": Model(
        ("gevent_server.py",),
        "The code is like the thread server's, but all greenlets run in one thread.",
        (("a held connection", "memory", "thread"),)),
    "asyncio": Model(
        ("asyncio_server.py",),
        "The code uses async and await, and all clients share one thread.",
        (("a held connection", "memory", "thread"),)),
}
# The three ways to watch many sockets. These models are also measured with more and more idle
# clients.
WATCHERS = ("select", "poll", "epoll")
