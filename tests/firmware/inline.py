"""Imported first by a test that drives coroutines by hand: what would be waited for is done at
once, so that nothing needs an event loop.

Takes the place of `asyncio` for whatever is imported afterwards.
"""

import asyncio
import sys


class _Asyncio:
    def __getattr__(self, name: str):
        return getattr(asyncio, name)

    async def sleep_ms(self, ms: int) -> None:
        pass

    def wait_for_ms(self, awaitable, ms: int):
        return awaitable


sys.modules["asyncio"] = _Asyncio()
