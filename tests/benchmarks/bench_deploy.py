"""Deploy, beside copying the same files with mpremote, both run as commands."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tools import paths
from host_tools.deploy import Device as Identity
from host_tools.deploy import tree
from tests.benchmarks.figures import Spread
from tests.benchmarks.table import Table
from tests.device_fixture import Device

_RUNS = 3
_SETTLE_S = 1.0  # until the application runs, and is connected
# (what has changed, the target: deploy's time as a share of mpremote's)
_CASES = (("nothing", 0.5), ("one file", 0.5), ("everything", 1.0))
_WIFI = {"ssid": "virtual", "password": ""}
_MPREMOTE = Path(sys.executable).with_name("mpremote")
_DEPLOY = """
import sys
from pathlib import Path
from host_tools import paths
paths.FIRMWARE = Path(sys.argv.pop(1))
from host_tools.__main__ import main
sys.exit(main())
"""


def bench_deploy(
    make_device: Callable[..., Device],
    table: Table,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    firmware = tmp_path / "firmware"
    shutil.copytree(paths.FIRMWARE, firmware, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(paths, "FIRMWARE", firmware)
    pair = _Pair(make_device(deployed=False), make_device(deployed=False), tmp_path / "tree")
    pair.deploy("--wait-s", "30")
    pair.copy()
    for case, target in _CASES:
        ours: list[float] = []
        theirs: list[float] = []
        connected: list[float] = []
        for number in range(_RUNS):
            for measured, runs, run in (
                (connected, 1, lambda: pair.deploy("--wait-s", "30")),
                (ours, _RUNS, lambda: pair.deploy("--no-wait")),
                (theirs, _RUNS - 1, pair.copy),  # it takes long
            ):
                if number >= runs:
                    continue
                if case == "everything":
                    pair.erase()
                elif case == "one file":
                    with (firmware / "sandbox" / "log.py").open("a") as file:
                        file.write(f"\nCHANGE_{len(measured)}_{number} = 1\n")
                measured.append(run())
        spread, other = Spread.of(ours), Spread.of(theirs)
        ratio = spread.median / other.median
        table.add(
            f"deploy, {case} changed",
            f"{spread.text('s')}; until connected {Spread.of(connected).median:.2f} s",
            beside=f"mpremote fs cp -r, reset: {other.text('s')}",
            target=f"{'met' if ratio <= target else 'missed'}: {ratio:.2f} of mpremote's time, "
            f"at most {target}",
            ratios={f"deploy {case}": ratio},
        )


class _Pair:
    """Two boards that run the application: one gets it by deploy, one by mpremote."""

    def __init__(self, ours: Device, theirs: Device, folder: Path) -> None:
        self._ours, self._theirs, self._folder = ours, theirs, folder
        for each in (ours, theirs):
            each.board.start(bound=True)

    def erase(self) -> None:
        self._ours.board.erase()
        self._theirs.board.erase()

    def deploy(self, *options: str) -> float:
        """Return the seconds that the command takes."""
        board, thing = self._ours.board.name, self._ours.thing
        words = ["deploy", "--board", board, "--thing", thing, *options]
        return _timed([sys.executable, "-c", _DEPLOY, str(paths.FIRMWARE), *words])

    def copy(self) -> float:
        """The same with mpremote; compiling is not counted."""
        tree.write(self._folder, Identity.of(self._theirs.made), "virtual", _WIFI)
        words = ["fs", "cp", "-r", f"{self._folder}/", ":", "+", "reset"]
        return _timed([str(_MPREMOTE), "connect", self._theirs.board.device, *words])


def _timed(command: list[str]) -> float:
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=paths.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    took = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    time.sleep(_SETTLE_S)
    return took
