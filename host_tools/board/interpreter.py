"""MicroPython's Unix port: finding it and knowing that it is new enough."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from host_tools.errors import ToolError

_MINIMUM = (1, 27)  # the first with a raw REPL, which mpremote needs
_HINT = "`make setup`, or set MICROPYTHON to a MicroPython Unix port of version 1.27 or newer"
_QUERY = "import sys; print(*sys.implementation[1][:2])"


def find_micropython() -> str:
    """Return the path of a usable interpreter: MICROPYTHON, else the one beside this Python.

    Raises ToolError if there is none or it is too old.
    """
    asked = os.environ.get("MICROPYTHON")
    path = shutil.which(asked) if asked else str(Path(sys.executable).with_name("micropython"))
    if path is None or not os.access(path, os.X_OK):
        raise ToolError(
            f"MicroPython's Unix port is missing: {asked or path} is not a program.", _HINT
        )
    version = _version(path)
    if version < _MINIMUM:
        found = ".".join(map(str, version))
        raise ToolError(
            f"{path} is MicroPython {found}; a virtual board needs 1.27 or newer.", _HINT
        )
    return path


def _version(path: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run(
            [path, "-c", _QUERY], capture_output=True, text=True, timeout=10, check=True
        )
        return tuple(int(part) for part in answer.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ToolError(f"{path} does not run as MicroPython: {error}", _HINT) from error
