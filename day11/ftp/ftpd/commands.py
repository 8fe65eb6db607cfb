"""The table of all verbs: a decorator declares what a verb needs, next to its function.
命令表：每条命令需要什么，由装饰器写在执行它的函数旁边
"""
import errno
from typing import Callable, NamedTuple

# Verb -> Command. The decorator @command fills this table; six modules use the decorator.
COMMANDS = {}
# Verbs that the RFCs define but this server does not support. The reply is 502 instead of 500.
UNSUPPORTED = frozenset("ADAT AUTH CCC CONF ENC LANG LPRT LPSV MIC PBSZ PROT SITE SMNT".split())
# errno of an OSError -> reply code; None: all other errors. RFC 959, section 5.4, lists the codes
# for each verb. (If no descriptor or memory is free, the reply is 451: after 550, the client would
# think that the file does not exist.)
CODES = {None: 550, errno.EMFILE: 451, errno.ENFILE: 451, errno.ENOMEM: 451}


class Command(NamedTuple):
    """What Session.obey needs to know about a verb."""
    run: Callable
    login: bool
    argument: bool
    prepares: bool
    said: bool
    codes: dict


def command(verb, *, login=True, argument=False, prepares=False, said=False, codes=CODES):
    """Decorate a function (session, argument) that executes a verb and returns a reply.

    login: the client must be logged in.  argument: the argument must not be empty.
    prepares: REST and ALLO remain valid after this verb, until the transfer that they prepare.
    said: the server shows the verb on its own terminal (see watch.py).  codes: see CODES.
    The function may also raise Reply, OSError or ValueError: see Session.execute.
    """
    def register(function):
        COMMANDS[verb] = Command(function, login, argument, prepares, said, codes)
        return function
    return register
