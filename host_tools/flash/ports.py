"""Serial ports, as flashing needs them: whether one can be used, and what is plugged in there."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from host_tools import boards
from host_tools.boards import BoardDefinition
from host_tools.errors import ToolError


def is_url(port: str) -> bool:
    """Return whether it is one of pyserial's addresses, socket://… or rfc2217://…"""
    return "://" in port


def is_gone(port: str) -> bool:
    """Return whether a port that is no address does not exist."""
    return not is_url(port) and not Path(port).exists()


def check(port: str) -> None:
    """Raise ToolError if the port is missing, forbidden or no serial port at all."""
    if is_url(port):
        return
    if is_gone(port):
        raise cannot_open(port)
    if not stat.S_ISCHR(Path(port).stat().st_mode):
        raise ToolError(f"{port} is no serial port", "`jobs-sandbox ports` lists them")


def cannot_open(port: str, error: Exception | None = None) -> ToolError:
    """Return the error that tells why a port cannot be opened."""
    if is_url(port):
        reason = re.search(r"Errno \d+\] ([\w ]+)", str(error))
        return ToolError(
            f"cannot open {port}: {reason[1] if reason else 'nothing answers there'}",
            "start what serves it, or another --port",
        )
    from host_tools.deploy import port_trouble

    return port_trouble.cannot_open(port, "board")


def boards_on(port: str) -> list[BoardDefinition]:
    """Return the boards that the port's USB identity fits; all of them look alike to us."""
    from serial.tools.list_ports import comports

    for each in comports():
        if each.vid is not None and Path(each.device).resolve() == Path(port).resolve():
            return boards.of_usb(each.vid, each.pid)
    return []
