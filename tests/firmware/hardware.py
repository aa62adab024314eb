"""Imported first by a test that needs hardware: puts the virtual board's stand-ins on the path."""

import json
import sys

sys.path.insert(0, __file__.rsplit("/", 3)[0] + "/boards/virtual/modules")

import machine, network, ntptime, time, tls  # noqa: F401,I001  in place of the built-ins
import _hw


def simulate_fault(**faults) -> None:
    """Press these fault buttons and no other (host_tools/board/faults.py)."""
    with _hw.host.open("/faults.json", "w") as file:
        json.dump(faults, file)


def edges() -> list:
    """Return (gpio, value) of every pin edge so far."""
    with _hw.host.open("/pins.jsonl", "r") as file:
        records = [json.loads(line) for line in file]
    return [(record["pin"], record["value"]) for record in records]


def told() -> list:
    """Return what the supervisor was told: resets, the watchdog's time-outs."""
    with _hw.host.open("/control", "r") as file:
        return [line.strip() for line in file]


def simulate_clock(year: int) -> None:
    """Set the board's clock to the beginning of a year."""
    machine.RTC().datetime((year, 1, 1, 0, 0, 0, 0, 0))
