"""An FTP server: a thread per client, and FTP as the world's clients speak it (RFC 959, 2389, 2428, 3659).
ftp 文件服务器

Run:    python day11/ftp/ftp_server.py [port] [-b ADDRESS] [-d DIRECTORY] [--user NAME:PASSWORD] [--read-only]
        python day11/ftp/ftp_client.py [port]      in another terminal, or curl, lftp, FileZilla: ftp://127.0.0.1:2121

FTP uses two connections. Commands and replies travel over the control connection, for as long as the session lasts. Each
listing and each file travels over a data connection of its own, and its end is the end of the file.

    client                                               server
       |---- control connection ------------------------->| port 2121
       |   PASV                                           |
       |   227 Entering Passive Mode (127,0,0,1,156,64)   | a port for this session: 156 * 256 + 64
       |---- data connection ---------------------------->| port 40000
       |   RETR a.txt                                     |
       |   150 Opening data connection                    |
       |            the bytes of a.txt, then its end <----|
       |   226 Transfer complete                          |

That is passive mode. In active mode (PORT) the client listens, and it is the server that connects.

Who may do what: anonymous lists, downloads and adds files. With --user NAME:PASSWORD, that user may also replace, rename,
delete and make folders, and anonymous only reads. With --read-only nobody writes. Files go over as they are stored, also
after TYPE A. What is neither a file nor a folder, such as a link, is not there as far as FTP is concerned.
"""
import argparse
import contextlib
import errno
import fnmatch
import hmac
import ipaddress
import mmap
import os
import posixpath
import re
import secrets
import select
import socket
import stat
import struct
import threading
import time

MAX_LINE = 8192                                    # bytes of a command
MAX_WRONG = 3                                      # wrong passwords in a session
PENALTY = 1                                        # seconds that a wrong password costs
CONNECT_TIMEOUT = 30                               # seconds for a data connection to come about
GRACE = 0.005                                      # seconds from the end of an upload until it counts as complete
CHUNK = 1 << 20                                    # bytes to send at once
BUFFER = 1 << 18                                   # bytes to receive at once
SMALL = 1 << 16                                    # bytes of a file that goes out in one piece
RETRY = 0.1                                        # seconds
ANONYMOUS = ("anonymous", "ftp")
HIDDEN = ".upload-"                                # how a file under way is called, where it cannot be without a name
UNUSED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")                # characters that no name has here

# Commands whose reply is always the same, or depends only on whether the argument is one of these.
FIXED = {
    "NOOP": (200, "OK"), "SYST": (215, "UNIX Type: L8"), "ACCT": (202, "Not needed"),
}
CHOICE = {"TYPE": ("A", "A N", "I", "L 8"), "MODE": ("S",), "STRU": ("F",)}
FACTS = ("type", "size", "modify", "unique")       # that MLSD and MLST tell (RFC 3659, 7.5), unless OPTS MLST chooses some
NOT_HERE = frozenset("ADAT AUTH CCC CONF ENC LANG LPRT LPSV MIC PBSZ PROT SITE SMNT XCUP XCWD XMKD XPWD XRMD".split())
BEFORE_LOGIN = frozenset("USER PASS QUIT REIN HELP SYST FEAT OPTS NOOP ACCT".split())
NEED_ARGUMENT = frozenset("USER TYPE MODE STRU OPTS PORT EPRT RETR STOR APPE DELE RNFR RNTO SIZE MDTM MKD RMD CWD REST "
                          "ALLO".split())
PREPARE = frozenset("REST ALLO PASV EPSV PORT EPRT".split())           # what may come before a transfer, beside CHOICE
CODES = {errno.ENOSPC: 452, errno.EDQUOT: 452, errno.EFBIG: 552, errno.EMFILE: 451, errno.ENFILE: 451}


class Reply(Exception):
    """Ends a command with this reply: code, text."""


class Gone(Exception):
    """The client has closed the control connection."""


