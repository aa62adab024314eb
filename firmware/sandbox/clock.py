"""Sets the clock, without which no certificate can be verified: an ESP32 wakes in the year 2000.
Loaded while that is done.
"""

import asyncio

import ntptime
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .log import Log

_BREATH_MS = const(50)


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
