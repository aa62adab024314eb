"""What a person sees of what a program sends to a terminal: text, with the cursor moved about.

A terminal of boundless width and height that knows what prompt_toolkit sends (ECMA-48): CR, LF,
BS, cursor up, down, right, left, erase in display, in line. Colours and modes are passed over.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\x1b\[([0-9;?]*)([@-~])|\x1b\][^\x07]*\x07|\x1b[=>]|([\r\n\b])|([^\x1b\r\n\b]+)"
)


class Screen:
    """Feed it everything, look at `lines`."""

    def __init__(self) -> None:
        self._rows: list[str] = [""]
        self._row = self._column = 0

    @property
    def lines(self) -> list[str]:
        """The lines from the top, without spaces at their ends."""
        return [row.rstrip() for row in self._rows]

    def feed(self, text: str) -> None:
        """Take what the program has sent; an escape sequence must not be cut in two."""
        for values, final, control, plain in _TOKEN.findall(text):
            if plain:
                self._write(plain)
            elif control:
                self._control(control)
            elif final:
                self._sequence(values, final)

    def _write(self, plain: str) -> None:
        row = self._rows[self._row].ljust(self._column)
        end = self._column + len(plain)
        self._rows[self._row] = row[: self._column] + plain + row[end:]
        self._column = end

    def _control(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\b":
            self._column = max(0, self._column - 1)
        else:
            self._move(1, 0)

    def _sequence(self, values: str, final: str) -> None:
        count = int(values) if values.isdigit() else 1
        moves = {"A": (-count, 0), "B": (count, 0), "C": (0, count), "D": (0, -count)}
        if final in moves:
            self._move(*moves[final])
        elif final in "JK" and values in ("", "0"):
            self._rows[self._row] = self._rows[self._row][: self._column]
            if final == "J":
                del self._rows[self._row + 1 :]

    def _move(self, rows: int, columns: int) -> None:
        self._row = max(0, self._row + rows)
        self._column = max(0, self._column + columns)
        self._rows += [""] * (self._row + 1 - len(self._rows))
