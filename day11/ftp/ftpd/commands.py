"""The table of all verbs: what a verb needs is said beside the function that does it.
命令表：每条命令需要什么，就写在执行它的函数旁边
"""
import errno
from typing import Callable, NamedTuple

# verb: Command. The functions below @command, in six rooms, fill it.
COMMANDS = {}
# Verbs of the RFCs that are not supported here; the reply is 502 instead of 500.
UNSUPPORTED = frozenset("ADAT AUTH CCC CONF ENC LANG LPRT LPSV MIC PBSZ PROT SITE SMNT".split())
# The reply code of an OSError, by errno; None stands for all others. Which codes a verb may use is
# in RFC 959, 5.4. (Out of file descriptors is 451 everywhere: 550 would mean "no such file".)
CODES = {None: 550, errno.EMFILE: 451, errno.ENFILE: 451}


class Command(NamedTuple):
    """What Session.obey must know about a verb."""
    run: Callable
    login: bool
    argument: bool
    prepares: bool
    said: bool
    codes: dict


def command(verb, *, login=True, argument=False, prepares=False, said=False, codes=CODES):
    """Decorate a function (session, argument) that does what a verb asks for and returns a reply.

    login: the client must have logged in.  argument: it must not be empty.
    prepares: REST and ALLO stay in force after it, until the transfer that they are meant for.
    said: the server shows it on its own terminal (see watch.py).  codes: see CODES.
    The function may also raise Reply, OSError or ValueError: see Session.execute.
    """
    def register(function):
        COMMANDS[verb] = Command(function, login, argument, prepares, said, codes)
        return function
    return register
