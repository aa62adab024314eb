"""The files of one virtual board, all in its folder `boards/<name>/` under the state folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FLASH_SIZE = 2 * 1024 * 1024  # the vfs partition of a 4 MB chip, ports/esp32/partitions-4MiB.csv
_NVS_SIZE = 0x6000
_RTC_SIZE = 10 + 2048  # boards/virtual/modules/_hw.py, Rtc


class BoardFiles:
    """Paths of one board's files, and the few things done to them as a whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flash = folder / "flash.img"
        self.flash_operations = folder / "flash.ops"
        self.rtc = folder / "rtc"
        self.nvs = folder / "nvs.json"
        self.pins = folder / "pins.jsonl"
        self.inputs = folder / "inputs.json"
        self.faults = folder / "faults.json"
        self.serial_log = folder / "serial.log"
        self.supervisor_log = folder / "supervisor.log"
        self.running = folder / "running.json"
        self.boots = folder / "boots"
        self.lock = folder / "lock"
        self.tty = folder / "tty"

    def make_missing(self) -> None:
        """Make the parts that a board is never without: an erased flash, its counter, the pin
        record.
        """
        if not self.flash.exists() or self.flash.stat().st_size != FLASH_SIZE:
            self.flash.write_bytes(b"\xff" * FLASH_SIZE)
        if not self.flash_operations.exists():
            self.flash_operations.write_bytes(bytes(8))
        if not self.nvs.exists():
            self.nvs.write_bytes(b"{}".ljust(_NVS_SIZE))
        if not self.rtc.exists():
            self.lose_power()
        self.pins.touch()

    def lose_power(self) -> None:
        """Set the RTC domain to its power-on state: the year 2000 begins now, no user memory."""
        zero_us = time.time_ns() // 1000
        write_whole(self.rtc, struct.pack("<qH", zero_us, 0).ljust(_RTC_SIZE, b"\0"))

    def erase(self) -> None:
        """Erase the flash and forget what the board did; keep its log."""
        for path in (self.flash, self.flash_operations, self.rtc, self.nvs):
            path.unlink(missing_ok=True)
        for path in (self.pins, self.inputs, self.faults, self.boots):
            path.unlink(missing_ok=True)
        self.make_missing()

    def next_boot(self) -> int:
        """Count a start of MicroPython and return its number, from 1."""
        try:
            number = int(self.boots.read_text()) + 1
        except (OSError, ValueError):
            number = 1
        write_whole(self.boots, str(number).encode())
        return number

    @contextlib.contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the board's lock, as its supervisor does while it lives; yields False if taken."""
        with self._lock(fcntl.LOCK_EX) as mine:
            yield mine

    def is_locked(self) -> bool:
        """Tell whether a supervisor holds the lock; askers do not disturb each other."""
        with self._lock(fcntl.LOCK_SH) as free:
            return not free

    @contextlib.contextmanager
    def _lock(self, kind: int) -> Iterator[bool]:
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file's content in one step, so that a reader never sees half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_bytes(data)
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, {} if there is none."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace a JSON file in one step."""
    write_whole(path, json.dumps(value).encode())
