"""`machine.RTC` and `machine.WDT`, after ports/esp32/machine_rtc.c and machine_wdt.c."""

import time

import _hw
import utime


class RTC:
    """The real-time clock; a singleton in effect, its state is the board's."""

    def __init__(self) -> None:
        pass

    def datetime(self, moment=None):
        """Return or set (year, month, day, weekday, hour, minute, second, microsecond)."""
        if moment is None:
            now_us = _hw.rtc.now_us()
            year, month, day, hour, minute, second, weekday, _ = time.gmtime(now_us // 1000000)
            return (year, month, day, weekday, hour, minute, second, now_us % 1000000)
        if len(moment) != 8:
            raise ValueError("requested length 8 but object has length %d" % len(moment))
        year, month, day, _, hour, minute, second, us = moment
        _hw.rtc.set_us(time.mktime((year, month, day, hour, minute, second, 0, 0)) * 1000000 + us)

    init = datetime

    def memory(self, data=None):
        """Return or set the user memory, at most 2048 bytes; lost only with the power
        (RTC_NOINIT_ATTR, MicroPython 1.22 on).
        """
        if data is None:
            return _hw.rtc.memory
        data = bytes(data)
        if len(data) > _hw.rtc.MEMORY_SIZE:
            raise ValueError("buffer too long")
        _hw.rtc.set_memory(data)


class WDT:
    """The task watchdog: unless fed in time, the supervisor kills this process and the board
    starts anew.

    It survives a soft reset and is reconfigured by constructing it again, both as on ESP32.
    """

    _feed_gap_ms = 0
    _fed_ms = 0

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        if id != 0:
            raise ValueError
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        WDT._feed_gap_ms = min(
            timeout // 16, 50
        )  # feeding in a tight loop must not flood the pipe
        WDT._fed_ms = utime.ticks_ms()
        _hw.tell("wdt %d" % timeout)

    def feed(self) -> None:
        now_ms = utime.ticks_ms()
        if utime.ticks_diff(now_ms, WDT._fed_ms) >= WDT._feed_gap_ms:
            WDT._fed_ms = now_ms
            _hw.tell("feed")
