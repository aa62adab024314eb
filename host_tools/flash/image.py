"""Looks into a MicroPython image: which chip it is for, whether it is whole, what room it needs.

An image for an ESP32 is what lies in its flash from the boot loader on: boot loader, partition
table at 0x8000, NVS and PHY data (0xff), application. MicroPython ports/esp32/makeimg.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from esptool.bin_image import LoadFirmwareImage
from esptool.targets import CHIP_DEFS
from esptool.util import FatalError

from host_tools.errors import ToolError

PARTITION_TABLE = 0x8000  # where all of MicroPython's and ESP-IDF's builds have it
TABLE_SIZE = 0x200  # 16 entries; MicroPython's tables have up to 6
DESCRIPTION_SIZE = 112

_ENTRY = struct.Struct("<HBBII16sI")  # ESP-IDF: magic, type, subtype, offset, size, label, flags
_ENTRY_MAGIC = 0x50AA
_APPLICATION = 0  # type of a partition
_IMAGE_MAGIC = 0xE9
_HEADER_SIZE = 24

# esp_app_desc_t, the first thing in an application's first segment: magic, secure version, two
# reserved words, version, project name. ESP-IDF, "App Image Format".
_DESCRIPTION = struct.Struct("<4I32s32s")
_DESCRIPTION_MAGIC = 0xABCD5432
_DESCRIPTION_AT = _HEADER_SIZE + 8  # image header and head of the first segment

_DOWNLOAD_AGAIN = "download it again, or leave --firmware away to have that done"


class Partition(NamedTuple):
    """An entry of the partition table; `offset` and `size` in bytes."""

    type: int
    label: str
    offset: int
    size: int


@dataclass(frozen=True)
class Image:
    """A checked image.

    `title`: project and version, "micropython v1.28.0" for instance, or ""; `revisions`: first and
    last revision of the chip that it runs on, 301 for v3.1.
    """

    name: str
    data: bytes
    offset: int
    title: str
    partitions: tuple[Partition, ...]
    revisions: tuple[int, int]

    @property
    def end(self) -> int:
        """Return how many bytes of flash it needs."""
        ends = [partition.offset + partition.size for partition in self.partitions]
        return max(self.offset + len(self.data), *ends)

    @property
    def table(self) -> bytes:
        """Return the partition table, as it will lie in flash."""
        begin = PARTITION_TABLE - self.offset
        return self.data[begin : begin + TABLE_SIZE]


def check(name: str, data: bytes, chip: str) -> Image:
    """Return the image for a chip, "ESP32C3" for instance. Raises ToolError if it is none, made
    for another chip, has no boot loader, is damaged or was cut short.
    """
    _check_header(name, data, chip)
    begin = offset(chip)
    found = tuple(partitions(data[PARTITION_TABLE - begin :][:TABLE_SIZE]))
    application = first_application(found)
    if application is None:
        raise ToolError(
            f"{name} holds no boot loader and partition table",
            "the .bin file of the download page, not the .app-bin",
        )
    _check_whole(name, data, chip)
    program = data[application - begin :]
    if len(program) < _HEADER_SIZE:
        raise ToolError(f"{name} was cut short: {len(data)} bytes", _DOWNLOAD_AGAIN)
    _check_header(name, program, chip)
    _check_whole(name, program, chip)
    return Image(name, data, begin, title(program[_DESCRIPTION_AT:]), found, _revisions(data))


def offset(chip: str) -> int:
    """Return where in flash a chip's image begins, by esptool's own table."""
    return int(CHIP_DEFS[chip.lower()].BOOTLOADER_FLASH_OFFSET)


def partitions(table: bytes) -> Iterator[Partition]:
    """Yield the entries of a partition table, none if it is not one."""
    for begin in range(0, len(table) - _ENTRY.size + 1, _ENTRY.size):
        magic, kind, _, offset, size, label, _ = _ENTRY.unpack_from(table, begin)
        if magic != _ENTRY_MAGIC:
            return
        yield Partition(kind, _text(label), offset, size)


def first_application(found: tuple[Partition, ...]) -> int | None:
    """Return where the first application lies in flash, None if there is none."""
    return next((each.offset for each in found if each.type == _APPLICATION), None)


def description_at(application: int) -> int:
    """Return where in flash an application's description lies."""
    return application + _DESCRIPTION_AT


def title(description: bytes) -> str:
    """Return project and version of an application's description, "" if it is none."""
    if len(description) < _DESCRIPTION.size:
        return ""
    magic, _, _, _, version, project = _DESCRIPTION.unpack_from(description)
    return f"{_text(project)} {_text(version)}".strip() if magic == _DESCRIPTION_MAGIC else ""


def _text(field: bytes) -> str:
    # What a damaged image says is shown to people: printable ASCII only.
    text = field.partition(b"\0")[0].decode("ascii", "replace")
    return "".join(char if char.isprintable() and char.isascii() else "?" for char in text)


def _check_header(name: str, data: bytes, chip: str) -> None:
    if data[:1] != bytes([_IMAGE_MAGIC]):
        what = "a web page" if data.lstrip()[:1] == b"<" else "no firmware for an ESP32"
        raise ToolError(f"{name} is {what}" if data else f"{name} is empty", _DOWNLOAD_AGAIN)
    if len(data) < _HEADER_SIZE:
        raise ToolError(f"{name} was cut short: {len(data)} bytes", _DOWNLOAD_AGAIN)
    (chip_id,) = struct.unpack_from("<H", data, 12)  # esp_image_header_t.chip_id
    if chip_id != CHIP_DEFS[chip.lower()].IMAGE_CHIP_ID:
        raise ToolError(
            f"{name} is made for {_chip_name(chip_id)}, the board has {chip}",
            f"a build for {chip}; leave --firmware away to have it chosen",
        )


def _chip_name(chip_id: int) -> str:
    for definition in CHIP_DEFS.values():
        if chip_id == definition.IMAGE_CHIP_ID:
            return str(definition.CHIP_NAME).replace("-", "")
    return f"an unknown chip (number {chip_id})"


def _revisions(data: bytes) -> tuple[int, int]:
    # esp_image_header_t.min_chip_rev_full and max_chip_rev_full; before ESP-IDF 4.4.3 both are 0
    first, last = struct.unpack_from("<HH", data, 15)
    return first, last or 0xFFFF


def _check_whole(name: str, data: bytes, chip: str) -> None:
    try:
        parsed = LoadFirmwareImage(chip, data)
        damaged = not _sums_agree(parsed)
    except (FatalError, struct.error, RuntimeError, TypeError) as error:
        # TypeError: esptool takes ord() of the checksum that is not there
        raise ToolError(f"{name} is damaged or was cut short", _DOWNLOAD_AGAIN) from error
    if damaged:
        raise ToolError(f"{name} is damaged: its checksum does not agree", _DOWNLOAD_AGAIN)


def _sums_agree(parsed: Any) -> bool:
    if parsed.append_digest:
        return bool(parsed.stored_digest == parsed.calc_digest)
    return bool(parsed.checksum == parsed.calculate_checksum())
