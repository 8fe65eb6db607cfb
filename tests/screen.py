"""What a terminal of some columns and rows shows after it has been given some bytes: enough of an xterm for line editing."""
import codecs
import re

import course

# A control sequence (ECMA-48, 5.4), or any one character.
PIECE = re.compile(r"\x1b\[([?\d;]*)([@-~])|(.)", re.DOTALL)


class Screen:
    """feed() may be a Program's echo."""

    def __init__(self, columns=80, rows=24):
        self.columns = columns
        self.cells = [[" "] * columns for _ in range(rows)]            # a wide character is followed by an empty cell
        self.row = self.column = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, data):
        for argument, final, character in PIECE.findall(self._decoder.decode(data)):
            if final:
                self._obey(final, argument)
            elif character == "\r":
                self.column = 0
            elif character == "\n":
                self._line_feed()
            elif character == "\b":
                self.column = max(0, min(self.column, self.columns - 1) - 1)
            elif character.isprintable():
                self._put(character)
            else:
                assert character == "\a", repr(character)

    def _put(self, character):
        width = course.columns(character)
        if self.column + width > self.columns:     # it has waited at the edge until there was something to print
            self.column = 0
            self._line_feed()
        self.cells[self.row][self.column:self.column + width] = [character, ""][:width]
        self.column += width

    def _line_feed(self):
        self.row += 1
        if self.row == len(self.cells):
            self.row -= 1
            self.cells = [*self.cells[1:], [" "] * self.columns]

    def _obey(self, final, argument):
        if argument.startswith("?"):               # modes, such as bracketed paste, move nothing
            return
        number = int(argument or {"J": 0, "K": 0}.get(final, 1))
        line, column = self.cells[self.row], min(self.column, self.columns - 1)
        if final == "A":
            self.row = max(0, self.row - number)
        elif final == "C":
            self.column = min(self.columns - 1, column + number)
        elif final == "D":
            self.column = max(0, column - number)
        elif final == "K" and number == 0:
            line[column:] = [" "] * (self.columns - column)
        elif final == "J" and number == 0:
            line[column:] = [" "] * (self.columns - column)
            self.cells[self.row + 1:] = [[" "] * self.columns for _ in self.cells[self.row + 1:]]
        elif final == "P":
            line[column:] = line[column + number:] + [" "] * number
        elif final == "@":
            line[column:] = [" "] * number + line[column:self.columns - number]
        else:
            raise AssertionError(f"this screen does not know CSI {argument}{final}")

    def lines(self):
        """The rows down to the last that is not empty, without the spaces at their ends."""
        return "\n".join("".join(row).rstrip() for row in self.cells).rstrip("\n").split("\n")


def wrapped(text, columns=80):
    """The rows that a text takes on a terminal."""
    rows = [""]
    for c in text:
        if course.columns(rows[-1] + c) > columns:
            rows.append("")
        rows[-1] += c
    return rows