class Library:
    """The folder that is served. A path begins with "/", which is that folder; there is no way out of it.

    Every step of a path is opened by itself, from the folder before it and never through a link (openat and O_NOFOLLOW,
    man 2 open). So it makes no difference what anybody replaces by a link at what moment.
    """

    def __init__(self, directory):
        """directory: its path. Raises OSError if it is no folder that can be opened."""
        self.root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)

    @contextlib.contextmanager
    def folder(self, path):
        """A descriptor of a folder."""
        fd = os.dup(self.root)
        try:
            for name in path.split("/"):
                if not name:
                    continue
                deeper = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
                os.close(fd)
                fd = deeper
            yield fd
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def parent(self, path):
        """A descriptor of the folder that a path leads to, and the last name of the path."""
        head, name = posixpath.split(path)
        if not name:
            raise PermissionError(errno.EPERM, "Not with the root")
        with self.folder(head) as fd:
            yield fd, name

    @contextlib.contextmanager
    def open(self, path):
        """A descriptor of a file, to read it."""
        with self.parent(path) as (folder, name):
            # Non-blocking: to open a pipe would mean to wait for somebody who writes to it.
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise PermissionError(errno.EPERM, "Not a file")
            yield fd
        finally:
            os.close(fd)

    def stat(self, path):
        """The os.stat_result of a file or folder. Raises FileNotFoundError."""
        if path == "/":
            return os.fstat(self.root)
        with self.parent(path) as (folder, name):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not is_shown(name, found):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return found

    def list(self, path, pattern="*"):
        """[(name, os.stat_result)] of what a folder contains, by name."""
        found, matches = [], re.compile(fnmatch.translate(pattern)).match
        with self.folder(path) as folder, os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):           # gone since
                    if matches(entry.name) and is_shown(entry.name, entry.stat(follow_symlinks=False)):
                        found.append((entry.name, entry.stat(follow_symlinks=False)))
        return sorted(found)


def is_shown(name, found):
    kind = stat.S_IFMT(found.st_mode)
    return kind in (stat.S_IFREG, stat.S_IFDIR) and not name.startswith(HIDDEN) and not UNUSED.search(name)


class Upload:
    """A new file that has no name until it is complete; if it never is, nothing of it is left.

    library, path: where it will be.  replace: whether there may be a file of that name by then.
    """

    def __init__(self, library, path, replace):
        self.replace = replace
        self.hidden = None
        with contextlib.ExitStack() as stack:
            self.folder, self.name = stack.enter_context(library.parent(path))
            stack.callback(self.remove_hidden)
            try:
                self.fd = os.open(".", os.O_WRONLY | os.O_TMPFILE, 0o644, dir_fd=self.folder)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
                    raise
                self.hidden = HIDDEN + secrets.token_hex(8)            # a file system whose files must have names
                self.fd = os.open(self.hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=self.folder)
            stack.callback(os.close, self.fd)
            self.stack = stack.pop_all()           # all went well: it stays open

    def commit(self):
        """Give it its name. Raises FileExistsError if somebody else was first and it may not replace."""
        if not self.replace:
            self.link(self.name)
            return
        if not self.hidden:                        # a link cannot replace a file, but a rename can
            hidden = HIDDEN + secrets.token_hex(8)
            self.link(hidden)
            self.hidden = hidden
        os.rename(self.hidden, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        self.hidden = None

    def link(self, name):
        os.link(self.hidden or f"/proc/self/fd/{self.fd}", name, src_dir_fd=self.folder, dst_dir_fd=self.folder)

    def remove_hidden(self):
        if self.hidden:
            os.unlink(self.hidden, dir_fd=self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stack.close()


class Control:
    """The control connection: lines come in, replies go out."""

    def __init__(self, conn, timeout):
        self.conn = conn
        self.buffer = b""
        self.skipping = False                      # the rest of a line that was too long
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)     # a client may send its ABOR as urgent data
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            conn.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(timeout), int(timeout % 1 * 1e6)))

    def receive(self):
        """Receive what there is. Raises Gone at the end, and BlockingIOError when nothing comes in time."""
        data = self.conn.recv(MAX_LINE)
        if not data:
            raise Gone
        self.buffer += data

    def next_line(self):
        """Take a line from what has been received, or None. Raises Reply for one that was too long."""
        line, newline, rest = self.buffer.partition(b"\n")
        if not newline:
            if len(line) > MAX_LINE:
                self.buffer, self.skipping = b"", True
            return None
        self.buffer = rest
        if self.skipping or len(line) > MAX_LINE:
            self.skipping = False
            raise Reply(500, "Line too long")
        # Telnet's own commands (RFC 854): IAC WILL, WONT, DO, DONT and an option; IAC and another; IAC IAC is a byte 255.
        line = line.removesuffix(b"\r")
        return os.fsdecode(re.sub(rb"\xff(?:[\xfb-\xfe].?|(\xff)|.)", rb"\1", line) if b"\xff" in line else line)

    def send(self, code, text, flags=0):
        """Send a reply; a text of several lines as RFC 959 4.2 says."""
        first, *lines = text.split("\n")
        text = "\r\n".join([f"{code}-{first}", *lines[:-1], f"{code} {lines[-1]}"] if lines else [f"{code} {first}"])
        self.conn.sendall(os.fsencode(f"{text}\r\n"), flags)


