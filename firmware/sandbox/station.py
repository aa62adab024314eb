"""The network as the link needs it before it connects: an address, and a clock that is right.

A clock before the day the firmware was built is wrong, and TLS is not even tried with it.
"""

import asyncio
import time

from micropython import const

from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Config
    from .log import Log

_OLDEST_BUILD = const(1_767_225_600)  # 2026-01-01


class Station:
    """Wi-Fi and clock. `built` is the Unix time of the firmware's build."""

    def __init__(self, config: "Config", built: int, log: "Log") -> None:
        self._config = config
        self._floor = max(built, _OLDEST_BUILD)
        self._log = log
        self._failures = 0
        self._set_at = time.ticks_ms()
        self.held = False  # True: the link stays down

    async def up(self, trouble: "tuple[str, str] | None" = None) -> None:
        """Return when the board has an address and the time. Raises LinkError saying why not.

        `trouble`: (code, detail) of the link's last failure, for which the clock may be to blame.
        """
        while self.held:
            await asyncio.sleep_ms(200)
        self._failures += 1
        await borrow("wifi").connect(self._config.wifi, self._failures - 1, self._log)
        self._failures = 0
        code = trouble[0] if trouble else ""
        hosts, check = self._config.ntp, borrow("clock").check
        self._set_at = await check(self._floor, self._set_at, code, hosts, self._log)
