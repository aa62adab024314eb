"""Imported first by a test of hours: the firmware's time leaps over every wait.

Takes the places of `time` and `asyncio` for whatever is imported afterwards. `now_ms` is the
firmware's time; a wait lets it leap, and costs nothing.
"""

import asyncio
import sys
import time

now_ms = 0


class _Time:
    def __getattr__(self, name: str):
        return getattr(time, name)

    def ticks_ms(self) -> int:
        return now_ms


class _Asyncio:
    def __getattr__(self, name: str):
        return getattr(asyncio, name)

    async def sleep_ms(self, ms: int) -> None:
        global now_ms
        now_ms += ms
        await asyncio.sleep_ms(0)

    async def sleep(self, seconds: float) -> None:
        await self.sleep_ms(int(1000 * seconds))


sys.modules["time"] = _Time()
sys.modules["asyncio"] = _Asyncio()
