"""The serial line between a board and its host, as bytes: host side PTY, line ends, log."""

from __future__ import annotations

import os
import pty
import re
import termios
import tty
from pathlib import Path

_KEEP = 64 * 1024  # bytes held for a host that does not read; a UART would hold none
_LOG_SIZE = 1024 * 1024

_DLE = b"\x10"
_TOKEN = re.compile(rb"\x10\x10|\x10\n|\r\n|\n")


class HostPort:
    """The end of the line that a terminal program opens.

    Nothing here ever blocks: what the host does not read is kept up to 64 KB, then the oldest is
    dropped.
    """

    def __init__(self, link: Path) -> None:
        self.fd, self._slave = (
            pty.openpty()
        )  # the slave stays open, or reads fail when no host is there
        tty.setraw(self._slave, termios.TCSANOW)
        os.set_blocking(self.fd, False)
        self._link = link
        self._waiting = bytearray()
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))

    @property
    def wants_write(self) -> bool:
        return bool(self._waiting)

    def read(self) -> bytes:
        """Return what the host sent, b"" if nothing."""
        try:
            return os.read(self.fd, 4096)
        except (BlockingIOError, InterruptedError):
            return b""

    def write(self, data: bytes) -> None:
        """Send to the host, as far as it reads."""
        self._waiting += data
        self.flush()
        del self._waiting[:-_KEEP]

    def flush(self) -> None:
        """Go on sending what is waiting."""
        while self._waiting:
            try:
                del self._waiting[: os.write(self.fd, self._waiting)]
            except (BlockingIOError, InterruptedError):
                return

    def close(self) -> None:
        self._link.unlink(missing_ok=True)
        os.close(self.fd)
        os.close(self._slave)


class LineEnds:
    """Turns LF into CR LF, as an ESP32's stdout does, except where the child escaped it.

    `sys.stdout.buffer` must come through untouched, so there the child writes LF as DLE LF and
    DLE as DLE DLE (boards/virtual/modules/_shims.py).
    """

    def __init__(self) -> None:
        self._held = b""
        self._after_cr = False

    def convert(self, data: bytes) -> bytes:
        data = self._held + data
        self._held = b""
        if data.endswith(_DLE) and (len(data) - len(data.rstrip(_DLE))) % 2:
            data, self._held = data[:-1], _DLE
        if self._after_cr and data.startswith(b"\n"):
            first, data = b"\n", data[1:]
        else:
            first = b""
        self._after_cr = (first + data).endswith(b"\r") if first + data else self._after_cr
        return first + _TOKEN.sub(_line_end, data)


def _line_end(match: re.Match[bytes]) -> bytes:
    token = match[0]
    return token[1:] if token.startswith(_DLE) else b"\r\n"


class SerialLog:
    """What the board printed, in two files of at most 1 MB: `serial.log` and `serial.log.1`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        self._file.write(data)
        if self._file.tell() > _LOG_SIZE:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        self._file.close()
