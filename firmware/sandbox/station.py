"""The network as the link needs it before it connects: an address, and a clock that is right.

A clock before the day the firmware was built is wrong, and TLS is not even tried with it.
"""

import asyncio
import time

import network
from micropython import const

from .errors import LinkError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Config
    from .log import Log

_2000 = const(946_684_800)  # Unix time of the ESP32 port's epoch, 2000-01-01
_OLDEST_BUILD = const(1_767_225_600)  # 2026-01-01
_RESYNC_MS = const(86_400_000)


class Station:
    """Wi-Fi and clock. `built` is the Unix time of the firmware's build."""

    def __init__(self, config: "Config", built: int, log: "Log") -> None:
        self._config = config
        self._floor = max(built, _OLDEST_BUILD)
        self._log = log
        self._station = network.WLAN(network.STA_IF)
        self._failures = 0
        self._set_at = time.ticks_ms()
        self.held = False  # True: the link stays down

    async def up(self) -> None:
        """Return when the board has an address and the time. Raises LinkError saying why not."""
        while self.held:
            await asyncio.sleep_ms(200)
        if not self._station.isconnected():
            self._failures += 1
            await borrow("wifi").connect(self._config.wifi, self._failures - 1, self._log)
        self._failures = 0
        aged = time.ticks_diff(time.ticks_ms(), self._set_at) > _RESYNC_MS
        if aged or not self._is_plausible():
            answered = await borrow("clock").set_from(self._config.ntp, self._log)
            if not answered and not self._is_plausible():
                raise LinkError("CLOCK_NOT_SET", "it says %04d-%02d-%02d" % time.gmtime()[:3])
            self._set_at = time.ticks_ms()  # asking may block, so not at every attempt

    def _is_plausible(self) -> bool:
        epoch = _2000 if time.gmtime(0)[0] == 2000 else 0
        return time.time() + epoch >= self._floor
