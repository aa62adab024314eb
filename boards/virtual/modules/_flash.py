"""The `vfs` partition of the flash chip as a block device over the host file `flash.img`.

2 MB of a 4 MB chip in blocks of 4096 bytes, as on ESP32_GENERIC (ports/esp32/partitions-4MiB.csv).
Written through: what a write returned from is in the file whatever happens to this process.
Writes and erases are counted in `flash.ops` over the whole life of the flash, so that a power cut
can be placed exactly at the Nth (fault `flash_cut`: {"at": N, "torn": bool}). Fault `flash_full`:
they fail.
"""

import struct

import _hw

BLOCK = 4096
_ENOSPC = 28
_COUNT, _SIZE, _ERASE = 4, 5, 6  # ioctl operations of vfs.AbstractBlockDev
_ERASED = b"\xff" * BLOCK  # made here, since erasing takes none of the board's heap


class Flash:
    """Block device, extended interface (readblocks and writeblocks with an offset)."""

    def __init__(self) -> None:
        self._image = _hw.host.open("/flash.img", "r+b")
        self._count = self._image.seek(0, 2) // BLOCK
        self._counter = _hw.host.open("/flash.ops", "r+b")
        self._operations = struct.unpack("<q", self._counter.read(8))[0]

    def readblocks(self, block: int, buffer, offset: int = 0) -> None:
        self._image.seek(block * BLOCK + offset)
        self._image.readinto(buffer)

    def writeblocks(self, block: int, buffer, offset: int | None = None) -> int:
        return self._alter(block * BLOCK + (offset or 0), buffer)

    def ioctl(self, operation: int, argument: int) -> int | None:
        if operation == _COUNT:
            return self._count
        if operation == _SIZE:
            return BLOCK
        if operation == _ERASE:
            return self._alter(argument * BLOCK, _ERASED)
        return 0

    def _alter(self, position: int, data) -> int:
        if _hw.fault("flash_full"):
            return -_ENOSPC
        self._operations += 1
        cut = _hw.fault("flash_cut")
        self._image.seek(position)
        if cut and cut["at"] == self._operations:
            self._count_up()
            if cut["torn"]:
                self._image.write(memoryview(data)[: len(data) // 2])
            _hw.reset("power")
        self._image.write(data)
        self._count_up()
        return 0

    def _count_up(self) -> None:
        self._counter.seek(0)
        self._counter.write(struct.pack("<q", self._operations))
