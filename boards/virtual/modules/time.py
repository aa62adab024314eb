"""`time` as an ESP32 has it: epoch 2000, whole seconds, the board's own clock instead of the
host's.
"""

import _hw
import utime
from utime import *

_TO_2000 = 946684800  # seconds from 1970 to 2000


def time() -> int:
    """Return seconds since 2000-01-01 by the board's clock (ports/esp32/modtime.c)."""
    return _hw.rtc.now_us() // 1000000


def time_ns() -> int:
    return _hw.rtc.now_us() * 1000


def gmtime(seconds: int | None = None) -> tuple:
    """Return (year, month, day, hour, minute, second, weekday, yearday)."""
    return utime.gmtime((time() if seconds is None else int(seconds)) + _TO_2000)[:8]


localtime = gmtime  # no time zones on ESP32


def mktime(moment) -> int:
    """Return the seconds since 2000 of an 8-tuple; reads it as UTC."""
    year, month, day, hour, minute, second = moment[:6]
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    days = (
        _days_before(year)
        + _DAYS[month - 1]
        + (month > 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    )
    return (days + day - 1) * 86400 + hour * 3600 + minute * 60 + second


_DAYS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def _days_before(year: int) -> int:
    # days from 2000-01-01 to the year's first day
    past = year - 1
    return (
        (year - 2000) * 365
        + (past // 4 - past // 100 + past // 400)
        - (1999 // 4 - 1999 // 100 + 1999 // 400)
    )