class Session:
    """What one client does. A command that does something is a method, which returns its reply, or raises it."""

    def __init__(self, conn, server):
        self.conn = conn
        self.server = server
        self.library = server.library
        self.control = Control(conn, server.timeout)
        self.client = conn.getpeername()[0]
        self.protocol = "2" if conn.family == socket.AF_INET6 else "1"                 # as EPSV and EPRT call it
        self.listener = None                       # of passive mode; kept, for another PASV can use it again
        self.wrong = 0
        self.over = False
        self.do_REIN()

    # The conversation

    def run(self):
        """Serve the client until it quits, is gone, or is silent for too long."""
        try:
            self.control.send(220, "Ready")
            while not self.over:
                try:
                    line = self.control.next_line()
                    if line is None:
                        self.control.receive()
                        continue
                    reply = self.obey(line)
                except Reply as error:
                    reply = error.args
                self.control.send(*reply)
        except BlockingIOError:
            with contextlib.suppress(OSError):
                self.control.send(421, "Silent for too long")
        except (Gone, OSError):                    # it has closed the connection, or reset it
            pass
        finally:
            self.close_data()
            self.conn.close()

    def obey(self, line):
        """Do what a line asks for and return the reply: code, text."""
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        method = getattr(self, f"do_{verb}", None)
        if not (method or verb in FIXED or verb in CHOICE):
            return (502, f"{verb} is not supported") if verb in NOT_HERE else (500, "Unknown command")
        if not self.logged_in and verb not in BEFORE_LOGIN:
            return 530, "Log in with USER and PASS first"
        if not argument and verb in NEED_ARGUMENT:
            return 501, f"{verb} of what?"
        if verb != "RNTO":
            self.rename_from = None
        if verb in CHOICE:
            return (200, "OK") if argument.upper() in CHOICE[verb] else (504, f"One of: {', '.join(CHOICE[verb])}")
        try:
            return FIXED.get(verb) or method(argument)
        except FileExistsError:
            return 553, "There is one of that name"
        except OSError as error:
            if error.errno == errno.ELOOP:         # a link: for FTP it is not there
                error = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return CODES.get(error.errno, 550), error.strerror or "Failed"
        except ValueError as error:
            return 501, f"{verb}: {error}"
        finally:
            if verb not in PREPARE:                # REST and ALLO count for the next transfer only
                self.offset, self.promised = 0, None

    # Login and farewell

    def do_USER(self, name):
        self.do_REIN()
        self.user = name
        return 331, "The password, please"

    def do_PASS(self, password):
        if self.user is None or self.logged_in:
            return 503, "USER comes first"
        if self.user in ANONYMOUS:
            self.may_add = not self.server.users
        elif hmac.compare_digest(os.fsencode(self.server.users.get(self.user, secrets.token_hex())), os.fsencode(password)):
            self.may_add = self.may_change = True
        else:
            time.sleep(PENALTY)
            self.user = None
            self.wrong += 1
            self.over = self.wrong == MAX_WRONG
            return (421 if self.over else 530), "Wrong name or password"
        if self.server.read_only:
            self.may_add = self.may_change = False
        self.logged_in = True
        return 230, "Welcome"

    def do_REIN(self, _=""):
        self.user, self.logged_in = None, False
        self.may_add = self.may_change = False
        self.folder = "/"
        self.offset, self.promised, self.rename_from = 0, None, None
        self.only_epsv = False
        self.facts = FACTS
        self.close_data()
        return 220, "Ready for a new user"

    def do_QUIT(self, _):
        self.over = True
        return 221, "Good bye"

    def do_FEAT(self, _):
        known = "".join(f"{name}{'*' if name in self.facts else ''};" for name in FACTS)
        return 211, f"Features:\n EPRT\n EPSV\n MDTM\n MLST {known}\n REST STREAM\n SIZE\n TVFS\n UTF8\nEnd"

    def do_OPTS(self, argument):
        if argument.upper() in ("UTF8", "UTF8 ON"):
            return 200, "OK"
        what, _, chosen = argument.partition(" ")
        if what.upper() != "MLST":
            return 501, "One of: UTF8 ON, MLST"
        self.facts = [name for name in FACTS if name in chosen.lower().split(";")]
        return 200, f"MLST OPTS {''.join(f'{name};' for name in self.facts)}".rstrip()

    def do_HELP(self, _):
        verbs = sorted([*FIXED, *CHOICE, *(name[3:] for name in dir(self) if name.startswith("do_"))])
        return 214, "\n".join(["Commands:", *(" " + " ".join(verbs[row:row + 10]) for row in range(0, len(verbs), 10)), "End"])

    def do_STAT(self, path):
        if path:
            return 213, "\n".join(["Listing", *self.long_lines(path), "End"])
        return 211, f"Logged in as {self.user}; no transfer"

    # Where the data connection will be

    def do_PASV(self, _):
        if self.protocol == "2" or self.only_epsv:
            return 522 if self.protocol == "2" else 501, "Use EPSV"
        host, port = self.listen()
        return 227, f"Entering Passive Mode ({host.replace('.', ',')},{port >> 8},{port & 255})"

    def do_EPSV(self, argument):
        if argument.upper() == "ALL":
            self.only_epsv = True
            return 200, "EPSV from now on"
        if argument not in ("", self.protocol):
            return 522, f"Use ({self.protocol})"
        return 229, f"Entering Extended Passive Mode (|||{self.listen()[1]}|)"

    def listen(self):
        """Wait at a port of this session for the next data connection; return the address."""
        if not self.listener:
            # SO_REUSEADDR, which create_server sets, lets ports be used again that are in TIME_WAIT.
            self.listener = socket.create_server((self.conn.getsockname()[0], 0), family=self.conn.family)
            self.listener.setblocking(False)
            self.address = self.listener.getsockname()[:2]
        with contextlib.suppress(BlockingIOError):
            while True:                            # whoever has connected before now is not the one who will be meant
                self.listener.accept()[0].close()
        self.peer = "passive"
        return self.address

    def do_PORT(self, argument):
        *host, high, low = bytes(map(int, argument.split(",")))        # ValueError for what is no byte
        return self.connect_to(".".join(map(str, host)), high * 256 + low)

    def do_EPRT(self, argument):
        found = re.fullmatch(r"([!-~])(\d+)\1(.+)\1(\d+)\1", argument, re.ASCII)
        if not found:
            return 501, "EPRT |protocol|address|port|"
        if found[2] != self.protocol:
            return 522, f"Use ({self.protocol})"
        return self.connect_to(found[3], int(found[4]))

    def connect_to(self, host, port):
        """The next data connection goes to the client: nowhere else, and to no service of its own (RFC 2577)."""
        if self.only_epsv or ipaddress.ip_address(host) != ipaddress.ip_address(self.client) or not 1024 <= port <= 65535:
            return 501, "Only your own address and ports from 1024 on, and not after EPSV ALL"
        self.close_data()
        self.peer = host, port
        return 200, "OK"

    def close_data(self):
        """Forget about PASV or PORT."""
        self.peer = None
        if self.listener:
            self.listener.close()
            self.listener = None

    # The data connection

    @contextlib.contextmanager
    def data(self, what, small=False):
        """The data connection, from the 150 reply to its end. If it breaks, that ends the command with a reply.

        small: it will take but a moment, so that the 150 may travel with the reply that comes after it.
        """
        peer, self.peer = self.peer, None          # for one transfer
        if peer is None:
            raise Reply(425, "PASV or PORT comes first")
        try:
            conn = self.accept_data() if peer == "passive" else socket.create_connection(peer, timeout=CONNECT_TIMEOUT)
        except OSError as error:
            raise Reply(425, f"No data connection: {error.strerror or error}") from None
        with conn:
            conn.setblocking(False)
            self.control.send(150, f"Opening data connection for {what}", socket.MSG_MORE if small else 0)
            try:
                yield conn
            except (ConnectionError, TimeoutError) as error:
                raise Reply(426, f"Data connection: {error.strerror or error}") from None

    def accept_data(self):
        deadline = time.monotonic() + CONNECT_TIMEOUT
        while True:
            try:
                conn, address = self.listener.accept()
            except BlockingIOError:
                self.wait(self.listener, select.POLLIN, deadline - time.monotonic())
                continue
            if address[0] == self.client:
                return conn
            conn.close()                           # somebody else, who has guessed the port

    def wait(self, sock, event, timeout):
        """Wait until the data connection is ready, with an ear for the client. Raises TimeoutError."""
        poll = select.poll()
        poll.register(sock, event)
        if len(self.control.buffer) < MAX_LINE:
            poll.register(self.conn, select.POLLIN)
        ready = [fd for fd, _ in poll.poll(max(0, timeout) * 1000)]
        if not ready:
            raise TimeoutError("no progress")
        if self.conn.fileno() in ready:
            self.listen_to_client()

    def listen_to_client(self):
        """During a transfer: has the client aborted it, or gone? Another command waits until the transfer is over."""
        self.control.receive()
        # Urgent data or not, and with the signals of Telnet in front or not.
        if re.match(rb"[\xf2-\xff]*ABOR\r?\n", self.control.buffer, re.IGNORECASE):
            self.control.next_line()
            self.control.send(426, "Transfer aborted")
            raise Reply(226, "Abort successful")

    def send_bytes(self, conn, data):
        left = memoryview(data)
        while left:
            try:
                left = left[conn.send(left):]
            except BlockingIOError:
                self.wait(conn, select.POLLOUT, self.server.timeout)

    def send_file(self, conn, fd, offset, size):
        """Send a file from offset on. Raises Reply if it turns out to be shorter than size."""
        if size - offset <= SMALL:
            data = os.pread(fd, size - offset, offset)
            self.send_bytes(conn, data)
            offset += len(data)
        else:
            # The socket copies from the mapped pages. sendfile copies nothing, but hands over page by page, which takes the
            # receiver longer: over loopback this is faster. Where the file has become shorter, send fails with EFAULT.
            with contextlib.suppress(ValueError), mmap.mmap(fd, size, access=mmap.ACCESS_READ) as mapped:
                with memoryview(mapped) as view:
                    while offset < size:
                        try:
                            offset += conn.send(view[offset:offset + CHUNK])
                        except BlockingIOError:
                            self.wait(conn, select.POLLOUT, self.server.timeout)
                        except OSError as error:
                            if error.errno != errno.EFAULT:
                                raise
                            break
        if offset < size:
            raise Reply(451, "The file has become shorter")

    def receive_file(self, conn, fd, size):
        """Receive what comes, behind the bytes that the file has already."""
        buffer, promised = memoryview(bytearray(BUFFER)), self.promised
        while True:
            try:
                count = conn.recv_into(buffer)
            except BlockingIOError:
                self.wait(conn, select.POLLIN, self.server.timeout)
                continue
            if count == 0:
                break
            write(fd, buffer[:count])
            size += count
        # The end of the file looks like that of a client which is killed. If it has said with ALLO how much there would be,
        # that tells them apart. If not: its other connection ends then too, as a rule a moment before or after.
        if promised is not None and size < promised:
            raise Reply(426, f"{promised} bytes were promised, it has {size}")
        poll = select.poll()
        poll.register(self.conn, select.POLLIN)
        if promised is None and poll.poll(1000 * GRACE):
            self.listen_to_client()

    # Files

    def do_REST(self, argument):
        self.offset = int(argument) if re.fullmatch(r"\d{1,18}", argument, re.ASCII) else 0
        return (350, f"The next transfer starts at {self.offset}") if self.offset or argument == "0" else (501, "REST number")

    def do_ALLO(self, argument):
        found = re.fullmatch(r"(\d{1,18})(?: R \d+)?", argument, re.ASCII | re.IGNORECASE)
        self.promised = int(found[1]) if found else None
        return (200, "Noted") if found else (501, "ALLO number")

    def do_RETR(self, argument):
        offset = self.offset
        with self.library.open(self.path(argument)) as fd:
            size = os.fstat(fd).st_size
            if offset > size:
                return 554, f"It has {size} bytes only"
            with self.data(f"{argument} ({size - offset} bytes)", small=size - offset <= SMALL) as conn:
                self.send_file(conn, fd, offset, size)
        return 226, "Transfer complete"

    def do_STOR(self, argument):
        return self.store(self.path(argument), self.offset)

    def do_APPE(self, argument):
        found = self.find(self.path(argument))
        return self.store(self.path(argument), found.st_size if found else 0)

    def do_STOU(self, argument):
        return self.store(f"{self.path(argument or 'file')}.{secrets.token_hex(4)}", 0)

    def store(self, path, offset):
        """Receive a file; its first bytes, up to offset, are those of the file that is there already."""
        found, name = self.find(path), posixpath.basename(path)
        self.demand(self.may_change or self.may_add and not offset)
        if found and (not self.may_change or stat.S_ISDIR(found.st_mode)):
            raise FileExistsError
        with Upload(self.library, path, self.may_change) as upload:
            if offset:
                with self.library.open(path) as old:
                    if os.fstat(old).st_size < offset:
                        return 554, "It is not that long"
                    copy(old, upload.fd, offset)
            with self.data(f"FILE: {name}") as conn:
                self.receive_file(conn, upload.fd, offset)
            upload.commit()
        return 226, f"Stored as {name}"

    def do_ABOR(self, _):
        self.peer = None
        return 226, "There was nothing to abort"

    def do_DELE(self, argument):
        self.change(os.unlink, argument)
        return 250, "Deleted"

    def do_RNFR(self, argument):
        self.demand(self.may_change)
        self.library.stat(self.path(argument))
        self.rename_from = self.path(argument)
        return 350, "RNTO, please"

    def do_RNTO(self, argument):
        if not self.rename_from:
            return 503, "RNFR comes first"
        source, self.rename_from = self.rename_from, None
        path = self.path(argument)
        with self.library.parent(source) as (old, old_name), self.library.parent(path) as (new, new_name):
            os.rename(old_name, new_name, src_dir_fd=old, dst_dir_fd=new)
        return 250, "Renamed"

    def do_SIZE(self, argument):
        found = self.library.stat(self.path(argument))
        return (213, str(found.st_size)) if stat.S_ISREG(found.st_mode) else (550, "Not a file")

    def do_MDTM(self, argument):
        return 213, modified(self.library.stat(self.path(argument)))

    # Folders

    def do_PWD(self, _):
        return 257, quoted(self.folder)

    def do_CWD(self, argument):
        path = self.path(argument)
        with self.library.folder(path):
            self.folder = path
        return 250, f"In {path}"

    def do_CDUP(self, _):
        return self.do_CWD("..")

    def do_MKD(self, argument):
        self.change(os.mkdir, argument, new=True)
        return 257, quoted(self.path(argument))

    def do_RMD(self, argument):
        self.change(os.rmdir, argument)
        return 250, "Removed"

    # Listings

    def do_LIST(self, argument):
        return self.send_lines(self.long_lines(without_options(argument)))

    def do_NLST(self, argument):
        argument = without_options(argument)
        prefix = "" if self.is_folder(argument) else argument[:argument.rfind("/") + 1]
        return self.send_lines(prefix + name for name, found in self.matching(argument))

    def do_MLSD(self, argument):
        path = self.path(argument)
        entries = [f"{self.describe(found)} {name}" for name, found in self.library.list(path)]
        return self.send_lines([self.describe(self.library.stat(path), "cdir") + " .", *entries])

    def do_MLST(self, argument):
        path = self.path(argument)
        return 250, f"Listing\n {self.describe(self.library.stat(path))} {path}\nEnd"

    def describe(self, found, kind=None):
        """The facts of a file that the client wants to know."""
        kind = kind or ("dir" if stat.S_ISDIR(found.st_mode) else "file")
        values = dict(type=kind, size=found.st_size, modify=modified(found), unique=f"{found.st_dev:x}-{found.st_ino:x}")
        return "".join(f"{name}={values[name]};" for name in self.facts if name != "size" or kind == "file")

    def send_lines(self, lines):
        text = os.fsencode("".join(f"{line}\r\n" for line in lines))
        with self.data("the list", small=len(text) <= SMALL) as conn:
            self.send_bytes(conn, text)
        return 226, "Transfer complete"

    def long_lines(self, argument):
        """Lines as `ls -l` prints them, which is what clients without MLSD know how to read."""
        for name, found in self.matching(argument):
            recent = 0 <= time.time() - found.st_mtime < 180 * 86400
            date = time.strftime("%b %d %H:%M" if recent else "%b %d  %Y", time.gmtime(found.st_mtime))
            yield f"{stat.filemode(found.st_mode)} {found.st_nlink:4} ftp ftp {found.st_size:12} {date} {name}"

    def matching(self, argument):
        """What a folder contains, a file by itself, or what matches a pattern in its last name."""
        path = self.path(argument)
        if self.is_folder(argument):
            return self.library.list(path)
        if re.search(r"[*?\[]", posixpath.basename(path)):
            return self.library.list(*posixpath.split(path))
        return [(posixpath.basename(path), self.library.stat(path))]

    # Small matters

    def path(self, argument):
        """The path that an argument means, from the root on. However many .. it has, it does not lead above the root."""
        path = "/" + posixpath.normpath(posixpath.join(self.folder, argument)).lstrip("/")
        if UNUSED.search(path) or f"/{HIDDEN}" in path:
            raise ValueError("not a name that is used here")
        return path

    def find(self, path):
        """Its os.stat_result, or None."""
        with contextlib.suppress(FileNotFoundError):
            return self.library.stat(path)

    def is_folder(self, argument):
        found = self.find(self.path(argument))
        return bool(found and stat.S_ISDIR(found.st_mode))

    def change(self, action, argument, new=False):
        """Do something to what is there, or, if it is new, to a name."""
        self.demand(self.may_change)
        path = self.path(argument)
        if not new:
            self.library.stat(path)
        with self.library.parent(path) as (folder, name):
            action(name, dir_fd=folder)

    def demand(self, permission):
        if not permission:
            raise Reply(550, "Not allowed")


