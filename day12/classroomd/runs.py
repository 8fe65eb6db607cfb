"""A run: its guardian, its output, its clients, and the thread that waits for all of them.
一次运行：监护进程、输出、客户端，以及等待这一切的线程。
"""
import contextlib
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from classroomd.clients import MAX_OPEN, Client
from classroomd.lanes import Lanes, output_pair
from classroomd.problem import Problem

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GUARD = [sys.executable, "-E", "-S", "-c", "from classroomd.guard import main; main()"]
# MAX_RUNS: how many runs at a time. MAX_KNOWN: how many runs to remember, including ended ones.
MAX_RUNS, MAX_KNOWN = 8, 32
# In seconds. TICK: how often to check whether a page still asks about the run. PAUSE: how long to
# wait between two reads of the output, so that one read gets many lines of a script that prints
# endlessly.
TICK, PAUSE = 0.5, 0.005
LISTENING = re.compile(r"^listening on (\S+):(\d+)$", re.MULTILINE)


@dataclass
class Order:
    """What to run, and how.

    script: the path of the script.  choice: the id of one way to run the script.  argv: the
    command.  shown: the command as a person would type it.  folder: where to start the script, or
    "-" for a temporary folder.  protocol: the protocol of a server.  is_typed: whether the script
    reads lines from standard input.  has_result: whether the script writes a result to a file,
    whose name must replace RESULT in argv.  page: the name of the page that asked for the run.
    """
    script: str
    choice: str
    argv: list
    shown: str
    folder: str
    protocol: str = None
    is_typed: bool = False
    has_result: bool = False
    page: str = ""


