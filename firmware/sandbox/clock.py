"""Checks and sets the clock, without which no certificate can be verified: an ESP32 wakes in the
year 2000. Loaded while that is done.
"""

import asyncio
import time

import ntptime
from micropython import const

from .errors import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .log import Log

_BREATH_MS = const(50)
_RESYNC_MS = const(86_400_000)
_DOUBTED_MS = const(60_000)
_DOUBTS = ("TLS_EXPIRED", "TLS_CLOCK_BEHIND")
_2000 = const(946_684_800)  # Unix time of the ESP32 port's epoch, 2000-01-01


async def check(floor: int, set_at: "Any", trouble: str, hosts: list[str], log: "Log") -> "Any":
    """Set the clock if that was, by ticks, a day ago, a minute if `trouble` is a code that says
    that it may be wrong, or if it is before `floor`, in Unix time; return when it was set. Raises
    LinkError when it is before `floor` and no host answers.
    """
    patience_ms = _DOUBTED_MS if trouble in _DOUBTS else _RESYNC_MS
    # an ESP32's ticks wrap after 12 days: less than nothing is more than six
    aged = not 0 <= time.ticks_diff(time.ticks_ms(), set_at) <= patience_ms
    if not aged and _is_after(floor):
        return set_at
    if not await set_from(hosts, log) and not _is_after(floor):
        raise LinkError("CLOCK_NOT_SET", "it says %04d-%02d-%02d" % time.gmtime()[:3])
    return time.ticks_ms()  # asking may block, so not at every attempt


async def set_from(hosts: list[str], log: "Log") -> bool:
    """Set the clock by the first NTP host that answers; return whether one did.

    Each blocks for a DNS look-up, on an ESP32 without Internet for some ten seconds a DNS server,
    and at most a second more (ntptime.timeout). Between them the watchdog is fed.
    """
    for host in hosts:
        await asyncio.sleep_ms(_BREATH_MS)
        ntptime.host = host
        try:
            ntptime.settime()
            log.info("clock", "set by %s", host)
            return True
        except (OSError, OverflowError) as error:
            log.warning("clock", "%s did not answer: %s", host, error)
    return False


def _is_after(floor: int) -> bool:
    epoch = _2000 if time.gmtime(0)[0] == 2000 else 0
    return time.time() + epoch >= floor
