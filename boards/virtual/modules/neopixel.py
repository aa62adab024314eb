"""`neopixel.NeoPixel`, the interface of micropython-lib's driver; write() ends in
machine.bitstream.
"""

from machine import bitstream

_ORDER = (1, 0, 2, 3)  # the wire carries green, red, blue, white


class NeoPixel:
    """A chain of `n` WS2812 LEDs, colours as (r, g, b) or (r, g, b, w)."""

    ORDER = _ORDER

    def __init__(self, pin, n: int, bpp: int = 3, timing: int | tuple = 1) -> None:
        self.pin, self.n, self.bpp = pin, n, bpp
        self.buf = bytearray(n * bpp)
        self.timing = timing
        pin.init(pin.OUT)

    def __len__(self) -> int:
        return self.n

    def __setitem__(self, index: int, colour) -> None:
        for channel in range(self.bpp):
            self.buf[index * self.bpp + self.ORDER[channel]] = colour[channel]

    def __getitem__(self, index: int) -> tuple:
        return tuple(
            self.buf[index * self.bpp + self.ORDER[channel]] for channel in range(self.bpp)
        )

    def fill(self, colour) -> None:
        for index in range(self.n):
            self[index] = colour

    def write(self) -> None:
        bitstream(self.pin, 0, self.timing, self.buf)
