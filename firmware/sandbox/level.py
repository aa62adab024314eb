"""Reads a pin, an input, too. Loaded for that."""

import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .board import Board


def read(board: "Board", name: str) -> bool:
    """Return whether a pin is on; changes nothing."""
    pin = board.pins[name]
    if pin.get("kind") != "input":
        return board.is_on(name)
    how = (machine.Pin.IN, machine.Pin.PULL_UP) if pin.get("active_low") else (machine.Pin.IN,)
    return bool(machine.Pin(pin["gpio"], *how).value()) != bool(pin.get("active_low"))
