"""Looking into images: chip, wholeness, room."""

from __future__ import annotations

import pytest

from host_tools.errors import ToolError
from host_tools.flash import image
from tests.host import flash_bench
from tests.host.flash_bench import CHIPS


def refusal(data: bytes, chip: str = "ESP32C3") -> str:
    with pytest.raises(ToolError) as caught:
        image.check("fw.bin", data, chip)
    assert "fw.bin" in caught.value.message and caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("chip", CHIPS)
def test_a_good_image(chip):
    made = image.check("fw.bin", flash_bench.image(chip), chip)
    assert made.offset == flash_bench.offset(chip)
    assert made.title == "micropython v1.28.0"
    assert [each.label for each in made.partitions] == ["nvs", "phy_init", "factory"]
    assert made.end == 0x200000
    assert made.table[:2] == b"\xaa\x50" and len(made.table) == image.TABLE_SIZE


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("other", CHIPS)
def test_an_image_for_another_chip(chip, other):
    if chip != other:
        data = flash_bench.image(other, size_kb=1)
        assert f"made for {other}, the board has {chip}" in refusal(data, chip)


def test_an_image_for_a_chip_that_nobody_knows():
    data = bytearray(flash_bench.image("ESP32C3", size_kb=1))
    data[12:14] = b"\xfe\x00"
    assert "an unknown chip (number 254)" in refusal(bytes(data))


def test_an_application_for_another_chip_behind_the_right_boot_loader():
    boot, program = (flash_bench.image(chip, size_kb=1) for chip in ("ESP32C3", "ESP32C6"))
    assert "made for ESP32C6" in refusal(boot[:0x10000] + program[0x10000:])


def test_an_application_alone():
    assert "no boot loader" in refusal(flash_bench.image("ESP32C3")[0x10000:])


def test_no_image():
    assert "is empty" in refusal(b"")
    assert "no firmware for an ESP32" in refusal(b"UF2\n" + bytes(1000))
    assert "a web page" in refusal(b"\n<!DOCTYPE html><html>")


@pytest.mark.parametrize("chip", ["ESP32", "ESP32C6"])
def test_a_truncated_image_wherever_it_was_cut(chip):
    data = flash_bench.image(chip, size_kb=4)
    ends = [*range(1, 64, 3), *range(len(data) - 60, len(data))]
    for length in [*ends, *range(64, len(data), 997)]:
        refusal(data[:length], chip)
    assert image.check("fw.bin", data, chip)


def test_a_damaged_image_wherever_a_bit_has_changed():
    good = flash_bench.image("ESP32C3", size_kb=1)
    for place in [*range(4, 2100, 233), *range(0x10002, len(good), 131)]:
        data = bytearray(good)
        data[place] ^= 0x40
        refusal(bytes(data))


def test_what_an_image_says_of_itself_is_shown_as_plain_text():
    data = flash_bench.image("ESP32", title=("evil\x1b[2J", "v1\n2"), size_kb=1)
    assert image.check("fw.bin", data, "ESP32").title == "evil?[2J v1?2"


def test_a_program_without_a_description_has_no_title():
    assert image.title(b"") == image.title(bytes(200)) == ""


def test_no_partition_table():
    assert list(image.partitions(b"\xff" * 512)) == list(image.partitions(b"\xaa\x50")) == []
    assert image.first_application(()) is None
