"""The chip in its boot loader, through esptool's Python API (5.x), which never exits the process.

With `image`, the only importer of esptool. esptool reports through one logger for the whole
process; it is replaced while the chip is connected, so that its output becomes ours.
"""

from __future__ import annotations

import contextlib
import errno
import re
import termios
from collections.abc import Callable, Iterator
from typing import Any

from esptool.cmds import attach_flash, detect_chip, detect_flash_size, run_stub, write_flash
from esptool.logger import EsptoolLogger, TemplateLogger
from esptool.util import FatalError, flash_size_bytes
from serial import SerialException

from host_tools import boards
from host_tools.errors import ToolError
from host_tools.flash import ports
from host_tools.output import say

ROM_BAUD = 115200

_CONNECT_ATTEMPTS = 7  # esptool's default; each way of resetting is tried
_UNKNOWN_SIZE = "4MB"  # esptool's own guess
_PSRAM = re.compile(r"Embedded PSRAM(?: (\d+)MB)?")
_UNPLUGGED = ((errno.EIO,), (errno.ENXIO,), (errno.ENODEV,))  # first arguments of an error
_TROUBLE = (FatalError, SerialException, OSError, termios.error)  # the last is no OSError
_OCTAL_MB = 8  # ESP32-S3R8, S3R16V: octal; S3R2: quad. ESP32-S3 datasheet, ordering codes

Progress = Callable[[str, int, int], None]


class ChipError(ToolError):
    """The chip did not do what it should; slower, it may."""


class GoneError(ToolError):
    """The port is no longer there."""


class NoAnswerError(ToolError):
    """Nothing on the port answers as an ESP32's boot loader does."""


class Chip:
    """A chip whose boot loader, or esptool's stub in its place, answers.

    `name` is as in board definitions, "ESP32C3"; `revision` 301 is v3.1; `flash_size` in bytes;
    `psram` is "quad" or "octal" if there is some inside the chip's package.
    """

    def __init__(self, esp: Any, port: str, log: _Log) -> None:
        self._esp = esp
        self._port = port
        self._log = log
        self.name = _name(esp)
        self.stub = bool(esp.IS_STUB)
        self.mac = ":".join(f"{byte:02x}" for byte in esp.read_mac())
        self.psram = _psram(", ".join(esp.get_chip_features()))
        self.revision = int(esp.get_chip_revision())
        self.flash_size = flash_size_bytes(_flash_size(esp))
        esp.flash_set_parameters(self.flash_size)

    def speed_up(self, baud: int) -> None:
        """Change the speed of both ends."""
        with _errors(self._port, "changing the speed"):
            self._esp.change_baud(baud)

    def read(self, address: int, size: int) -> bytes:
        """Return what lies in flash."""
        with _errors(self._port, "reading the flash"):
            return bytes(self._esp.read_flash(address, size))

    def erase(self) -> None:
        """Erase all of the flash; takes up to a minute."""
        with _errors(self._port, "erasing the flash"):
            if self.stub:
                self._esp.erase_flash()
            else:  # the ROM has no command for it, but erases what it is told will be written
                self._esp.flash_begin(self.flash_size, 0, logging=False)

    def write(self, address: int, data: bytes, progress: Progress) -> None:
        """Write to flash, and have the chip compute the MD5 of what it then holds."""
        self._log.progress = lambda done, total: progress("writing", done, total)
        with _errors(self._port, "writing the flash"):
            write_flash(self._esp, [(address, data)], flash_size="keep")

    def reset(self) -> None:
        """Let it run what is in its flash."""
        with contextlib.suppress(*_TROUBLE):
            self._esp.hard_reset()


@contextlib.contextmanager
def connect(port: str, *, stub: bool = True) -> Iterator[Chip]:
    """Bring the chip into its boot loader, find out what it is, and close the port in the end.

    `stub`: load esptool's flasher into its RAM, which is faster. Raises ToolError if the port
    cannot be used, NoAnswerError if no chip answers, ChipError or GoneError for what happens then.
    """
    ports.check(port)
    log = _Log()
    default = EsptoolLogger()
    default.set_logger(log)
    default.set_verbosity("silent")  # some of esptool keeps to this one
    try:
        with _connected(port, stub, log) as chip:
            yield chip
    finally:
        default.set_logger(default)


@contextlib.contextmanager
def _connected(port: str, stub: bool, log: _Log) -> Iterator[Chip]:
    try:
        esp = detect_chip(port, connect_attempts=_CONNECT_ATTEMPTS)
    except _TROUBLE as error:
        raise _no_chip(port, error) from error
    with esp:
        with _errors(port, "looking at the chip"):
            _check_usable(esp)
            esp = run_stub(esp) if stub else esp
            attach_flash(esp)
            chip = Chip(esp, port, log)
        yield chip


def _check_usable(esp: Any) -> None:
    """Raise ToolError if no board here has the chip, or it is locked."""
    boards.of_chip(_name(esp))
    if (
        esp.secure_download_mode
        or esp.get_flash_encryption_enabled()
        or esp.get_secure_boot_enabled()
    ):
        raise ToolError(
            "this chip has secure boot, flash encryption or secure download mode switched on",
            "stock MicroPython does not run on it: take another board",
        )


def _flash_size(esp: Any) -> str:
    found = detect_flash_size(esp)
    if found is None:
        say(f"the size of its flash is unknown: {_UNKNOWN_SIZE} is assumed")
    return found or _UNKNOWN_SIZE


def _name(esp: Any) -> str:
    return str(esp.CHIP_NAME).replace("-", "")


def _psram(features: str) -> str | None:
    found = _PSRAM.search(features)
    if not found:
        return None
    return "octal" if int(found[1] or 0) >= _OCTAL_MB else "quad"


@contextlib.contextmanager
def _errors(port: str, doing: str) -> Iterator[None]:
    try:
        yield
    except _TROUBLE as error:
        if ports.is_gone(port) or error.args[:1] in _UNPLUGGED:
            raise GoneError(f"the board is gone: {port} was unplugged while {doing}") from error
        raise ChipError(f"{doing} failed: {_first_line(error)}") from error


def _no_chip(port: str, error: Exception) -> ToolError:
    if ports.is_gone(port) or "Could not open" in str(error):
        return ports.cannot_open(port, error)
    return NoAnswerError(f"no ESP32 answers on {port}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__


class _Log(TemplateLogger):  # type: ignore[misc]  # esptool has no types
    """Says esptool's warnings, hands on its progress, drops the rest, which we say ourselves."""

    def __init__(self) -> None:
        self.progress: Callable[[int, int], None] = lambda done, total: None

    def print(self, *args: Any, **kwargs: Any) -> None:
        """Drop it."""

    def note(self, message: str) -> None:
        """Drop it."""

    def warning(self, message: str) -> None:
        """Say it, without rich's markup."""
        say("esptool: " + re.sub(r"\\(\[)|\[/?[a-z ]+\]", r"\1", message))

    error = warning

    def stage(self, finish: bool = False) -> None:
        """Take no part in folding output."""

    def set_verbosity(self, verbosity: str) -> None:
        """Stay as it is."""

    def progress_bar(
        self,
        cur_iter: int,
        total_iters: int,
        prefix: str = "",
        suffix: str = "",
        bar_length: int = 30,
    ) -> None:
        """Hand it on."""
        self.progress(cur_iter, total_iters)
