"""What the user sees: lines that are safe to print, times, the progress bar.
屏幕上显示的内容
"""
import contextlib
import datetime
import os
import shutil
import sys
import time

# Seconds between two drawings of the progress bar.
DRAW_EVERY = 0.1
CLEAR_LINE = "\r\x1b[K"
# Below this number of bytes, a transfer is too short for its speed to be meaningful.
SMALL = 1 << 20


def show(text="", end="\n"):
    try:
        print(text, end=end, flush=True)
    except OSError:
        # The program that read our output has exited, as head does. Without dup2, Python would try
        # to write the rest at exit, and print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)


def clean(text):
    """Replace control characters: text from the network must not control the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def to_wire(text):
    """Return a name as ftplib needs it: each byte of its UTF-8 form becomes a Latin-1 character.

    UTF-8 is the encoding of names in FTP (RFC 2640). Byte 255 is special in Telnet, and therefore
    in FTP, so the byte is doubled.
    """
    data = text.encode("utf-8", "surrogateescape")
    return data.decode("latin-1").replace("\xff", "\xff\xff")


def from_wire(text):
    """Return a name or a reply from ftplib as normal text."""
    return text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def local_time(text):
    """Return a UTC time, YYYYMMDDHHMMSS (RFC 3659), as local time; "" for any other text."""
    try:
        moment = datetime.datetime.strptime(text[:14], "%Y%m%d%H%M%S")
        local = moment.replace(tzinfo=datetime.timezone.utc).astimezone()
        return f"{local:%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return ""


@contextlib.contextmanager
def progress(size):
    """Yield a function to call with the size of each block. On a terminal, each call draws a bar.

    size: the total number of bytes, or None if the total is unknown.
    """
    began = time.monotonic()
    done, next_time = 0, began

    def advance(count):
        nonlocal done, next_time
        done += count
        now = time.monotonic()
        if now >= next_time or done == size:
            next_time = now + DRAW_EVERY
            show(CLEAR_LINE + bar(done, size, now - began), end="")

    if not sys.stdout.isatty():
        yield lambda count: None
        return
    advance(0)
    try:
        yield advance
    finally:
        show()


def bar(done, size, seconds):
    """Return the progress bar as text: bytes done, speed and, if size is known, the time left."""
    rate = done / seconds if seconds else 0
    text = f"{amount(done)}  {amount(rate)}/s"
    if size is None:
        return text
    if done >= size and size < SMALL:
        text = amount(done)
    share = min(done / size, 1) if size else 1
    left = f"  {(size - done) / rate:.0f} s left" if rate and done < size else ""
    width = min(40, max(0, shutil.get_terminal_size().columns - 50))
    return f"{share:4.0%} [{'#' * int(share * width):.<{width}}] {text}{left}"


def amount(count):
    """Return a number of bytes in a readable form: 650 bytes, 1.3 KiB, 20.0 MiB."""
    if count < 1024:
        return f"{count:.0f} bytes"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1024:
            break
    return f"{count:,.1f} {unit}"
