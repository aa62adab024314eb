"""Imported by a test that needs the board's file system: a LittleFS in memory becomes `/`, and the
host's files are under /host.
"""

import os
import sys

import vfs

_BLOCK = 512
_COUNT, _SIZE, _ERASE = 4, 5, 6  # ioctl operations of vfs.AbstractBlockDev


class Flash:
    """A block device that loses what is written after a power cut, or after it is full."""

    def __init__(self, blocks: int = 48) -> None:
        self.data = bytearray(_BLOCK * blocks)
        self.operations = 0
        self._last: "int | None" = None
        self._full = False
        vfs.VfsLfs2.mkfs(self)

    def simulate_power_cut(self, at: int, write, *args) -> None:
        """Call `write(*args)`, let `at` of its writes and erases happen, and no other; start
        again.
        """
        self._last = self.operations + at
        try:
            write(*args)
        except OSError:
            pass  # a real board has no time for it
        self.mount()

    def simulate_full(self, full: bool = True) -> None:
        """Refuse to be written to: the driver reports OSError."""
        self._full = full

    def mount(self) -> None:
        """Become `/`, as after a reset."""
        vfs.umount("/")
        self._last = None
        vfs.mount(vfs.VfsLfs2(self), "/")

    def readblocks(self, block: int, buffer, offset: int = 0) -> None:
        start = block * _BLOCK + offset
        buffer[:] = memoryview(self.data)[start : start + len(buffer)]

    def writeblocks(self, block: int, buffer, offset: int = 0) -> "int | None":
        return self._alter(block * _BLOCK + offset, buffer)

    def ioctl(self, operation: int, argument: int) -> "int | None":
        if operation == _COUNT:
            return len(self.data) // _BLOCK
        if operation == _SIZE:
            return _BLOCK
        return self._alter(argument * _BLOCK, b"\xff" * _BLOCK) if operation == _ERASE else 0

    def _alter(self, start: int, data) -> int:
        if self._full:
            return -28  # ENOSPC
        self.operations += 1
        if self._last is not None and self.operations > self._last:
            return -5  # EIO
        self.data[start : start + len(data)] = data
        return 0


def _take_root() -> Flash:
    flash = Flash()
    flash.mount()
    vfs.mount(vfs.VfsPosix("/"), "/host")
    sys.path[:] = [path if path == ".frozen" else "/host" + path for path in sys.path]
    os.chdir("/")
    return flash


root = _take_root()
