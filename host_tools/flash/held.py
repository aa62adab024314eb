"""What a chip's flash holds before it is written: nothing, MicroPython, or something else."""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.flash import image
from host_tools.flash.esp import Chip

_MICROPYTHON = "micropython"  # project() in ports/esp32/CMakeLists.txt


@dataclass(frozen=True)
class Held:
    """`title`: project and version of the application, "" if unknown; `table`: partition table."""

    title: str
    table: bytes

    @property
    def is_blank(self) -> bool:
        """Return whether there is nothing."""
        return set(self.table) <= {0xFF}

    @property
    def is_micropython(self) -> bool:
        """Return whether it is MicroPython."""
        return self.title.partition(" ")[0] == _MICROPYTHON

    @property
    def label(self) -> str:
        """Return what to call it in a sentence."""
        return "nothing" if self.is_blank else self.title or "other firmware"


def look(chip: Chip) -> Held:
    """Read it from the chip; 600 bytes, so that it is quick without the stub, too."""
    table = chip.read(image.PARTITION_TABLE, image.TABLE_SIZE)
    application = image.first_application(tuple(image.partitions(table)))
    if application is None:
        return Held("", table)
    description = chip.read(image.description_at(application), image.DESCRIPTION_SIZE)
    return Held(image.title(description), table)
