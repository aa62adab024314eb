"""Begins a part of the application again that has failed, ever more slowly while it fails at once.
Loaded for that.
"""

import asyncio
import time

from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Awaitable, Callable

    from .app import App

_LONG_S = const(300)
_LAST_PAUSE_S = const(60)


async def begin(app: "App", name: str, run: "Callable[[], Awaitable]") -> None:
    """Begin the part `name`, which is what `run` does, after a pause; reset the board if it has no
    room for it.
    """
    now = time.time()
    before, pause_s = app.failures.get(name, (now, 0))
    pause_s = min(2 * pause_s, _LAST_PAUSE_S) if now - before <= _LONG_S and pause_s else 1
    try:
        app.failures[name] = now, pause_s
        app.log.error("app", "%s failed, it is begun again in %d s", name, pause_s)
    except MemoryError:
        pass  # what matters comes now
    await asyncio.sleep(pause_s)
    try:
        app.begin(name, run)
    except MemoryError:
        app.board.reset()