class Run:
    """One run of a script, running or ended. Hold the run's lock to read the run's attributes.

    number: the number of the run.  order: an Order.  unasked: the run is ended when no page has
    asked about it for this many seconds.
    """

    def __init__(self, number, order, unasked):
        self.number, self.order, self.unasked = number, order, unasked
        self.lock = threading.Lock()
        self.state, self.status, self.is_stopping = "running", None, False
        self.began = self.asked = time.monotonic()
        self.seconds = self.address = self.result = self.stdin = self.result_fd = None
        self.guardian, self.clients, self.lines = None, {}, b""
        self.sockets = 0, {}  # for system.py: (time of reading, addresses of the run's sockets)
        self.epoll = select.epoll()
        outputs = {"out": output_pair(), "err": output_pair()}
        self.outputs = {stream: ours for stream, (ours, _) in outputs.items()}
        # resting: descriptors of outputs that epoll now ignores. read_at: time of the last read.
        self.resting, self.read_at = set(), 0
        self.once = select.EPOLLIN | select.EPOLLONESHOT
        self.thread = threading.Thread(target=self.serve, name=f"run {number}", daemon=True)
        try:
            self.guardian = self.start([theirs for _, theirs in outputs.values()])
            self.lanes = Lanes(self.guardian.pid)
            # descriptor -> the function to call with the events that epoll reports
            self.handlers = {self.guardian.stdout.fileno(): self.hear_guardian}
            self.epoll.register(self.guardian.stdout.fileno(), select.EPOLLIN)
            self.thread.start()
        except (OSError, RuntimeError):
            # RuntimeError: no thread can be started. At EOF, the guardian ends the script.
            self.close()
            raise
        finally:
            for _, theirs in outputs.values():
                theirs.close()

    def start(self, outputs):
        """Start the guardian, which starts the script. outputs: sockets for the script's output."""
        order, argv = self.order, self.order.argv
        with contextlib.ExitStack() as theirs:
            if order.is_typed:
                reader, self.stdin = os.pipe()
                os.set_blocking(self.stdin, False)
            else:
                reader = os.open(os.devnull, os.O_RDONLY)
            theirs.callback(os.close, reader)
            fds = [reader, *(sock.fileno() for sock in outputs)]
            passed = fds
            if order.has_result:
                # A file in memory has no name in any folder, so it can never be left behind.
                self.result_fd = os.memfd_create("result")
                passed = [*fds, self.result_fd]
                argv = [word.replace("RESULT", f"/dev/fd/{self.result_fd}") for word in argv]
            # Without PYTHONUNBUFFERED, Python would hold back some output in a buffer: up to 8 KiB,
            # or 128 KiB since Python 3.14.
            env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
            return subprocess.Popen([*GUARD, order.folder, *map(str, fds), *argv], env=env,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                    stderr=outputs[1], pass_fds=passed, cwd=HERE,
                                    start_new_session=True)

    # The thread of the run

    def serve(self):
        """Wait for output, for clients and for the guardian, until the guardian has ended."""
        while self.state == "running":
            events = self.epoll.poll(PAUSE if self.resting else TICK)
            now = time.monotonic()
            with self.lock:
                # After an event, epoll ignores an output (EPOLLONESHOT) until modify() re-arms it.
                # Wait 5 ms before that: waking up for every line would cost too much CPU time.
                # 读过的输出先不监听（EPOLLONESHOT），歇 5 毫秒再 modify：逐行唤醒太费 CPU。
                if self.resting and now - self.read_at >= PAUSE:
                    for fd in self.resting:
                        self.epoll.modify(fd, self.once)
                    self.resting.clear()
                for fd, event in events:
                    if fd in self.handlers:
                        self.handlers[fd](event)
                if now - self.asked > self.unasked:
                    self.stop()

    def hear_guardian(self, event):
        """Read the script's PID and exit status from the guardian; at EOF, the run has ended."""
        data = os.read(self.guardian.stdout.fileno(), 1024)
        *lines, self.lines = (self.lines + data).split(b"\n")
        for line in lines:
            what, number = line.split()
            if what == b"pid":
                self.lanes.open_lane(int(number), "parent")
                # Receive output only from now on, so that the first lane is the script's.
                for stream, sock in self.outputs.items():
                    self.handlers[sock.fileno()] = lambda event, it=stream: self.receive(it)
                    self.epoll.register(sock.fileno(), self.once)
            else:
                self.status = int(number)
        if not data:
            self.finish()

    def receive(self, stream):
        """Receive output once; return whether there was any."""
        sock = self.outputs[stream]
        try:
            if stream == "err" and self.is_stopping:
                # Drop this text: it is the traceback of the KeyboardInterrupt from our Ctrl-C.
                self.resting.add(sock.fileno())
                return len(sock.recv(1 << 16)) > 0
            if self.lanes.receive(sock, stream):
                self.resting.add(sock.fileno())
                self.read_at = time.monotonic()
                if self.order.protocol and not self.address:
                    self.find_address()
                return True
        except BlockingIOError:
            return False
        if sock.fileno() in self.handlers:
            # EOF: all processes that could write to this output have ended, or have closed it.
            del self.handlers[sock.fileno()]
            self.resting.discard(sock.fileno())
            self.epoll.unregister(sock.fileno())
        return False

    def find_address(self):
        """Look for the line in which the server prints its address."""
        if match := LISTENING.search(self.lanes.text()):
            self.address = match[1], int(match[2])

    def finish(self):
        """Receive the rest of the output, and close everything that the run used."""
        if self.lanes.lanes:
            for stream, sock in self.outputs.items():
                # What was written can still be read, but no process can write any more, even one
                # that has survived its guardian. So the next loop ends.
                sock.shutdown(socket.SHUT_RD)
                while self.receive(stream):
                    pass
        for client in self.clients.values():
            if client.is_open:
                client.handle(select.EPOLLIN)
                client.close("ended")
        if self.guardian.wait() and self.lanes.lanes:
            # The guardian failed or was killed, so kill the script's process group here. The script
            # is the leader of the group, so its PID is the group's ID.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.lanes.lanes[0]["pid"], 9)
        if self.result_fd is not None:
            self.result = os.pread(self.result_fd, 1 << 20, 0)
        self.close()
        self.handlers.clear()
        self.seconds = time.monotonic() - self.began
        self.state = "stopped" if self.is_stopping else "ended"

    def close(self):
        """Close everything that the run uses."""
        self.close_stdin()
        if self.result_fd is not None:
            os.close(self.result_fd)
        pipes = [self.guardian.stdin, self.guardian.stdout] if self.guardian else []
        for one in [*pipes, *self.outputs.values(), self.epoll]:
            one.close()

    # The actions that the page asks for

    def stop(self):
        """Close the guardian's standard input: at EOF, the guardian ends the run's processes."""
        if self.state == "running":
            self.is_stopping = True
            self.guardian.stdin.close()

    def type(self, text):
        """Write a line to the script's standard input. Raises Problem."""
        if self.stdin is None:
            raise Problem(409, "this program does not read from the keyboard, or has ended",
                          "这个程序不读输入，或者已经结束")
        try:
            os.write(self.stdin, f"{text}\n".encode())
        except BlockingIOError:
            raise Problem(409, "the program has not read its earlier input yet",
                          "程序还没读前面的输入") from None
        except BrokenPipeError:
            self.close_stdin()
            raise Problem(409, "the program no longer reads its input", "程序不再读输入") from None

    def close_stdin(self):
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def connect(self, count):
        """Connect `count` clients to the server, and return them. Raises Problem."""
        if self.state != "running" or not self.address or self.order.protocol == "chat":
            raise Problem(409, "no TCP server is listening in this run: start one first",
                          "没有正在监听的 TCP 服务器，请先启动一个")
        if sum(client.is_open for client in self.clients.values()) + count > MAX_OPEN:
            raise Problem(429, f"at most {MAX_OPEN} clients at a time: close some first",
                          f"最多同时 {MAX_OPEN} 个客户端，请先让几个离开")
        try:
            return [self.add_client() for _ in range(count)]
        except OSError as error:
            raise Problem(409, f"cannot connect: {error.strerror}", "连接失败") from None

    def add_client(self):
        number = len(self.clients) + 1
        client = Client(number, self.address, self.order.protocol, self.epoll)
        self.clients[number] = client
        self.handlers[client.fd] = client.handle
        return client


class Runs:
    """The runs that we remember. known: number -> Run. unasked: passed on to each Run."""

    def __init__(self, unasked=90):
        self.unasked, self.known, self.count = unasked, {}, 0

    def start(self, order):
        """Start a run and return it. Raises Problem."""
        if sum(run.state == "running" for run in self.known.values()) >= MAX_RUNS:
            raise Problem(429, f"{MAX_RUNS} programs are already running: stop one first",
                          f"已有 {MAX_RUNS} 个程序在运行，请先停止一个")
        self.count += 1
        try:
            run = Run(self.count, order, self.unasked)
        except (OSError, RuntimeError) as error:
            raise Problem(503, f"cannot start the program: {error}", "无法启动") from None
        self.known[run.number] = run
        return run

    def forget(self):
        """Forget ended runs that no page asks about any more; return the numbers of these runs.

        If more than MAX_KNOWN runs are known, forget the oldest ended runs too.
        """
        ended = [run for run in self.known.values() if run.state != "running"]
        too_many = len(self.known) - MAX_KNOWN
        late = time.monotonic() - self.unasked
        old = [run.number for index, run in enumerate(ended)
               if run.asked < late or index < too_many]
        for number in old:
            del self.known[number]
        return old

    def close(self):
        """End all runs, and wait until none of their processes is left."""
        for run in self.known.values():
            with run.lock:
                run.stop()
        for run in self.known.values():
            run.thread.join()
