"""The application on flash, read from a flash image."""

from __future__ import annotations

import os
from collections.abc import Callable

from littlefs import LittleFS

from tests.benchmarks import sizes
from tests.benchmarks.figures import number, verdict
from tests.benchmarks.table import Table
from tests.device_fixture import BLOCK, Device, put
from tests.firmware import budgets


def bench_flash(make_device: Callable[..., Device], table: Table) -> None:
    device = make_device(deployed=False)
    put(device)
    device.board.stop()
    compiled, blocks = _read(device.board.files.flash.read_bytes())
    found = sizes.measure()
    totals = found["totals"]
    largest = sorted(found["modules"], key=lambda name: -found["modules"][name]["mpy"])[:5]
    table.add(
        "the application on flash, .mpy",
        f"{number(compiled / 1024)} KB; with its texts {number(totals['flash'] / 1024)} KB; the "
        f"file system uses {blocks * BLOCK // 1024} KB for everything",
        beside="largest: "
        + ", ".join(f"{name[8:]} {found['modules'][name]['mpy']}" for name in largest),
        target=verdict(compiled, budgets.FLASH_TARGET),
        exact={"flash_mpy": compiled, "flash_blocks": blocks},
    )


def _read(image: bytes) -> tuple[int, int]:
    # bytes of /sandbox/**.mpy, and blocks in use
    flash = LittleFS(block_size=BLOCK, block_count=len(image) // BLOCK, mount=False)
    flash.context.buffer = bytearray(image)
    flash.mount()
    compiled = sum(
        flash.stat(os.path.join(folder, name)).size  # noqa: PTH118  (a path on the board)
        for folder, _, names in flash.walk("/sandbox")
        for name in names
        if name.endswith(".mpy")
    )
    return compiled, flash.used_block_count
