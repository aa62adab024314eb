"""Runs scripts of `on_board/` in MicroPython: in the Unix port, whose words mostly have 8 bytes,
and, where there is one, in an interpreter whose words have 4, as a board's.
"""

from __future__ import annotations

import functools
import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from host_tools import interpreter

SCRIPTS = Path(__file__).parent / "on_board"
VARIABLE_32 = "MICROPYTHON32"
_TIMEOUT_S = 120


@functools.cache
def words() -> int:
    """Return how many of a board's words make one of the Unix port's: 2, or 1 if it is 32-bit."""
    code = "import sys; print(1 + (sys.maxsize > 1 << 32))"
    command = [str(interpreter.find()), "-c", code]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def how_measured() -> str:
    """Say how a figure that has been divided by `words` came about."""
    return "64 bit, halved" if words() > 1 else "32 bit"


def run(script: str, folder: Path) -> Any:
    """Run a script in `folder`; return the JSON it prints."""
    return _run([str(interpreter.find()), "-X", "heapsize=16M"], script, folder)


def run_32(script: str, folder: Path) -> Any | None:
    """Run it in $MICROPYTHON32, a command with its arguments; None without one."""
    words = shlex.split(os.environ.get(VARIABLE_32, ""))
    command = [str(Path(word).resolve()) if Path(word).exists() else word for word in words]
    return _run(command, script, folder) if command else None


def _run(command: list[str], script: str, folder: Path) -> Any:
    done = subprocess.run(
        [*command, str(SCRIPTS / script)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)
