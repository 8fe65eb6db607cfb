"""What the server prints on its own terminal: which clients come, what they do, and the result.
服务器在自己的终端上显示的内容：哪些客户端来了、做了什么、结果如何
"""
import contextlib
import select
import sys
import threading

from ftpd.names import to_wire

# Whether say() prints its lines. ftp_server.py sets this variable.
watched = False
# Maximum number of characters in a line. If poll or select says that there is room in a pipe, then
# there is room for 4096 bytes (PIPE_BUF), if no other thread writes in between: hence the lock.
MAX_LINE = 1000
lock = threading.Lock()


def say(text):
    """Print a line if `watched` is set.

    If the terminal is closed or stopped (Ctrl-S), or the pipe is full, the line is dropped and the
    sessions go on. (They do wait for a terminal whose window hangs.)
    终端关闭、被 Ctrl-S 暂停或管道写满时：丢掉这一行，会话继续（终端窗口卡死时仍会等待）
    """
    if watched:
        # Write the newline in the same call, and only when there is room.
        line = clean(to_wire(text).decode())[:MAX_LINE] + "\n"
        with lock, contextlib.suppress(OSError, ValueError):
            if select.select([], [sys.stdout], [], 0)[1]:
                print(line, end="", flush=True)


def clean(text):
    """Replace control characters: text from a client must not control the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def address_text(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
