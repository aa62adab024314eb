"""Wake-ups and allocations while there is nothing to do."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks.figures import verdict
from tests.benchmarks.idle import measure
from tests.benchmarks.interpreters import how_measured
from tests.benchmarks.table import Table
from tests.device_fixture import Device
from tests.firmware import budgets


def bench_idle(make_device: Callable[..., Device], table: Table) -> None:
    found = measure(make_device(deployed=False))
    table.add(
        "idle: wake-ups per second, bytes of heap allocated per minute",
        f"{found.wakes_per_s:.1f} per second, {found.allocated_per_min} bytes per minute, "
        f"{how_measured()}; the heap grows by {found.grows} bytes",
        target=verdict(found.wakes_per_s, budgets.IDLE_WAKES_TARGET, "a second")
        + ("\nmet: no growth" if found.grows <= budgets.LEAK else "\nmissed: it grows"),
        exact={
            "idle_wakes_per_s": found.wakes_per_s,
            "idle_allocated_per_min": found.allocated_per_min,
        },
    )
