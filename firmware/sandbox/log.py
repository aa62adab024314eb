"""The board's log: four levels, one line an entry, the last lines kept in a ring.

A line reads `I 12.345 link: connected`: level, seconds since boot, module, text.
"""

import time

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

LEVELS = ("error", "warning", "info", "debug")
_ROOM, _LINE = const(1024), const(32)  # bytes for all that are kept, and of one beside its text
_LONGEST = const(200)
_OUTLIVING = const(4)  # lines; RTC memory has 2048 bytes


class Log:
    """Writes lines to `write(line)` and remembers the last of them."""

    def __init__(self, write: "Callable[[str], None]" = print, level: str = "info") -> None:
        self.write = write
        self.lines: list[str] = []
        self._room = _ROOM
        self.level = level
        self.outlive: "Callable[[bytes], Any] | None" = None  # keeps lines over a reset
        self._began = time.ticks_ms()
        self._uptime_ms = 0

    def error(self, tag: str, text: str, *args: "Any") -> None:
        """Log what went wrong and will not mend itself."""
        self._log(0, tag, text, args)

    def warning(self, tag: str, text: str, *args: "Any") -> None:
        """Log what went wrong and is being tried again."""
        self._log(1, tag, text, args)

    def info(self, tag: str, text: str, *args: "Any") -> None:
        """Log what a person wants to see happen."""
        self._log(2, tag, text, args)

    def debug(self, tag: str, text: str, *args: "Any") -> None:
        """Log detail."""
        self._log(3, tag, text, args)

    def uptime_ms(self) -> int:
        """Return milliseconds since the log began; called at least daily, since ticks wrap after
        12 days.
        """
        now = time.ticks_ms()
        self._uptime_ms += time.ticks_diff(now, self._began)
        self._began = now
        return self._uptime_ms

    def _log(self, level: int, tag: str, text: str, args: tuple) -> None:
        if level > LEVELS.index(self.level):
            return
        ms = self.uptime_ms()
        if args:
            text = text % args
        line = "%s %d.%03d %s: %s" % ("EWID"[level], ms // 1000, ms % 1000, tag, text)
        line = line[:_LONGEST]
        self.lines.append(line)
        self._room -= len(line) + _LINE
        while self._room < 0:
            self._room += len(self.lines.pop(0)) + _LINE
        if self.outlive:
            try:
                self.outlive("\n".join(self.lines[-_OUTLIVING:]).encode())
            except (MemoryError, ValueError):
                pass  # no room for them
        self.write(line)
