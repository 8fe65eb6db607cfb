"""The picture of a run: its processes, threads, sockets and pipes, as /proc shows them now.
运行的现场图：进程、线程、套接字和管道，全部现场读自 /proc。
"""
import contextlib
import ipaddress
import os
import re
import sys
import time

from classroomd.processes import command_line, descendants, read_stat
from classroomd.runs import HERE

# Maximum characters of a command to show.
WIDTH = 80
# For how many seconds the addresses of sockets are reused before they are read again.
FRESH = 1
# From <net/tcp_states.h>.
TCP_STATES = dict(enumerate("ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE "
                            "CLOSE_WAIT LAST_ACK LISTEN CLOSING NEW_SYN_RECV".split(), 1))
# The target of a link in /proc/PID/fd, such as "socket:[12]".
DESCRIPTOR = re.compile(r"(socket|pipe):\[(\d+)\]")
# The access mode of a pipe's end -> the name of the mode on the page.
ENDS = {os.O_RDONLY: "read", os.O_WRONLY: "write", os.O_RDWR: "both"}


def look(run):
    """Return the processes of a run, for the page. The run's lock is held only at the beginning."""
    with run.lock:
        run.asked = time.monotonic()
        is_running, lanes = run.state == "running", dict(run.lanes.by_pid)
        clients = {client.local: number for number, client in run.clients.items()
                   if client.is_open}
    stats = descendants(run.guardian.pid) if is_running else []
    pids = {stat.pid for stat in stats}
    processes = []
    for stat in stats:
        process = {"pid": stat.pid, "ppid": stat.ppid, "name": stat.name, "state": stat.state,
                   "parent": stat.ppid if stat.ppid in pids else None,
                   "lane": lanes.get(stat.pid), "command": command(stat.pid),
                   "threads": threads(stat.pid)}
        processes.append(process | descriptors(stat.pid))
    sockets = [sock for process in processes for sock in process["sockets"]]
    known = known_sockets(run, {str(sock["inode"]) for sock in sockets})
    for sock in sockets:
        kind, local, remote, state = known.get(str(sock["inode"]), ("unix", "", "", ""))
        sock.update(kind=kind, local=local, remote=remote, tcp_state=state,
                    client=clients.get(remote))
    return {"id": run.number, "state": run.state, "at": time.monotonic(), "processes": processes}


def command(pid):
    """Return the command of a process as a person would type it, shortened."""
    words = ["python" if word == sys.executable else word for word in command_line(pid)]
    text = " ".join(words).replace(f"{os.path.dirname(HERE)}/", "")
    return text if len(text) <= WIDTH else text[:WIDTH - 3] + "..."


def threads(pid):
    """Return the threads of a process: the main thread first, then the others as they started."""
    found = []
    # The process can end while we read.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for name in os.listdir(f"/proc/{pid}/task"):
            if stat := read_stat(f"/proc/{pid}/task/{name}"):
                found.append(stat)
    # A newer thread can have a smaller number: after the largest number, the kernel starts again.
    found.sort(key=lambda stat: (stat.pid != pid, stat.born, stat.pid))
    return [{"tid": stat.pid, "name": stat.name, "state": stat.state} for stat in found]


def descriptors(pid):
    """Return the open descriptors of a process, except 0, 1 and 2, which lead to the classroom."""
    found = {"sockets": [], "pipes": [], "epolls": [], "files": 0}
    try:
        fds = sorted(map(int, os.listdir(f"/proc/{pid}/fd")))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return found
    for fd in fds:
        # The process can close the descriptor while we read.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            match = DESCRIPTOR.fullmatch(target)
            if fd <= 2:
                continue
            if match and match[1] == "socket":
                found["sockets"].append({"fd": fd, "inode": int(match[2])})
            elif match:
                flags = int(re.search(r"flags:\s+(\d+)", fdinfo(pid, fd))[1], 8)
                found["pipes"].append({"fd": fd, "inode": int(match[2]), "end": ENDS[flags & 3]})
            elif target == "anon_inode:[eventpoll]":
                watches = re.findall(r"^tfd:\s+(\d+)", fdinfo(pid, fd), re.MULTILINE)
                found["epolls"].append({"fd": fd, "watches": sorted(map(int, watches))})
            else:
                found["files"] += 1
    return found


def fdinfo(pid, fd):
    with open(f"/proc/{pid}/fdinfo/{fd}") as file:
        return file.read()


def known_sockets(run, inodes):
    """Return the result of read_sockets; reuse a result for FRESH seconds unless a socket is new.

    read_sockets takes milliseconds, about as long as the rest of look(), because the kernel walks
    through its entire table of sockets, including the empty slots.
    """
    read_at, known = run.sockets
    if time.monotonic() - read_at > FRESH or not inodes <= known.keys():
        known = read_sockets(inodes)
        run.sockets = time.monotonic(), known
    return known


def read_sockets(inodes):
    """Return inode -> (kind, local address, remote address, state) of TCP and UDP sockets.

    inodes: the inode numbers of the sockets to look up, as strings. A socket that is missing from
    the result is taken for a Unix socket.
    """
    found = {}
    # Decode only the lines that we need: there may be thousands of sockets in TIME_WAIT.
    for name in ("tcp", "tcp6", "udp", "udp6") if inodes else ():
        with contextlib.suppress(FileNotFoundError), open(f"/proc/net/{name}") as file:
            for line in file:
                _, local, remote, state, *rest = line.split()
                if rest[5] in inodes:
                    state = TCP_STATES.get(int(state, 16), "") if name.startswith("tcp") else ""
                    kind = "listen" if state == "LISTEN" else name[:3]
                    found[rest[5]] = kind, address(local), address(remote), state
    return found


def address(text):
    """Return an address from /proc/net/tcp as people write it, or "" if the port is 0 (any port).

    text: such as "0100007F:1F90", which is 127.0.0.1:8080.
    """
    packed, _, port = text.partition(":")
    if int(port, 16) == 0:
        return ""
    # Each group of 32 bits is a number in this machine's byte order, usually little-endian.
    data = bytes.fromhex(packed)
    if sys.byteorder == "little":
        data = b"".join(data[start:start + 4][::-1] for start in range(0, len(data), 4))
    host = ipaddress.ip_address(data)
    return f"[{host}]:{int(port, 16)}" if host.version == 6 else f"{host}:{int(port, 16)}"
