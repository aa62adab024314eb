"""From power-on to the first subscription, and what it is spent on."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.benchmarks.figures import Spread
from tests.benchmarks.table import Table
from tests.benchmarks.trace import Trace
from tests.device_fixture import Device

_BOOTS = 5
# (phase, the label that ends it)
_PHASES = (
    ("MicroPython, boot.py", "main.py"),
    ("loading the application", "application loaded"),
    ("configuration, board, credentials", "done load credentials"),
    ("starting the tasks", "load wifi"),
    ("Wi-Fi, clock", "DNS"),
    ("DNS, TCP", "TCP"),
    ("TLS", "TLS"),
    ("CONNECT", "CONNACK"),
    ("SUBSCRIBE", "SUBACK"),
)


def bench_boot(make_device: Callable[..., Device], table: Table) -> None:
    device = make_device(deployed=False)
    trace = Trace(device)
    device.expect("link: ready")
    samples: dict[str, list[float]] = {phase: [] for phase, _ in _PHASES}
    totals = []
    for _ in range(_BOOTS):
        device.skip()
        began = last = time.time()
        device.board.reset()
        device.expect("link: ready")
        ends = {mark.label: mark.at for mark in reversed(trace.marks())}  # the first of each
        for phase, label in _PHASES:
            samples[phase].append(1000 * (ends[label] - last))
            last = ends[label]
        totals.append(1000 * (last - began))
    whole = Spread.of(totals)
    parts = {phase: Spread.of(each).median for phase, each in samples.items()}
    table.add(
        "reset to first subscription, virtual board",
        whole.text("ms", 0)
        + "\n"
        + "\n".join(
            f"{phase}: {took:.0f} ms, {took / whole.median:.0%}" for phase, took in parts.items()
        ),
        target="reported",
        ratios={f"boot share, {phase}": took / whole.median for phase, took in parts.items()},
    )
