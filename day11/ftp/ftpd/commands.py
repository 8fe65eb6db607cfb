"""The table of all verbs: what a verb needs is said beside the function that does it.
命令表：每条命令需要什么，就写在执行它的函数旁边
"""
from typing import Callable, NamedTuple

# verb: Command. The functions below @command, in six rooms, fill it.
COMMANDS = {}
# Verbs of the RFCs that are not supported here; the reply is 502 instead of 500.
UNSUPPORTED = frozenset("ADAT AUTH CCC CONF ENC LANG LPRT LPSV MIC PBSZ PROT SITE SMNT "
                        "XCUP XCWD XMKD XPWD XRMD".split())


class Command(NamedTuple):
    """What Session.obey must know about a verb."""
    run: Callable
    login: bool
    argument: bool
    prepares: bool


def command(verb, *, login=True, argument=False, prepares=False):
    """Decorate a function (session, argument) that does what a verb asks for and returns a reply.

    login: the client must have logged in.  argument: it must not be empty.
    prepares: REST and ALLO stay in force after it, until the transfer that they are meant for.
    The function may also raise Reply, OSError or ValueError: see Session.obey.
    """
    def register(function):
        COMMANDS[verb] = Command(function, login, argument, prepares)
        return function
    return register
