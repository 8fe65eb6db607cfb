"""What the server prints on its own terminal: which clients come, what they do, and the result.
服务器在自己的终端上显示的内容：哪些客户端来了、做了什么、结果如何
"""
import contextlib

from ftpd.names import to_wire

# Whether say() prints its lines. ftp_server.py sets this variable.
watched = False


def say(text):
    """Print a line if `watched` is set. If the terminal is closed, the sessions go on."""
    if watched:
        # Write the newline in the same call: another thread might print at the same time.
        line = clean(to_wire(text).decode()) + "\n"
        with contextlib.suppress(OSError, ValueError):
            print(line, end="", flush=True)


def clean(text):
    """Replace control characters: text from a client must not control the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def address_text(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
