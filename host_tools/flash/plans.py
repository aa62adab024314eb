"""What is going to be done to a board, and whether it may."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from host_tools import boards
from host_tools.boards import BoardDefinition
from host_tools.errors import ToolError
from host_tools.flash import image
from host_tools.flash.esp import Chip
from host_tools.flash.firmware import Firmware
from host_tools.flash.held import Held
from host_tools.flash.image import Image


class Plan(NamedTuple):
    """What to write to which chip. `image` is None in a dry run that would have to download it."""

    port: str
    chip: Chip
    definition: BoardDefinition
    firmware: Firmware
    image: Image | None
    held: Held
    erase: bool

    def lines(self) -> list[str]:
        """Return the plan in words, with what will be lost."""
        new = (self.image and self.image.title) or self.firmware.name
        first = f"plan: {new} for {self.definition.name}; it holds {self.held.label} now"
        if self.erase:
            return [first, "  all of its flash is erased first: files, keys, settings, everything"]
        lines = [
            first,
            "  its files are kept, but not its settings in NVS, which the image covers",
        ]
        if self.image and self.held.table != self.image.table:
            lines.append("  its partition table changes: if files are missing then, --erase")
        return lines

    def commands(self, baud: int) -> list[list[str]]:
        """Return the esptool commands that do the same."""
        chip = self.chip
        tool = ["esptool", "--chip", chip.name.lower(), "--port", self.port, "--baud", str(baud)]
        tool += [] if chip.stub else ["--no-stub"]
        erase = ["erase-flash"] if chip.stub else ["erase-region", "0", hex(chip.flash_size)]
        write = ["write-flash", hex(image.offset(chip.name)), self.firmware.origin]
        return [[*tool, *erase], [*tool, *write]] if self.erase else [[*tool, *write]]


def check_board(definition: BoardDefinition, chip: Chip) -> None:
    """Raise ToolError if the definition is of a board with another chip."""
    if definition.chip != chip.name:
        raise ToolError(
            f"{definition.name} is a board with {definition.chip}, this one has {chip.name}",
            f"--definition {boards.of_chip(chip.name, chip.psram).name}, or leave it away",
        )


def check_room(made: Image, chip: Chip) -> None:
    """Raise ToolError if the flash is too small for the image and its partitions."""
    if made.end > chip.flash_size:
        raise ToolError(
            f"{made.name} needs {_mb(made.end)} of flash, the board has {_mb(chip.flash_size)}",
            "a build for a smaller flash, or another board",
        )


def check_revision(made: Image, chip: Chip) -> None:
    """Raise ToolError if the image is not for this revision of the chip."""
    first, last = made.revisions
    if not first <= chip.revision <= last:
        limit = f"{_revision(first)} or newer" if chip.revision < first else "an older one"
        raise ToolError(
            f"{made.name} needs {limit} of {chip.name}, this one is {_revision(chip.revision)}",
            "an older build of MicroPython (--version), or another board",
        )


def decide_erase(held: Held, ask: Callable[[str], bool] | None) -> bool:
    """Return whether to erase all of the flash first, as a first install should.

    Blank: yes. MicroPython: no, it keeps its files. Else: ask; ToolError if nobody can be asked.
    """
    if held.is_blank or held.is_micropython:
        return held.is_blank
    if ask:
        return ask(f"The board holds {held.label}. Erase all of its flash first?")
    raise ToolError(
        f"the board holds {held.label}: erase it all first, as a first install should?",
        "--erase, or --no-erase to write over it",
    )


def _revision(number: int) -> str:
    return f"revision v{number // 100}.{number % 100}"


def _mb(size: int) -> str:
    return f"{size / (1 << 20):.3g} MB"
