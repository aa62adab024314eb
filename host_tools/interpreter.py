"""Finds the MicroPython interpreter (Unix port) that virtual boards and firmware tests run on."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from host_tools.errors import ToolError

OLDEST = (1, 27)  # the first Unix port with the raw REPL, micropython commit 5b3c928f53
_VERSION = "import sys; print(*sys.implementation[1][:3])"
_FIX = "`make setup` (installs one), or MICROPYTHON=/path/to/micropython, version 1.27 or newer"


def find() -> Path:
    """Return the interpreter: $MICROPYTHON, else the one beside this Python.

    Raises ToolError if it is missing, does not run or is older than OLDEST.
    """
    chosen = os.environ.get("MICROPYTHON")
    name = chosen or str(Path(sys.executable).parent / "micropython")
    path = shutil.which(name)
    if path is None:
        origin = "MICROPYTHON names" if chosen else "setup should have made"
        raise ToolError(
            f"no MicroPython interpreter: {origin} {name}, which is not a program", _FIX
        )
    found = version(Path(path).absolute())
    if found[:2] < OLDEST:
        text = ".".join(map(str, found))
        raise ToolError(f"{path} is MicroPython {text}; virtual boards need 1.27 or newer", _FIX)
    return Path(path).absolute()


@functools.cache
def version(path: Path) -> tuple[int, ...]:
    """Return the version of the interpreter at `path`, e.g. (1, 28, 0).

    Raises ToolError if it is no MicroPython.
    """
    try:
        # why stdin: an interpreter that ignores -c must not wait for a terminal
        answer = subprocess.run(
            [path, "-c", _VERSION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        return tuple(int(number) for number in answer.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ToolError(
            f"{path} does not run as a MicroPython interpreter: {error}", _FIX
        ) from error
