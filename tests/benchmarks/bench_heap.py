"""The heap in use: at rest, and at most during what the board does."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable

import pytest

from host_tools import interpreter
from tests.benchmarks import record
from tests.benchmarks.figures import number, verdict
from tests.benchmarks.interpreters import VARIABLE_32, WORDS
from tests.benchmarks.table import Table
from tests.benchmarks.trace import Trace
from tests.device_fixture import Device
from tests.firmware import budgets

AT_REST = "after connect"
_LED_ON = {"operation": "gpio", "pin": "led", "action": "on"}
_LARGE = 8 * 1024
_REST_S = 1.2  # a glance of the link is a second
_COMMANDS = ("status", "help", "jobs", "pins", "log", "get-pending-job-executions")


def bench_heap(
    make_device: Callable[..., Device], table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measure(make_device, WORDS)
    limit, target = budgets.HEAP, budgets.PEAK_TARGET
    true = _in_32_bit(make_device, monkeypatch)
    guess = _of_32_bit()
    for name, heap in found.items():
        if true:
            most, how = true[name], "in a 32-bit MicroPython"
        else:
            most, how = int(heap * guess), f"estimated for 32 bit: {guess:.2f} times (`make size`)"
        table.add(
            f"heap in use {name}",
            f"{number(heap / 1024)} KB of a board's {limit // 1024}, 64 bit halved",
            beside=f"{number(most / 1024)} KB, {how}",
            target="reported"
            if name == AT_REST
            else verdict(most, target) + f", {how.split(':')[0]}",
            exact={f"heap {name}": heap, **({f"heap32 {name}": true[name]} if true else {})},
        )


def measure(make_device: Callable[..., Device], words: int) -> dict[str, int]:
    """Return, in bytes of a board, the heap at rest after connect, and the peaks."""
    device = make_device(deployed=False)
    trace = Trace(device, words, config={"executor": True})
    device.expect("link: ready")
    time.sleep(_REST_S)
    found = {AT_REST: trace.settled()}
    document = {**_LED_ON, "_padding": ""}
    document["_padding"] = "x" * (_LARGE - len(json.dumps(document)))
    for name, what in (
        ("at most while it connects", lambda: None),
        ("at most during a GPIO job", lambda: device.run_job(_LED_ON)),
        ("at most during a job with a document of 8 KB", lambda: device.run_job(document)),
        ("at most while the console is used", lambda: _type(device)),
    ):
        began = trace.marks()[0].at if "connects" in name else time.time()
        what()
        time.sleep(_REST_S)
        found[name] = trace.peak(began, time.time())
    return found


def _type(device: Device) -> None:
    for command in _COMMANDS:
        device.result(command) if command.startswith("get") else device.command(command)


def _in_32_bit(
    make_device: Callable[..., Device], monkeypatch: pytest.MonkeyPatch
) -> dict[str, int] | None:
    # only a Unix port can be a board; a command of several words is some other port
    words = shlex.split(os.environ.get(VARIABLE_32, ""))
    if len(words) != 1:
        return None
    monkeypatch.setenv("MICROPYTHON", words[0])
    interpreter.find()
    return measure(make_device, 1)


def _of_32_bit() -> float:
    # how much more the modules take in 32 bit than halved, as last measured; 1 if never
    totals = record.load().get("sizes", {}).get("totals", {})
    return float(totals.get("resident32", totals["resident"]) / totals["resident"])
