"""What the board said last before a reset that nobody had ordered: the watchdog's, or a panic's.

The log keeps its last lines in RTC memory, which outlives every reset but a loss of power
(ports/esp32/machine_rtc.c, from MicroPython 1.22 on); whoever resets in order empties it. The next
start moves them to flash, beside the boot count. Loaded when asked for.
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


def reset_cause() -> str:
    """Return the name of the last reset's cause, as `machine` has it."""
    for name in dir(machine):
        if name.endswith("_RESET") and getattr(machine, name) == machine.reset_cause():
            return name
    return "UNKNOWN_RESET"


def recall(board: "Board") -> str:
    """Return what RTC memory holds of the last run, "" if nothing."""
    try:
        text = board.memory().decode()
    except UnicodeError:
        return ""
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
