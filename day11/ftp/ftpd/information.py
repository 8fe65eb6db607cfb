"""Verbs about the server itself: NOOP SYST FEAT OPTS HELP.
关于服务器自身的命令
"""
from ftpd.commands import COMMANDS, command
from ftpd.listings import FACTS


@command("NOOP", login=False)
def no_operation(session, _):
    return 200, "OK"


@command("SYST", login=False)
def system(session, _):
    return 215, "UNIX Type: L8"


@command("FEAT", login=False)
def features(session, _):
    known = "".join(f"{name}{'*' if name in session.facts else ''};" for name in FACTS)
    lines = ["EPRT", "EPSV", "MDTM", "MFMT", f"MLST {known}", "REST STREAM", "SIZE", "TVFS",
             "UTF8"]
    return 211, "\n".join(["Features:", *(f" {line}" for line in lines), "End"])


@command("OPTS", login=False, argument=True)
def options(session, argument):
    if argument.upper() in ("UTF8", "UTF8 ON"):
        return 200, "OK"
    verb, _, chosen = argument.partition(" ")
    if verb.upper() != "MLST":
        return 501, "OPTS takes UTF8 ON or MLST"
    session.facts = [name for name in FACTS if name in chosen.lower().split(";")]
    return 200, f"MLST OPTS {''.join(f'{name};' for name in session.facts)}".rstrip()


@command("HELP", login=False)
def list_verbs(session, _):
    verbs = sorted(COMMANDS)
    rows = [" " + " ".join(verbs[start:start + 10]) for start in range(0, len(verbs), 10)]
    return 214, "\n".join(["Commands:", *rows, "End"])
