"""Make text safe to print on a terminal, and break long lines.
文本清理：终端只会显示，不会执行；长行在哪里折断

An escape sequence in a chat line could clear the screen of each member, and a newline could begin
a line that looks like the administrator's.
"""
import unicodedata

MAX_TEXT = 1000                 # characters in a line
TOO_LONG = (f"! not sent: a line has at most {MAX_TEXT} characters"
            f" · 未发送：一行最多 {MAX_TEXT} 个字符")
INDENT = "    "


def clean(text):
    """Return the text with U+FFFD in place of each character that is not printable.

    So nothing in the text can move the cursor or change the terminal. 不可打印的字符一律替换。
    """
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def one_line(text):
    """Return clean(text), but with a space in place of each newline, tab or other white space."""
    if text.isprintable():
        return text
    return clean("".join(" " if c.isspace() else c for c in text))


def fold(line, columns):
    """Break a line that is wider than the terminal, and indent all rows but the first.

    So only a speaker's name can be at the left edge. 只有发言者的姓名会出现在行首。
    columns: the terminal's width.
    """
    folded, width = "", 0
    for c in line:
        size = 2 if unicodedata.east_asian_width(c) in "WFA" else 1
        if width + size > columns:
            folded, width = f"{folded}\n{INDENT}", len(INDENT)
        folded += c
        width += size
    return folded
