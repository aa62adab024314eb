"""Starts the real application and looks at it while there is nothing to do. Takes main.py's place.

Finds {"wakes": turns of the loop that waited, in each window, "allocated": bytes in each, "heap":
bytes in use behind each, "window_s"}.
"""

import gc

gc.threshold(4096)  # as main.py

import asyncio
import json
from asyncio import core

import _hw
from sandbox import app

_WINDOWS = 3
_WINDOW_S = 3
_SETTLE_S = 2


class _Queue:
    # asyncio's: counts how often the loop waits
    def __init__(self, queue):
        self.wakes = 0
        self._queue = queue

    def __getattr__(self, name):
        return getattr(self._queue, name)

    def wait_io_event(self, wait_ms):
        self._queue.wait_io_event(wait_ms)
        if wait_ms:
            self.wakes += 1


async def _watch():
    await asyncio.sleep(_SETTLE_S)
    found = {"wakes": [], "allocated": [], "heap": [], "window_s": _WINDOW_S}
    for _ in range(_WINDOWS):
        gc.collect()
        found["heap"].append(gc.mem_alloc())
        gc.disable()
        wakes, heap = queue.wakes, gc.mem_alloc()
        await asyncio.sleep(_WINDOW_S)
        found["allocated"].append(gc.mem_alloc() - heap)
        found["wakes"].append(queue.wakes - wakes - 1)  # its own
        gc.enable()
    gc.collect()
    found["heap"].append(gc.mem_alloc())
    with _hw.host.open("/bench.json", "w") as file:
        file.write(json.dumps(found))


queue = core._io_queue = _Queue(core._io_queue)
run = app.App.run


async def _run(self):
    asyncio.create_task(_watch())
    await run(self)


app.App.run = _run
app.run()