def write(fd, data):
    while data:
        data = data[os.write(fd, data):]


def copy(source, target, count):
    """Copy that many bytes from the beginning of one file to another."""
    while count:
        data = os.read(source, min(count, BUFFER))
        if not data:
            raise OSError(errno.EIO, "It has become shorter")
        write(target, memoryview(data))
        count -= len(data)


def without_options(argument):
    """LIST -la NAME: many clients add the options of ls, which have no meaning here."""
    return re.sub(r"^(?:-\w*(?: +|$))+", "", argument)


def modified(found):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(found.st_mtime))


def quoted(path):
    return '"{}"'.format(path.replace('"', '""'))


class FTPServer:
    """Accepts clients, and gives each a thread with a Session.

    library: a Library.  users: passwords by name.  timeout: seconds of silence after which a session ends.
    """

    def __init__(self, listener, library, users, read_only, max_clients, timeout):
        self.listener = listener
        self.library = library
        self.users = users
        self.read_only = read_only
        self.timeout = timeout
        self.places = threading.Semaphore(max_clients)

    def serve_forever(self):
        while True:
            try:
                conn, address = self.listener.accept()
            except OSError:                        # no descriptor is free (EMFILE): whoever comes waits a little longer
                time.sleep(RETRY)
                continue
            if self.places.acquire(blocking=False):
                try:
                    threading.Thread(target=self.serve, args=(conn,), daemon=True).start()
                    continue
                except RuntimeError:               # there are no threads to be had
                    self.places.release()
            with conn, contextlib.suppress(OSError):
                conn.sendall(b"421 Too many clients, try again later\r\n")

    def serve(self, conn):
        try:
            with conn, contextlib.suppress(OSError):                   # it may have gone again
                Session(conn, self).run()
        finally:
            self.places.release()


