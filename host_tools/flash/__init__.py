"""Puts MicroPython on a board, from a blank chip on.

`firmware` finds the image for a build: a file, the cache, micropython.org. `image` looks into it.
`esp` talks to the chip's boot loader, and with `image` is the only importer of esptool. `held`
tells what is on the chip. `flash` does it all.
"""

from host_tools.flash.firmware import DEFAULT_VERSION, NEWEST
from host_tools.flash.flash import DEFAULT_BAUD, Flashed, Options, flash

__all__ = ["DEFAULT_BAUD", "DEFAULT_VERSION", "NEWEST", "Flashed", "Options", "flash"]
