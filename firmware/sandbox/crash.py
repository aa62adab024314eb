"""What outlives a reset in RTC memory, which is empty after a loss of power only
(ports/esp32/machine_rtc.c, from MicroPython 1.22 on). Loaded when asked for.

The log keeps its last lines there: what the board said before a reset that nobody had ordered,
the watchdog's or a panic's. The next start moves them to flash, beside the boot count. An ordered
reset leaves the names of the pins that are on in their place: only a loss of power changes a pin
(ESP-IDF, "esp_restart": peripherals are not reset).
"""

import machine
from micropython import const

from . import files
from .errors import ConfigError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .board import Board

PATH = files.STATE + "/boot_count"
_ON = "="
_QUIET_MS = const(2_000_000_000)  # 23 days: an ESP32 watchdog cannot be stopped


def reset_cause() -> str:
    """Return the name of the last reset's cause, as `machine` has it."""
    for name in dir(machine):
        if name.endswith("_RESET") and getattr(machine, name) == machine.reset_cause():
            return name
    return "UNKNOWN_RESET"


def settle(board: "Board") -> None:
    """Leave in RTC memory which pins are on: a reset in order comes, or the REPL."""
    board.memory((_ON + ",".join(name for name in board.pins if board.is_on(name))).encode())


def calm(board: "Board") -> None:
    """Give whoever works in the REPL all the time they need."""
    settle(board)
    if board.watchdog:
        board.watch(_QUIET_MS)


def recall(board: "Board") -> str:
    """Return what RTC memory holds of the last run, "" if nothing; pins that are on are known to
    the board from now on.
    """
    try:
        text = board.memory().decode()
    except UnicodeError:
        return ""
    if text[:1] == _ON:
        for name in text[1:].split(","):
            if name in board.pins:
                board.attach(name, True)
    known = text[:1] in ("E", "W", "I", "D") and text[1:2] == " "  # and nobody else's
    return text.replace("\n", " | ") if known else ""


def last_words() -> str:
    """Return the last lines before the last reset, "" if it was in order, or the power failed."""
    try:
        return str(borrow("reader").read_json(PATH).get("before", ""))
    except ConfigError:
        return ""


def explain(board: "Board", details: "dict[str, Any]") -> None:
    """Add to the details of a job that failed after a reset what reset it was."""
    details["resetCause"] = board.cause
    said = last_words()
    if said:
        details["beforeReset"] = said
