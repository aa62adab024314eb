"""The serial device: opened for us alone, read without end, found again after it was gone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import serial
from serial.tools import list_ports

from host_tools.errors import ToolError
from host_tools.target import Target

_BAUD = 115200
_READ_S = 0.1
_WRITE_S = 10.0
_LOST = (serial.SerialException, OSError, TypeError)  # TypeError: it was closed meanwhile


class PortGoneError(Exception):
    """The device is no longer there: unplugged, re-enumerated, or the board was switched off."""


class Port:
    """An open serial device.

    Raises ToolError when it cannot be opened, PortGoneError when it is lost.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.label = target.label
        self._device = target.device
        self._serial_number = None if target.board else _serial_number(target.device)
        self._serial = _open(self._device, self.label)

    def read(self) -> bytes:
        """Return what has come, b"" if nothing comes for 0.1 s or `wake` was called."""
        try:
            first: bytes = self._serial.read(1)
            return first + (self._serial.read(self._serial.in_waiting) if first else b"")
        except _LOST as error:
            raise PortGoneError(self._device) from error

    def write(self, data: bytes) -> None:
        """Send bytes."""
        try:
            self._serial.write(data)
        except _LOST as error:
            raise PortGoneError(self._device) from error

    def wake(self) -> None:
        """Make a `read` in another thread return at once."""
        with contextlib.suppress(Exception):
            self._serial.cancel_read()

    def reopen(self) -> bool:
        """Try once to open the device again; say whether it worked."""
        self.close()
        with contextlib.suppress(ToolError):
            self._serial = _open(self._now(), self.label)
            return True
        return False

    def close(self) -> None:
        """Let the device go; whatever runs on the board goes on."""
        with contextlib.suppress(serial.SerialException, OSError):
            self._serial.close()

    def _now(self) -> str:
        # A board with native USB may come back under another name, but with its serial number.
        if self._serial_number is None or Path(self._device).exists():
            return self._device
        for each in list_ports.comports():
            if each.serial_number == self._serial_number:
                return str(each.device)
        return self._device


def _open(device: str, label: str) -> Any:
    if not (Path(device).exists() and os.access(device, os.R_OK | os.W_OK)):
        raise _cannot_open(device, label)
    try:
        return serial.Serial(
            device, _BAUD, timeout=_READ_S, write_timeout=_WRITE_S, exclusive=True
        )
    except (serial.SerialException, OSError) as error:
        raise _cannot_open(device, label) from error


def _cannot_open(device: str, label: str) -> ToolError:
    from host_tools.deploy.port_trouble import cannot_open  # late: its package takes 0.5 s

    return cannot_open(device, label)


def _serial_number(device: str) -> str | None:
    resolved = str(Path(device).resolve())
    for each in list_ports.comports():
        if each.device in (device, resolved):
            return str(each.serial_number) if each.serial_number else None
    return None
