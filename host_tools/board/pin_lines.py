"""What the pins did, as `jobs-sandbox board pins` tells it: by name, with what a value means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host_tools import deployed
from host_tools.board.edges import Edge
from host_tools.errors import ToolError
from host_tools.output import time_of_day

if TYPE_CHECKING:
    from host_tools.boards import Pin

    Pins = dict[int, tuple[str, Pin]]


def pins_by_gpio(board: str) -> Pins:
    """Return GPIO number → (name, pin), by the definition that the board was deployed with; {} if
    that is gone.
    """
    from host_tools import boards

    try:
        definition = boards.load(deployed.last(board).get("definition", "virtual"))
    except ToolError:  # a file of the user's own
        return {}
    return {pin.gpio: (name, pin) for name, pin in definition.pins.items()}


def line(edge: Edge, known: Pins) -> str:
    """Return the line for one change of a pin."""
    more = " ".join(str(edge[key]) for key in ("freq", "duty_u16", "data") if key in edge)
    name, pin = known.get(edge["pin"], ("", None))
    what = f"GPIO{edge['pin']} {name}"
    value = f"{edge['value']}{_meaning(edge['value'], pin)}"
    return f"{time_of_day(edge['t'])}  start {edge['boot']}  {what:<14} {value} {more}".rstrip()


def _meaning(value: object, pin: Pin | None) -> str:
    if value == "z":
        return " (released: an input, or no longer driven)"
    if value not in (0, 1):
        return ""
    level = "high" if value else "low"
    if pin is None:
        return f" ({level})"
    return f" ({level}: {'on' if bool(value) != pin.active_low else 'off'})"
