"""Imported first by a test that waits: the firmware's clock and time-outs run 20 times as fast.

Takes the places of `time` and `asyncio` for whatever is imported afterwards.
"""

import asyncio
import sys
import time

FACTOR = 20


class _Time:
    def __getattr__(self, name: str):
        return getattr(time, name)

    def ticks_ms(self) -> int:
        return time.ticks_ms() * FACTOR


class _Asyncio:
    def __getattr__(self, name: str):
        return getattr(asyncio, name)

    def sleep(self, seconds: float):
        return asyncio.sleep_ms(int(1000 * seconds) // FACTOR)

    def sleep_ms(self, ms: int):
        return asyncio.sleep_ms(ms // FACTOR)

    def wait_for(self, awaitable, seconds: "float | None"):
        if seconds is None:
            return awaitable
        return asyncio.wait_for_ms(awaitable, int(1000 * seconds) // FACTOR)

    def wait_for_ms(self, awaitable, ms: int):
        return asyncio.wait_for_ms(awaitable, ms // FACTOR)


sys.modules["time"] = _Time()
sys.modules["asyncio"] = _Asyncio()
