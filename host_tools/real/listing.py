"""The serial ports on USB, and whether each can be used; opens none of them.

Ports that are not on USB, a PC's built-in ones for instance, never have a board.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools import boards

_ESPRESSIF = 0x303A  # USB vendor; the chip's own USB, whose serial number is its MAC


@dataclass(frozen=True)
class UsbPort:
    """A serial port on USB. `kinds`: names of the boards in boards/ that show themselves so."""

    device: str
    usb: str  # vendor:product
    description: str
    serial_number: str | None
    kinds: tuple[str, ...]
    chips: tuple[str, ...]

    @property
    def is_permitted(self) -> bool:
        """Whether this user may open it; also if it has just gone."""
        return not Path(self.device).exists() or os.access(self.device, os.R_OK | os.W_OK)


def usb_ports() -> list[UsbPort]:
    """Return the ports, those that look like a board we know first."""
    from serial.tools import list_ports

    found = [_port(each) for each in list_ports.comports() if each.vid is not None]
    return sorted(found, key=lambda port: (not port.kinds, port.device))


def serial_number(device: str) -> str | None:
    """Return the USB serial number of what is on a port, by which it is found again."""
    from serial.tools import list_ports

    for each in list_ports.comports():
        if each.vid is not None and _same(each.device, device):
            return str(each.serial_number) if each.serial_number else None
    return None


def find(number: str | None, device: str) -> str:
    """Return where the board with a serial number is now; `device` if that still exists, or none
    has it.
    """
    if number is None or Path(device).exists():
        return device
    for port in usb_ports():
        if port.serial_number == number:
            return port.device
    return device


def _port(found: Any) -> UsbPort:
    fitting = boards.of_usb(found.vid, found.pid)
    own_usb = found.vid == _ESPRESSIF
    return UsbPort(
        device=str(found.device),
        usb=f"{found.vid:04x}:{found.pid:04x}",
        description=str(found.description or ""),
        serial_number=str(found.serial_number) if found.serial_number else None,
        kinds=tuple(board.name for board in fitting),
        chips=tuple(sorted({board.chip for board in fitting})) if own_usb else (),
    )


def _same(one: str, other: str) -> bool:
    return Path(one).resolve() == Path(other).resolve()