def main():
    parser = argparse.ArgumentParser(description="Serve a folder over FTP.")
    parser.add_argument("port", nargs="?", type=int, default=2121, help="0 for a free one (default: 2121)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1", help="address to bind (default: 127.0.0.1)")
    parser.add_argument("-d", "--directory", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "files"),
                        help="what to serve (default: files, beside this script)")
    parser.add_argument("--user", metavar="NAME:PASSWORD", action="append", type=name_and_password, default=[],
                        help="may change everything; can be given several times")
    parser.add_argument("--read-only", action="store_true", help="nobody may write")
    parser.add_argument("--max-clients", metavar="N", type=int, default=500, help="clients at a time (default: 500)")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=300, help="of silence end a session (default: 300)")
    args = parser.parse_args()
    if args.max_clients < 1 or not 0.01 <= args.timeout <= 86400:
        parser.error("--max-clients is at least 1, --timeout from 0.01 to 86400")
    family = socket.AF_INET6 if ":" in args.bind else socket.AF_INET
    try:
        library = Library(args.directory)
        listener = socket.create_server((args.bind, args.port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    host, port = listener.getsockname()[:2]
    print(f"listening on {f'[{host}]' if ':' in host else host}:{port}", flush=True)
    with listener, contextlib.suppress(KeyboardInterrupt):
        FTPServer(listener, library, dict(args.user), args.read_only, args.max_clients, args.timeout).serve_forever()


def name_and_password(text):
    name, colon, password = text.partition(":")
    if not name or not colon or name in ANONYMOUS:
        raise argparse.ArgumentTypeError("a user is given as NAME:PASSWORD, and anonymous has none")
    return name, password


if __name__ == "__main__":
    main()
