"""Verbs that list the library and describe its files: LIST NLST MLSD MLST STAT SIZE MDTM.
查看文件库的命令
"""
import posixpath
import re
import stat
import time

from ftpd.commands import command
from ftpd.data import SMALL
from ftpd.names import from_wire, to_wire

# The facts about a file in MLSD and MLST (RFC 3659, 7.5). With OPTS MLST, clients select facts.
FACTS = ("type", "size", "modify", "unique")
HALF_YEAR = 180 * 86400
# The first second of the year 1000 and the last second of the year 9999, in seconds since 1970.
# (In a listing, a year must have four digits.)
FIRST_TIME, LAST_TIME = -30610224000, 253402300799


@command("LIST", said=True)
def list_long(session, argument):
    return send_lines(session, long_lines(session, without_options(argument)))


@command("NLST", said=True)
def list_names(session, argument):
    argument = without_options(argument)
    prefix = from_wire(argument[:argument.rfind("/") + 1])
    if session.is_folder(argument):
        prefix = ""
    return send_lines(session, [prefix + name for name, _ in matching(session, argument)])


@command("MLSD", said=True)
def list_facts(session, argument):
    path = session.path(argument)
    st = session.library.stat(path)
    if not stat.S_ISDIR(st.st_mode):
        return 501, "Not a folder; use MLST for a file"
    entries = [f"{facts(session, st)} {name}" for name, st in session.library.list(path)]
    return send_lines(session, [f"{facts(session, st, kind='cdir')} .", *entries])


@command("MLST")
def show_facts(session, argument):
    path = session.path(argument)
    return 250, f"Listing\n {facts(session, session.library.stat(path))} {path}\nEnd"


@command("STAT")
def status(session, argument):
    if argument:
        lines = long_lines(session, without_options(argument))
        return 213, "\n".join(["Listing", *lines, "End"])
    return 211, f"Logged in as {session.user}; no transfer in progress"


@command("SIZE", argument=True)
def size(session, argument):
    st = session.library.stat(session.path(argument))
    if not stat.S_ISREG(st.st_mode):
        return 550, "Not a file"
    return 213, str(st.st_size)


@command("MDTM", argument=True)
def modification_time(session, argument):
    return 213, modified(session.library.stat(session.path(argument)))


def send_lines(session, lines):
    """Send a listing over the data connection."""
    text = to_wire("".join(f"{line}\r\n" for line in lines))
    with session.port.open("the listing", small=len(text) <= SMALL) as data:
        data.send_bytes(text)
    return 226, "Transfer complete"


def long_lines(session, argument):
    """Yield lines as `ls -l` prints them, for clients without MLSD."""
    now = time.time()
    for name, st in matching(session, argument):
        recent = 0 <= now - st.st_mtime < HALF_YEAR
        date_format = "%b %d %H:%M" if recent else "%b %d  %Y"
        date = time.strftime(date_format, utc(st))
        mode = stat.filemode(st.st_mode)
        yield f"{mode} {st.st_nlink:4} ftp ftp {st.st_size:12} {date} {name}"


def matching(session, argument):
    """Return [(name, os.stat_result)] for a folder's contents, for one file, or for a pattern."""
    path = session.path(argument)
    if session.is_folder(argument):
        return session.library.list(path)
    folder, name = posixpath.split(path)
    if re.search(r"[*?\[]", name):
        return session.library.list(folder, name)
    return [(name, session.library.stat(path))]


def without_options(argument):
    """Remove ls options from an argument: many clients send them, as in LIST -la NAME.

    Other words that begin with "-" are names, as in LIST -x. For a file called -l, send ./-l.
    """
    return re.sub(r"^(?:-[aAlLhFRtSr1]*(?: +|$))+", "", argument)


def facts(session, st, kind=None):
    """Return the facts that the client chose, as MLSD writes them: type=file;size=5;"""
    kind = kind or ("dir" if stat.S_ISDIR(st.st_mode) else "file")
    values = {"type": kind, "size": st.st_size, "modify": modified(st),
              "unique": f"{st.st_dev:x}-{st.st_ino:x}"}
    if kind != "file":
        del values["size"]
    return "".join(f"{name}={values[name]};" for name in session.facts if name in values)


def modified(st):
    """Return the modification time in UTC, as RFC 3659 writes it: YYYYMMDDHHMMSS."""
    return time.strftime("%Y%m%d%H%M%S", utc(st))


def utc(st):
    """Return the modification time, limited to the years 1000 to 9999, as a time.struct_time."""
    # The time that is stored on the disk can be any number.
    return time.gmtime(min(max(st.st_mtime, FIRST_TIME), LAST_TIME))
