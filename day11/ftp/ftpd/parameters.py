"""Verbs that prepare a transfer: PASV EPSV PORT EPRT TYPE MODE STRU REST ALLO.
为传输作准备的命令
"""
import re
import socket

from ftpd.commands import command


@command("PASV", prepares=True)
def passive(session, _):
    if protocol(session) == "2":
        return 502, "PASV works only with IPv4; use EPSV"
    if session.port.only_epsv:
        return 501, "Use EPSV"
    host, port = session.port.listen()
    return 227, f"Entering Passive Mode ({host.replace('.', ',')},{port >> 8},{port & 255})"


@command("EPSV", prepares=True)
def extended_passive(session, argument):
    if argument.upper() == "ALL":
        session.port.only_epsv = True
        return 200, "Only EPSV is accepted from now on"
    if argument not in ("", protocol(session)):
        return wrong_protocol(session)
    return 229, f"Entering Extended Passive Mode (|||{session.port.listen()[1]}|)"


@command("PORT", argument=True, prepares=True)
def active(session, argument):
    # For example 127,0,0,1,156,64: four bytes for the address, then two bytes for the port.
    numbers = []
    if re.fullmatch(r"\d{1,3}(,\d{1,3}){5}", argument, re.ASCII):
        numbers = [int(number) for number in argument.split(",")]
    if not numbers or max(numbers) > 255:
        return 501, "PORT needs six numbers from 0 to 255: h1,h2,h3,h4,p1,p2"
    *host, high, low = numbers
    return session.port.connect_to(".".join(map(str, host)), high * 256 + low)


@command("EPRT", argument=True, prepares=True)
def extended_active(session, argument):
    # For example |2|::1|40000|. The client chooses the delimiter, usually | (RFC 2428).
    match = re.fullmatch(r"([!-~])(\d)\1(.+)\1(\d{1,5})\1", argument, re.ASCII)
    if not match:
        return 501, "EPRT needs |protocol|address|port|"
    if match[2] != protocol(session):
        return wrong_protocol(session)
    return session.port.connect_to(match[3], int(match[4]))


def protocol(session):
    """Return the number of this session's protocol: "1" for IPv4, "2" for IPv6 (RFC 2428)."""
    return "2" if session.control.conn.family == socket.AF_INET6 else "1"


def wrong_protocol(session):
    return 522, f"Network protocol not supported, use ({protocol(session)})"


# Files are sent as they are stored, whatever the TYPE: these three verbs only check their argument.

@command("TYPE", argument=True, prepares=True)
def representation_type(session, argument):
    return accept(argument, "A", "A N", "I", "L 8")


@command("MODE", argument=True, prepares=True)
def transfer_mode(session, argument):
    return accept(argument, "S")


@command("STRU", argument=True, prepares=True)
def file_structure(session, argument):
    return accept(argument, "F")


def accept(argument, *supported):
    if argument.upper() not in supported:
        return 504, f"Not supported; possible: {', '.join(supported)}"
    return 200, "OK"


@command("REST", argument=True, prepares=True)
def restart(session, argument):
    session.offset = 0
    if not re.fullmatch(r"\d{1,18}", argument, re.ASCII):
        return 501, "REST needs a number of bytes"
    session.offset = int(argument)
    return 350, f"The next transfer starts at byte {session.offset}"


@command("ALLO", argument=True, prepares=True)
def allocate(session, argument):
    """Remember the size; allocate nothing. An upload that is shorter will be refused."""
    session.promised = None
    match = re.fullmatch(r"(\d{1,18})(?: R \d+)?", argument, re.ASCII | re.IGNORECASE)
    if not match:
        return 501, "ALLO needs a number of bytes"
    session.promised = int(match[1])
    return 200, "OK"
