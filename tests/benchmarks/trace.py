"""Reads the trace that `on_board/probe.py` keeps of the running application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import names, on_board
from tests.benchmarks.interpreters import words
from tests.board_fixture import eventually
from tests.device_fixture import Device
from tests.firmware import budgets

AT_REST = "at rest"
_LOAD = "load "
_HEAP = {2: "90wK", 1: "90K"}  # the probe leaves of it what a plain ESP32 has
# Heap that an ESP32 has in use before boot.py, as in _boot.py, and umqtt's functions and
# dictionaries, whose code is in flash: estimates
AT_BOOT = 2 * 1024
_UMQTT = 1024
_BEFORE = AT_BOOT + _UMQTT


@dataclass(frozen=True)
class Mark:
    """What happened at a time (Unix time), and the heap then in use, in bytes of a board."""

    at: float
    heap: int
    label: str


class Trace:
    """Of a device that has been started with the probe; `divisor`: words of a board in one."""

    def __init__(self, device: Device, divisor: int = 0, **changes: Any) -> None:
        self._words = divisor or words()
        start, heap = device.board.start, _HEAP[self._words]
        setattr(device.board, "start", lambda **options: start(heap=heap, **options))  # noqa: B010
        room = (budgets.HEAP - _BEFORE - names.pools(budgets.NAMES)) * self._words
        more = {"/room.txt": b"%d" % room}
        folder = on_board.begin(device, "probe.py", more=more, **changes)
        self._file: Path = folder / "bench.trace"
        self._error = folder / "bench.error"
        eventually(self._file.exists)
        device.open()

    def marks(self) -> list[Mark]:
        """Return all there are so far."""
        if self._error.exists():
            raise AssertionError(self._error.read_text())
        found = []
        lent: set[str] = set()
        pools = 0
        for line in self._file.read_text().splitlines():
            at, heap, label = line.split(" ", 2)
            if label.startswith(_LOAD):
                lent.add(label.removeprefix(_LOAD))
            if not pools or label.startswith(_LOAD):
                pools = names.pools(len(names.kept(lent)))
            taken = _BEFORE + pools + int(heap) // self._words
            found.append(Mark(int(at) / 1e9, taken, label))
        return found

    def peak(self, since: float, until: float) -> int:
        """Return the most heap that was in use between two times."""
        return max(mark.heap for mark in self.marks() if since <= mark.at <= until)

    def names(self) -> int:
        """Return how many names a board would have to keep by now."""
        return len(names.kept(self.loaded(0)))

    def loaded(self, since: float) -> list[str]:
        """Return the modules that have been loaded for a moment since then, in order."""
        labels = [mark.label for mark in self.marks() if mark.at >= since]
        return [label.removeprefix(_LOAD) for label in labels if label.startswith(_LOAD)]

    def settled(self) -> int:
        """Return the heap in use at rest, without garbage."""
        return [mark.heap for mark in self.marks() if mark.label == AT_REST][-1]
