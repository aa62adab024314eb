"""The serial console: reads commands byte by byte and answers line by line.

Input is read with `read(1)` only, since a longer read on a serial port blocks the whole loop. Two
bytes, sent by host tools and never typed by people, switch its manners: RS (0x1e) to those of a
machine (no echo, no prompt, and a last line `RS status` after each command: 0 done, 1 failed, 2
wrong usage), US (0x1f) back to those of a person. The line editor is loaded when a person types.
"""

import asyncio
import sys

from micropython import const

from . import VERSION
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .app import App

DONE, FAILED, USAGE = 0, 1, 2  # how a command ended
_MACHINE = const(0x1E)
_PERSON = const(0x1F)
_LONGEST = const(2048)
_ENDS = const(b"\r\n")


class Console:
    """Reads `source`, a stream of bytes."""

    def __init__(self, source: "asyncio.StreamReader", app: "App") -> None:
        self._source = source
        self._app = app
        self._editor: "Any" = None  # None: nobody has typed yet, or a machine talks
        self._machine = False
        self._line = b""
        self._lines: list[str] = []
        self._entered = asyncio.Event()

    def write(self, line: str) -> None:
        """Show a line; a command being typed is not torn."""
        if self._editor:
            self._editor.above(line)
        else:
            sys.stdout.write(line + "\n")

    async def read(self) -> None:
        """Take what is typed, for ever."""
        while True:
            byte = await self._source.read(1)
            if not byte:
                await asyncio.sleep_ms(100)  # the terminal has gone; it may come back
            elif byte[0] == _MACHINE:
                self._machine, self._editor, self._line = True, None, b""
                title = (VERSION, self._app.board.name, self._app.config.thing)
                self._write_status("ready %s %s %s" % title)
            elif byte[0] == _PERSON:
                self._machine = False
            else:
                line = self._collect(byte) if self._machine else self._edit(byte[0])
                if line is not None:
                    self._lines.append(line)
                    self._entered.set()

    async def work(self) -> None:
        """Do the commands one after another, while typing goes on, for ever."""
        while True:
            while not self._lines:
                self._entered.clear()
                await self._entered.wait()
            line, status = self._lines.pop(0), FAILED
            try:
                status = await borrow("commands").do(self._app, self.write, line) if line else 0
            finally:  # also after a fault of ours, which the supervisor deals with
                if self._machine:
                    self._write_status(str(status))

    def _edit(self, byte: int) -> str | None:
        if not self._editor:
            self._editor = borrow("editor").Editor(sys.stdout.write, self._complete)
            self._editor.redraw()
        return self._editor.feed(byte)

    def _collect(self, byte: bytes) -> str | None:
        if byte not in _ENDS:
            if len(self._line) < _LONGEST:
                self._line += byte
            return None
        line, self._line = self._line, b""
        try:
            return line.decode().strip() or None
        except (UnicodeError, ValueError):
            return "?"

    def _complete(self, words: list[str]) -> list[str]:
        return borrow("completion").complete(self._app, words)

    def _write_status(self, text: str) -> None:
        sys.stdout.write("%c%s\n" % (_MACHINE, text))
