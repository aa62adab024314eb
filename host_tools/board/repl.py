"""Which REPL a board is in, read off what it prints.

An ESP32 comes back from a soft reset in the REPL that it was in, and skips main.py if that is the
raw one (ports/esp32/main.c). The Unix port always starts in the friendly one, so the supervisor
sends it on with Ctrl-A and hides the banner that a real board would not show.
"""

from __future__ import annotations

_RAW = b"raw REPL; CTRL-B to exit\r\n"
_FRIENDLY = b'Type "help()" for more information.\r\n'
_BANNER = b"MicroPython "  # what the friendly banner starts with


class ReplView:
    """Follows one run of MicroPython; `raw` tells the REPL it is in, or was in last."""

    def __init__(self, raw: bool) -> None:
        self.raw = raw
        self._recent = b""
        self._held: bytearray | None = bytearray() if raw else None

    def show(self, data: bytes) -> bytes:
        """Take what was printed and return what the host is to see of it now."""
        self._note(data)
        if self._held is None:
            return data
        self._held += data
        raw = self._held.find(_RAW)
        if raw >= 0:
            banner = self._held.rfind(_BANNER, 0, raw)
            return self._release(max(banner, 0), raw)
        banner = self._held.find(_BANNER)
        until = banner if banner >= 0 else max(0, len(self._held) - len(_BANNER))
        shown = bytes(self._held[:until])
        del self._held[:until]
        return shown

    def end(self) -> bytes:
        """Return what is still held back, when the run is over."""
        return self._release(0, 0) if self._held is not None else b""

    def _note(self, data: bytes) -> None:
        self._recent += data
        raw, friendly = self._recent.rfind(_RAW), self._recent.rfind(_FRIENDLY)
        if raw != friendly:
            self.raw = raw > friendly
        self._recent = self._recent[-len(_FRIENDLY) :]

    def _release(self, until: int, rest: int) -> bytes:
        held, self._held = bytes(self._held or b""), None
        return held[:until] + held[rest:]
