"""Sets the clock, without which no certificate can be verified: an ESP32 wakes in the year 2000.
Loaded while that is done.
"""

import ntptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .log import Log


def set_from(hosts: list[str], log: "Log") -> bool:
    """Set the clock by the first NTP host that answers; return whether one did.

    Each blocks for a DNS look-up and at most a second (ntptime.timeout).
    """
    for host in hosts:
        ntptime.host = host
        try:
            ntptime.settime()
            log.info("clock", "set by %s", host)
            return True
        except (OSError, OverflowError) as error:
            log.warning("clock", "%s did not answer: %s", host, error)
    return False
