"""The output of a run in lanes: each piece of text belongs to the process that wrote it.
运行的输出，分泳道：每一段文字都属于写出它的那个进程。

How do we know which process wrote a piece of text? The script's standard output is not a pipe but
one end of a pair of Unix sockets. With SO_PASSCRED on our end, every recvmsg also returns the PID
of the process that wrote the bytes. The kernel fills in this PID, so only root can forge it, and
one recvmsg never returns bytes from two processes (man 7 unix).
内核在每段数据旁边写上写者的 PID（SO_PASSCRED），只有 root 能冒充；两个进程的数据不会混在一段里。
"""
import codecs
import collections
import itertools
import socket
import struct
import time

from classroomd.processes import read_stat

# A run keeps only its newest output. MAX_LINES: maximum lines. MAX_SIZE: maximum characters.
MAX_LINES, MAX_SIZE = 2000, 1 << 20
# SIZE: bytes to receive at once. PIECE: maximum lines in a piece. BUFFER: send buffer in bytes.
SIZE, PIECE, BUFFER = 1 << 16, 200, 1 << 20
# Maximum number of lanes. If a run has more processes, the newest ones share the last lane.
MAX_LANES = 64
# struct ucred: PID, UID, GID.
CREDENTIALS = struct.Struct("3i")
NAMES = {"parent": "父进程", "child": "子进程", "grandchild": "孙进程", "orphan": "孤儿进程",
         "others": "其他进程"}


def output_pair():
    """Return two connected sockets: ours, which also receives the writers' PIDs, and the run's."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ours.setblocking(False)
    # Many short lines fill a small buffer quickly, and a full buffer makes the script wait.
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return ours, theirs


class Lanes:
    """The output of the processes of a run, in order of arrival.

    guardian: the PID of the run's guardian.  lanes: a dict for each lane.  dropped: how many lines
    are no longer kept.  next: the number of the next piece.  Not thread-safe: hold the run's lock.
    """

    def __init__(self, guardian):
        self.guardian = guardian
        self.lanes, self.by_pid, self.counts = [], {}, collections.Counter()
        self.pieces = collections.deque()
        self.next = self.dropped = self.lines = self.size = 0
        self.decoders = {}

    def receive(self, sock, stream):
        """Call recvmsg once on a socket and keep the text; return the number of bytes.

        stream: "out" or "err".  Raises BlockingIOError if nothing has arrived.
        """
        data, ancillary, _, _ = sock.recvmsg(SIZE, socket.CMSG_SPACE(CREDENTIALS.size))
        if data:
            pid = CREDENTIALS.unpack(ancillary[0][2])[0]
            # A character of several bytes can arrive in two pieces.
            make = codecs.getincrementaldecoder("utf-8")
            decoder = self.decoders.setdefault((stream, pid), make("replace"))
            self.add(self.lane_of(pid), stream, decoder.decode(data))
        return len(data)

    def add(self, lane, stream, text):
        """Keep a text as new pieces, and drop the oldest pieces if the limits are exceeded."""
        lines, now = text.splitlines(keepends=True), time.monotonic()
        for start in range(0, len(lines), PIECE):
            part = "".join(lines[start:start + PIECE])
            self.pieces.append({"n": self.next, "lane": lane, "stream": stream, "text": part,
                                "at": now})
            self.next += 1
            self.lines += part.count("\n")
            self.size += len(part)
        while self.lines > MAX_LINES or self.size > MAX_SIZE:
            old = self.pieces.popleft()["text"]
            self.dropped += old.count("\n")
            self.lines -= old.count("\n")
            self.size -= len(old)

    def since(self, number):
        """Return the pieces from `number` on, and whether some of these have been dropped."""
        first = self.next - len(self.pieces)
        start = min(max(number, first), self.next)
        return list(itertools.islice(self.pieces, start - first, None)), number < first

    def text(self, stream="out"):
        """Return the text of a stream, without the pieces that have been dropped."""
        return "".join(piece["text"] for piece in self.pieces if piece["stream"] == stream)

    def lane_of(self, pid):
        """Return the number of a process's lane; open a lane for a new process."""
        if pid not in self.by_pid:
            if len(self.lanes) < MAX_LANES:
                self.open_lane(pid, self.relation(pid))
            self.by_pid[pid] = len(self.lanes) - 1
        return self.by_pid[pid]

    def open_lane(self, pid, relation):
        """Add a lane. relation: a key of NAMES."""
        self.counts[relation] += 1
        number = "" if relation in ("parent", "others") else f" {self.counts[relation]}"
        self.by_pid[pid] = len(self.lanes)
        self.lanes.append({"lane": len(self.lanes), "pid": pid,
                           "name": {"en": relation + number, "zh": NAMES[relation] + number}})

    def relation(self, pid):
        """Return how a process is related to the script, judged by its current parent."""
        if len(self.lanes) == MAX_LANES - 1:
            return "others"
        script, stat = self.lanes[0]["pid"], read_stat(f"/proc/{pid}")
        # If the process has already ended, its parent is unknown. Usually it was the script.
        if stat is None or stat.ppid == script:
            return "child"
        # The guardian adopts orphans, so a child of the guardian is an orphan.
        return "orphan" if stat.ppid == self.guardian else "grandchild"
