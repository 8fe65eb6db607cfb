"""The command lines of the server and the client, and the commands that error messages suggest.
命令行参数，以及出错时建议的下一步命令
"""
import argparse
import os
import shlex
import sys

PORT = 8888
# In seconds. With a shorter timeout, the programs would do nothing but send heartbeats.
MIN_TIMEOUT, MAX_TIMEOUT = 0.005, 86400


def port_to_listen_on(text):
    """Convert an argument to the port on which the server listens; 0 means any free port."""
    return port_number(text, lowest=0)


def port_of_server(text):
    """Convert an argument to the port to which a client sends."""
    return port_number(text, lowest=1)


def port_number(text, lowest):
    if not text.isdecimal() or not lowest <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(
            f"a port is a number from {lowest} to 65535, not {text}"
            f" · 端口是 {lowest} 到 65535 的整数")
    return int(text)


def timeout(text):
    """Convert an argument to the seconds within which a vanished member is removed."""
    try:
        if MIN_TIMEOUT <= float(text) <= MAX_TIMEOUT:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"a time is a number of seconds from {MIN_TIMEOUT} to {MAX_TIMEOUT}, not {text}"
        f" · 时间是 {MIN_TIMEOUT} 到 {MAX_TIMEOUT} 之间的秒数")


def readable(text):
    """Replace each invalid byte with "?", so that the argument can be sent as UTF-8."""
    return text.encode(errors="replace").decode()


def command(script, *args):
    """Return the shell command that starts another script in the running script's folder."""
    path = os.path.join(os.path.dirname(sys.argv[0]), script)
    return shlex.join(["python", path, *map(str, args)])


def reason(error):
    """Return the message of an OSError or a UnicodeError, without the error number."""
    return getattr(error, "strerror", None) or str(error)
