"""What tests of flashing work with: images made by esptool's own writer, chips played by
esp32-mock-bootloader in a process of its own, which can be given faults and be killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from esptool.bin_image import ImageSegment
from esptool.targets import CHIP_DEFS

CHIPS = ["ESP32", "ESP32S2", "ESP32S3", "ESP32C3", "ESP32C6"]
FLASH_SIZE = 4 << 20
_DEADLINE_S = 20

# Imports the mock once and forks a chip for each line on stdin: JSON of kind of chip, file for the
# name of its port, file to begin with, file to dump to on SIGUSR1, and a fault. Prints its pid.
# Faults act on what is written to flash.
_NURSERY = """
import json, os, signal, sys, time
from pathlib import Path
from esp32_mock_bootloader import server

def be_chip(chip, port_file, content, dump, fault):
    flash = server.get_flash_image()
    data = Path(content).read_bytes()
    flash.data[: len(data)] = data
    def on_signal(*_):
        Path(dump + ".new").write_bytes(bytes(flash.data))
        os.replace(dump + ".new", dump)
    signal.signal(signal.SIGUSR1, on_signal)
    kind, counts = server.FlashImage, {"begun": 0, "blocks": 0}
    def faulty(write):
        def written(self, payload):
            counts["blocks"] += 1
            if fault == "unplug" and counts["blocks"] == 3:
                Path(port_file).with_name("tty").unlink()
                os._exit(1)
            if fault == "slow":
                time.sleep(0.2)
            before = self.data[0x10040]
            write(self, payload)
            bad = fault == "corrupt" or (fault == "corrupt once" and counts["begun"] == 1)
            if bad and self.data[0x10040] != before:  # each time that it is written, and once
                self.data[0x10040] ^= 1
        return written
    def counted(begin):
        def begins(self, payload):
            counts["begun"] += 1
            begin(self, payload)
        return begins
    kind.write_defl_block = faulty(kind.write_defl_block)
    kind.write_plain_block = faulty(kind.write_plain_block)
    kind.begin_defl = counted(kind.begin_defl)
    server.run_pty_server(120, port_file, chip)

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while line := sys.stdin.readline():
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        try:
            be_chip(*json.loads(line))
        finally:
            os._exit(0)
    print(pid, flush=True)
"""


class MockChip:
    """A chip in its boot loader, on `port`."""

    def __init__(self, pid: int, port: str, dump: Path) -> None:
        self._pid = pid
        self._dump = dump
        self.port = port

    def flash(self) -> bytes:
        """Return what is in its flash now."""
        self._dump.unlink(missing_ok=True)
        os.kill(self._pid, signal.SIGUSR1)
        wait_for(self._dump.exists)
        return self._dump.read_bytes()

    def is_blank(self) -> bool:
        return set(self.flash()) == {0xFF}

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)


class MockChips:
    """Makes chips that end with the test."""

    def __init__(self, nursery: subprocess.Popen[str], folder: Path) -> None:
        self._nursery = nursery
        self._folder = folder
        self._made: list[MockChip] = []

    def __call__(self, chip: str, content: bytes = b"", fault: str = "") -> MockChip:
        folder = self._folder / f"chip{len(self._made)}"
        folder.mkdir()
        start, name, dump = folder / "start", folder / "port", folder / "dump"
        start.write_bytes(content)
        made = MockChip(
            self._fork([chip.lower(), str(name), str(start), str(dump), fault]), "", dump
        )
        self._made.append(made)
        wait_for(lambda: name.exists() and name.read_text() != "")
        (folder / "tty").symlink_to(name.read_text())  # /dev/pts/N is soon somebody else's again
        made.port = str(folder / "tty")
        return made

    def _fork(self, order: list[str]) -> int:
        assert self._nursery.stdin and self._nursery.stdout
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())

    def stop(self) -> None:
        for chip in self._made:
            chip.stop()


@pytest.fixture(scope="session")
def mock_nursery() -> Iterator[subprocess.Popen[str]]:
    """The process that chips are forked from."""
    command = [sys.executable, "-c", _NURSERY]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def mock_chip(mock_nursery: subprocess.Popen[str], tmp_path: Path) -> Iterator[MockChips]:
    """mock_chip("ESP32", content=…, fault=…) starts one."""
    chips = MockChips(mock_nursery, tmp_path)
    try:
        yield chips
    finally:
        chips.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def offset(chip: str) -> int:
    return int(CHIP_DEFS[chip.lower()].BOOTLOADER_FLASH_OFFSET)


def image(
    chip: str,
    *,
    title: tuple[str, str] = ("micropython", "v1.28.0"),
    size_kb: int = 40,
    flash_end: int = 0x200000,
    first_revision: int = 0,
) -> bytes:
    """Return a combined image: boot loader, partition table, application with a description."""
    start = offset(chip)
    table = _partition(1, 2, 0x9000, 0x6000, b"nvs")
    table += _partition(1, 1, 0xF000, 0x1000, b"phy_init")
    table += _partition(0, 0, 0x10000, flash_end - 0x10000, b"factory")
    project, version = (text.encode() for text in title)
    description = struct.pack("<4I32s32s", 0xABCD5432, 0, 0, 0, version, project).ljust(256, b"\0")
    program = description + random.Random(chip).randbytes(size_kb << 10)  # noqa: S311
    boot = _program(chip, random.Random(0).randbytes(2048), first_revision)  # noqa: S311
    head = boot.ljust(0x8000 - start, b"\xff") + table
    return head.ljust(0x10000 - start, b"\xff") + _program(chip, program)


def in_flash(chip: str, content: bytes) -> bytes:
    """Return what flash holds with an image in it, from address 0 on."""
    return b"\xff" * offset(chip) + content


def _program(chip: str, content: bytes, first_revision: int = 0) -> bytes:
    definition = CHIP_DEFS[chip.lower()]
    writer = definition.BOOTLOADER_IMAGE()
    address = next(start for start, _, name in definition.MEMORY_MAP if name == "IRAM")
    segment = ImageSegment(address, content)
    segment.name = "text"
    writer.entrypoint, writer.segments = address, [segment]
    writer.min_rev_full, writer.max_rev_full = first_revision, 65535
    return bytes(writer.save(None))


def _partition(kind: int, subtype: int, start: int, size: int, label: bytes) -> bytes:
    return struct.pack("<HBBII16sI", 0x50AA, kind, subtype, start, size, label, 0)
