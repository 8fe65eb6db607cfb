"""Verbs to log in and out: USER PASS ACCT REIN QUIT.
登录与退出的命令
"""
import hmac
import os
import secrets
import time

from ftpd.commands import command
from ftpd.watch import say

ANONYMOUS = ("anonymous", "ftp")
# A session ends after MAX_WRONG wrong passwords. After each wrong password, the client waits
# PENALTY seconds.
MAX_WRONG = 3
PENALTY = 1


@command("USER", login=False, argument=True)
def user(session, name):
    session.reset()
    session.user = name
    return 331, "Send the password"


@command("PASS", login=False)
def password(session, given):
    if session.user is None or session.logged_in:
        return 503, "Send USER first"
    if session.user in ANONYMOUS:
        session.may_add = not session.server.users
    elif is_right(session.server.users, session.user, given):
        session.may_add = session.may_change = True
    else:
        # Make guessing slow. Only this client waits: its thread serves no other client.
        time.sleep(PENALTY)
        session.user = None
        session.wrong_passwords += 1
        session.finished = session.wrong_passwords == MAX_WRONG
        say(f"{session.name} gave a wrong name or password")
        return (421 if session.finished else 530), "Wrong name or password"
    if session.server.read_only:
        session.may_add = session.may_change = False
    session.logged_in = True
    say(f"{session.name} logged in as {session.user}")
    return 230, "Logged in"


def is_right(users, name, given):
    """Return whether the password is right.

    The time taken must not reveal how many bytes of the password are right.
    """
    # For an unknown name, compare with a random password, which takes just as long.
    expected = users.get(name, secrets.token_hex())
    return hmac.compare_digest(os.fsencode(expected), os.fsencode(given))


@command("ACCT", login=False)
def account(session, _):
    return 202, "Not needed"


@command("REIN", login=False)
def reinitialize(session, _):
    session.reset()
    return 220, "Ready for a new user"


@command("QUIT", login=False)
def quit_session(session, _):
    session.finished = True
    return 221, "Goodbye"
