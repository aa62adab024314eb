"""What outlives a reset in RTC memory, which is empty after a loss of power only
(ports/esp32/machine_rtc.c, from MicroPython 1.22 on). Loaded when asked for.

The log keeps its last lines there: what the board said before a reset that nobody had ordered,
the watchdog's or a panic's. The next start moves them to flash, beside the boot count. An ordered
reset leaves the names of the pins that are on in their place: only a loss of power changes a pin
(ESP-IDF, "esp_restart": peripherals are not reset).
"""

import machine

from . import files
from .errors import ConfigError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .board import Board

PATH = files.STATE + "/boot_count"
_ON = "="


def reset_cause() -> str:
    """Return the name of the last reset's cause, as `machine` has it."""
    for name in dir(machine):
        if name.endswith("_RESET") and getattr(machine, name) == machine.reset_cause():
            return name
    return "UNKNOWN_RESET"


def leave(board: "Board") -> None:
    """Leave in RTC memory which pins are on: a reset in order comes, or the REPL. Pulses of a
    device, which may end with it, are none.
    """
    on = [
        "%s %d" % (name, board.pins[name]["gpio"])
        for name, part in board.parts.items()
        if isinstance(part, (machine.Pin, bool)) and board.is_on(name)
    ]
    board.memory((_ON + ",".join(on)).encode())


def recall(board: "Board") -> str:
    """Return what RTC memory holds of the last run, "" if nothing, and empty it; pins that are on
    are known to the board from now on.
    """
    try:
        text = board.memory().decode()
    except UnicodeError:
        return ""
    board.memory(b"")
    if text[:1] == _ON and board.cause != "PWRON_RESET":
        for each in text[1:].split(","):
            name, _, gpio = each.partition(" ")
            if str(board.pins.get(name, {}).get("gpio")) == gpio:
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
