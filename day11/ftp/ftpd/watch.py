"""What the server shows on its own terminal: a line for each client and each command that matters.
服务器在自己的终端上显示的内容：谁来了、做了什么、结果如何
"""
import contextlib

from ftpd.names import to_wire

# Whether the lines are printed. ftp_server.py sets it.
watched = False


def say(text):
    """Print a line, if the server is watched. No session fails because the terminal is closed."""
    if watched:
        # With its end in one piece: another thread may print at the same time.
        line = clean(to_wire(text).decode()) + "\n"
        with contextlib.suppress(OSError, ValueError):
            print(line, end="", flush=True)


def clean(text):
    """What clients send may neither move the cursor nor change the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def address_text(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
