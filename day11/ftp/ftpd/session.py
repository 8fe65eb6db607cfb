"""The session of one client: reads a command line, finds its verb in the table, sends the reply.
一个客户端的会话：取一行命令，在命令表中查找，发出应答
"""
import contextlib
import errno
import os
import posixpath
import stat

# Imported only because each module adds its verbs to the table.
import ftpd.files  # noqa: F401
import ftpd.information  # noqa: F401
import ftpd.login  # noqa: F401
import ftpd.parameters  # noqa: F401
import ftpd.transfers  # noqa: F401
from ftpd.commands import COMMANDS, UNSUPPORTED
from ftpd.control import Control, Gone, Reply
from ftpd.data import DataPort
from ftpd.library import FORBIDDEN, HIDDEN
from ftpd.listings import FACTS
from ftpd.names import from_wire
from ftpd.watch import address_text, say


class Session:
    """What the server knows about one client, and the loop that serves it in its own thread.

    conn: the control connection.  server: an FTPServer.
    """

    def __init__(self, conn, server):
        self.server = server
        self.library = server.library
        self.control = Control(conn, server.timeout)
        # The name of this client on the server's own terminal.
        self.name = address_text(*self.control.peer[:2])
        self.port = DataPort(self.control)
        self.wrong_passwords = 0
        self.finished = False
        self.reset()

    def reset(self):
        """Forget everything that the client said: the session begins again."""
        self.user, self.logged_in = None, False
        self.may_add = self.may_change = False
        self.folder = "/"
        # Set by REST and ALLO for the next transfer, and by RNFR for the next command.
        self.offset, self.promised, self.rename_from = 0, None, None
        # The path of the last upload, and a remark on the current command (for the terminal).
        self.added, self.note = None, ""
        self.facts = FACTS
        self.port.only_epsv = False
        self.port.close()

    def run(self):
        """Serve the client until it quits, disconnects, or is silent for too long."""
        say(f"{self.name} connected")
        try:
            self.control.send(220, "Ready")
            while not self.finished:
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
            # The control connection has reached its time limit: disconnect the silent client.
            say(f"{self.name} was silent for too long")
            with contextlib.suppress(OSError):
                self.control.send(421, "Idle for too long, closing the connection")
        except (Gone, OSError):
            # The client closed the connection or reset it.
            pass
        finally:
            self.port.close()
            say(f"{self.name} left")

    def obey(self, line):
        """Parse a command line and run the command; return the reply.

        The first space separates the verb from the argument.
        解析一行命令：空格之前是动词，之后是参数
        """
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        # RNTO is valid only immediately after RNFR.
        if verb != "RNTO":
            self.rename_from = None
        command = COMMANDS.get(verb)
        if not command and verb in UNSUPPORTED:
            return 502, f"{verb} is not supported"
        if not command:
            return 500, "Unknown command"
        if command.login and not self.logged_in:
            return 530, "Log in with USER and PASS first"
        if command.argument and not argument:
            return 501, f"{verb} needs an argument"
        self.note = ""
        # What self.say shows if execute raises Gone.
        reply = None, "The client disconnected"
        try:
            reply = self.execute(command, argument)
        finally:
            if not command.prepares:
                self.offset, self.promised = 0, None
            if command.said:
                self.say(verb, argument, *reply)
        return reply

    def execute(self, command, argument):
        """Run the function of a command; return its reply, even if it fails. Raises Gone."""
        try:
            return command.run(self, argument)
        except Reply as error:
            return error.args
        except OSError as error:
            return reply_to(error, command.codes)
        except ValueError:
            # The text of this exception comes from Python; clients must not see it.
            return 501, "Invalid argument"

    def say(self, verb, argument, code, text):
        """Show a command and its outcome on the server's own terminal."""
        with contextlib.suppress(Reply):
            argument = self.path(argument)
        say(f"{self.name} {verb} {argument}{self.note}: {text}")

    # Helpers that several verbs use

    def path(self, argument):
        """Return an argument as a path that begins at the root. Raises Reply.

        The path never leads above the root, however many ".." the argument contains.
        """
        path = posixpath.normpath(posixpath.join(self.folder, from_wire(argument)))
        path = "/" + path.lstrip("/")
        if FORBIDDEN.search(path) or f"/{HIDDEN}" in path:
            raise Reply(501, "This name is not allowed")
        return path

    def find(self, path):
        """Return the os.stat_result of a path, or None if no such file or folder exists."""
        with contextlib.suppress(FileNotFoundError):
            return self.library.stat(path)

    def is_folder(self, argument):
        st = self.find(self.path(argument))
        return bool(st and stat.S_ISDIR(st.st_mode))

    def require(self, permission):
        """Raise PermissionError if permission is False."""
        if not permission:
            raise PermissionError(errno.EACCES, "Permission denied")


def reply_to(error, codes):
    """Return the reply for an OSError. codes: the verb's reply codes, such as commands.CODES."""
    code = codes.get(error.errno, codes[None])
    if isinstance(error, FileExistsError):
        return code, "A file with that name already exists"
    if error.errno == errno.ELOOP:
        # A symbolic link: reply as if it did not exist.
        return code, os.strerror(errno.ENOENT)
    return code, error.strerror or "Failed"
