"""What the board does while there is nothing to do."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks import on_board
from tests.benchmarks.figures import Spread
from tests.benchmarks.interpreters import words
from tests.device_fixture import Device


@dataclass(frozen=True)
class Idle:
    """Wake-ups in a second, bytes of a board allocated in a minute, by which the heap grows."""

    wakes_per_s: float
    allocated_per_min: int
    grows: int


def measure(device: Device) -> Idle:
    """Start the application, with the executor on, and look at it for a while."""
    found = on_board.run(device, "idle.py")
    window_s = found["window_s"]
    return Idle(
        sum(found["wakes"]) / len(found["wakes"]) / window_s,
        int(Spread.of(found["allocated"]).median * 60 / window_s) // words(),
        (found["heap"][-1] - found["heap"][0]) // words(),
    )
