"""`machine` as ports/esp32 has it: pins, analogue, watchdog, clock, resets. One `_machine_*` file
per group.

Absent, not faked: Timer, UART, I2C, SPI, I2S, SDCard, TouchPad, DAC, Pin.irq.
"""

import _hw
import utime
from _machine_analog import ADC, PWM
from _machine_pin import Pin, Signal, bitstream
from _machine_rtc import RTC, WDT
from umachine import idle, mem8, mem16, mem32

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5  # modmachine.c

_FREQUENCIES = (20, 40, 80, 160, 240)
_freq = 160000000  # the default of ESP32_GENERIC


def reset() -> None:
    """Restart the chip (esp_restart). Never returns. Pins keep their levels, RTC and RTC
    memory live on.
    """
    _hw.reset("hard")


def soft_reset() -> None:
    """Restart MicroPython: raises SystemExit (extmod/modmachine.c)."""
    raise SystemExit


def reset_cause() -> int:
    return _hw.reset_cause


def unique_id() -> bytes:
    """Return the six bytes of the base MAC address."""
    return _hw.unique_id


def freq(hz: int | None = None) -> int | None:
    """Return or set the CPU's frequency in Hz."""
    global _freq
    if hz is None:
        return _freq
    if hz not in [mhz * 1000000 for mhz in _FREQUENCIES]:
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _freq = hz


def disable_irq() -> int:
    return 0


def enable_irq(state: int) -> None:
    pass


def lightsleep(ms: int = 0) -> None:
    utime.sleep_ms(ms)


def deepsleep(ms: int | None = None) -> None:
    """Sleep, then start anew with cause DEEPSLEEP; without `ms` sleep until reset or power cut."""
    while ms is None:
        utime.sleep(60)
    utime.sleep_ms(ms)
    _hw.reset("deepsleep")
