"""Shows a colour on the first NeoPixel (WS2812) of a pin. Loaded for that."""

import machine
import neopixel
from micropython import const

_WHITE = const("#202020")  # bright enough to be seen, and not felt


def show(gpio: int, on: bool, colour: str) -> None:
    """Light it in `colour`, "#rrggbb" or "" for white, or put it out."""
    digits = (colour or _WHITE) if on else "#000000"
    led = neopixel.NeoPixel(machine.Pin(gpio), 1)
    led[0] = tuple(bytes.fromhex(digits[1:]))
    led.write()
