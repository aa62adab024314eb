"""`ntptime`, as micropython-lib has it, but the answer is the host's clock and no packet is sent.

Fault `ntp`: "unreachable" (the request times out after `timeout` s), or a number of seconds to be
wrong by.
"""

import errno

import _hw
import network
import utime

host = "pool.ntp.org"
timeout = 1
_TO_2000 = 946684800


def time() -> int:
    """Return seconds since 2000. Raises OSError(-202) without Wi-Fi, ETIMEDOUT without an
    answer. Blocks.
    """
    if not network.is_up():
        raise OSError(-202)
    fault = _hw.fault("ntp")
    if fault == "unreachable":
        utime.sleep(timeout)
        raise OSError(errno.ETIMEDOUT)
    return utime.time_ns() // 1000000000 - _TO_2000 + int(fault or 0)


def settime() -> None:
    """Set the board's clock."""
    _hw.rtc.set_us(time() * 1000000)
