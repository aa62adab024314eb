"""The serial console: reads commands byte by byte and answers line by line. Loaded when somebody
types, and while it is used.

Input is read with `read(1)` only, since a longer read on a serial port blocks the whole loop. Two
bytes, sent by host tools and never typed by people, switch its manners: RS (0x1e) to those of a
machine, US (0x1f) back to those of a person. A machine gets no echo and no prompt, but a line
`RS ready VERSION BOARD THING N`, N being how many commands from before are not done, and a line
`RS status` when one is: 0 done, 1 failed, 2 wrong usage. The line editor is loaded when a person
types.
"""

import asyncio
import sys
import time

from micropython import const

from . import VERSION
from .errors import JobsError
from .lazy import borrow, relax, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .app import App
    from .commands import Write

_FAILED, _USAGE = const(1), const(2)
_MACHINE = const(0x1E)
_PERSON = const(0x1F)
_LONGEST = const(2048)
_QUIET_S = const(60)  # a person who does not type for so long has gone
_ENDS = const(b"\r\n")


async def serve(app: "App", source: "asyncio.StreamReader", byte: bytes) -> None:
    """Take what is typed, `byte` and what comes from `source`, and do the commands, until nobody
    uses the console any more: a machine says so, a person has typed nothing for a while.
    """
    console = Console(app, source)
    reading = spawn(console.read(byte))
    write, app.log.write = app.log.write, console.write
    try:
        await console.work(reading)
    finally:
        reading.cancel()
        app.log.write = write
        console.leave()
        relax()


async def do(app: "App", write: "Write", line: str) -> int:
    """Do the command in `line` and return its exit status: 0 done, 1 failed, 2 wrong usage."""
    command = line.split()[0]
    try:
        found = borrow("commands").find(line, write)
        if not found:
            return _USAGE
        module, name, arguments = found
        status: int | None = await getattr(borrow(module), name)(app, write, *arguments)
    except MemoryError:
        write("%s failed: the heap has no room for it; see status" % command)
        return _FAILED
    except JobsError as error:
        write("%s rejected: %s: %s" % (command, error.code, error.message))
        borrow("commands").show_remedy(error.code, write)
        return _FAILED
    if status == _USAGE:
        borrow("commands").show_usage(line, write)
    return status or 0


class Console:
    """Reads `source`, a stream of bytes."""

    def __init__(self, app: "App", source: "asyncio.StreamReader") -> None:
        self._app = app
        self._source = source
        self._editor: "Any" = None  # None: nobody has typed yet, or a machine talks
        self._machine = False
        self._line = b""
        self._lines: list[str] = []
        self._entered = asyncio.Event()  # there are lines, or they end
        self._typed: "Any" = time.ticks_ms()
        self._dismissed = False

    def write(self, line: str) -> None:
        """Show a line; a command being typed is not torn."""
        if self._editor:
            self._editor.above(line)
        else:
            sys.stdout.write(line + "\n")

    async def read(self, byte: bytes) -> None:
        """Take `byte` and what is typed then, for ever."""
        try:
            while True:
                if byte:
                    self._typed = time.ticks_ms()
                    try:
                        self._take(byte)
                    except Exception as error:  # no room, or a fault of ours: the byte is lost
                        sys.print_exception(error)
                else:
                    await asyncio.sleep_ms(100)  # the terminal has gone; it may come back
                byte = await self._source.read(1)
        finally:
            self._entered.set()

    async def work(self, reading: "Any") -> None:
        """Do the commands one after another, while typing goes on in the task `reading`; return
        when the console is not used any more. Raises what ends the reading.
        """
        while True:
            while self._lines:  # the first is under way
                await self._do(self._lines[0])
                self._lines.pop(0)
            if reading.done():
                await reading
            if self._dismissed:
                return
            self._entered.clear()
            try:
                await asyncio.wait_for(self._entered.wait(), _QUIET_S)
            except asyncio.TimeoutError:
                quiet_ms = time.ticks_diff(time.ticks_ms(), self._typed)
                self._dismissed = not self._is_in_use() and quiet_ms >= 1000 * _QUIET_S

    def leave(self) -> None:
        """Take the prompt away."""
        if self._editor:
            sys.stdout.write("\r\x1b[K")

    def _is_in_use(self) -> bool:
        # by a machine, or with a line that is not finished
        return self._machine or bool(self._editor and self._editor.line)

    def _take(self, byte: bytes) -> None:
        if byte[0] == _MACHINE:
            self._machine, self._editor, self._line = True, None, b""
            self._dismissed = False
            title = (VERSION, self._app.board.name, self._app.config.thing, len(self._lines))
            self._write_status("ready %s %s %s %d" % title)
        elif byte[0] == _PERSON:
            self._machine, self._dismissed = False, True
            self._entered.set()
        else:
            line = self._collect(byte) if self._machine else self._edit(byte[0])
            if line is not None:
                self._lines.append(line)
                self._entered.set()

    async def _do(self, line: str) -> None:
        status = _FAILED
        try:
            status = await do(self._app, self.write, line) if line else 0
        except Exception as error:  # a fault of ours
            sys.print_exception(error)
        if self._machine:
            self._write_status(str(status))

    def _edit(self, byte: int) -> str | None:
        self._dismissed = False
        if not self._editor:
            editor = borrow("editor").Editor
            self._editor = editor(sys.stdout.write, self._complete, self._app.history)
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
        return borrow("extras").complete(self._app, words)

    def _write_status(self, text: str) -> None:
        sys.stdout.write("%c%s\n" % (_MACHINE, text))
