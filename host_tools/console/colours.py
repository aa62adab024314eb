"""Colours for the board's lines, on a terminal that wants them (NO_COLOR, see no-color.org)."""

from __future__ import annotations

import os
import re
from typing import TextIO

from host_tools.console.protocol import Line

RED, GREEN, YELLOW, BLUE, CYAN, DIM, BOLD = "31", "32", "33", "34", "36", "2", "1"
_LOG = {"E": RED, "W": YELLOW, "I": DIM, "D": DIM}
_REJECTED = re.compile(r"^(?:[a-z-]+ rejected: |usage: |unknown command: |Traceback )")


def wanted(stream: TextIO) -> bool:
    """Say whether `stream` is a terminal that shows colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, on: bool) -> str:
    """Return `text` in a colour, or as it is if not `on` or without a colour."""
    return f"\x1b[{colour}m{text}\x1b[0m" if on and colour else text


def of(line: Line) -> str:
    """Return the colour of one of the board's lines, empty for none."""
    if line.log_level:
        return _LOG[line.log_level]
    if line.is_boot_noise:
        return DIM
    if line.is_event:
        return CYAN
    if _REJECTED.match(line.text):
        return RED
    return GREEN if line.content else ""
