"""Board definitions: boards/*.toml, and those of one's own."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from esptool.targets import CHIP_DEFS

from host_tools import boards, paths
from host_tools.errors import ToolError

GOOD = 'name = "b"\nchip = "ESP32"\nbuild = "ESP32_GENERIC"\ndescription = "d"\n'
REAL = [name for name in boards.names() if name != "virtual"]

# What each chip uses for itself: strapping, flash and PSRAM, USB or console, input only.
# Two lists made independently of boards/: this one from facts read in ESP-IDF's GPIO summaries,
# `_chips` of the virtual board from MicroPython's machine_pin.h.
TAKEN = {
    "ESP32": [0, 2, 5, 12, 15, *range(6, 12), 1, 3, *range(34, 40)],
    "ESP32S2": [0, 45, 46, *range(26, 33), 19, 20, 43, 44],
    "ESP32S3": [0, 3, 45, 46, *range(26, 33), 19, 20, 43, 44],
    "ESP32C3": [2, 8, 9, *range(12, 18), 18, 19, 20, 21],
    "ESP32C6": [4, 5, 8, 9, 15, *range(24, 31), 12, 13, 16, 17],
}
# MicroPython's download pages: where the firmware goes
OFFSETS = {"ESP32": 0x1000, "ESP32S2": 0x1000, "ESP32S3": 0, "ESP32C3": 0, "ESP32C6": 0}


def write(folder: Path, text: str, name: str = "b.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ToolError) as caught:
        boards.read(path)
    assert str(path) in caught.value.message and "README" in caught.value.hint
    return caught.value.message


def chips() -> Any:
    path = paths.BOARDS / "virtual" / "modules" / "_chips.py"
    spec = importlib.util.spec_from_file_location("_chips", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_a_board_for_each_chip_and_each_kind_of_psram():
    assert REAL == [
        "esp32_generic",
        "esp32_generic-spiram",
        "esp32_generic_c3",
        "esp32_generic_c6",
        "esp32_generic_s2",
        "esp32_generic_s3",
        "esp32_generic_s3-spiram_oct",
    ]


@pytest.mark.parametrize("name", boards.names())
def test_a_board_is_found_by_the_name_of_its_micropython_build(name):
    board = boards.load(name)
    assert name in (board.build.lower(), "virtual")
    assert board.pins["led"] and board.pins["relay"]


@pytest.mark.parametrize("name", REAL)
def test_a_board_agrees_with_esptool_about_its_chip(name):
    board = boards.load(name)
    chip = CHIP_DEFS[board.chip.lower()]
    assert chip.CHIP_NAME.replace("-", "") == board.chip
    assert OFFSETS[board.chip] == chip.BOOTLOADER_FLASH_OFFSET
    native = chip.USB_OTG_SUPPORTED or chip.USB_SERIAL_JTAG_SUPPORTED
    assert native == any(usb.startswith(f"{chip.ESPRESSIF_VID:04x}:") for usb in board.usb)
    own = f"{chip.ESPRESSIF_VID:04x}:{chip.USB_JTAG_SERIAL_PID:04x}"
    assert (own in board.usb) == chip.USB_SERIAL_JTAG_SUPPORTED


@pytest.mark.parametrize("name", REAL)
def test_no_pin_that_the_chip_uses_for_itself_can_be_driven_but_the_led_the_board_has_there(name):
    board = boards.load(name)
    assert set(TAKEN[board.chip]) - set(board.forbidden) <= {board.pins["led"].gpio}


@pytest.mark.parametrize("name", boards.names())
def test_each_named_pin_is_there_for_micropython_and_an_output_unless_it_is_only_read(name):
    board = boards.load(name)
    input_only = chips().first_input_only(board.chip) or 99
    for pin in board.pins.values():
        assert pin.gpio in chips().pins(board.chip)
        assert pin.gpio < input_only or pin.kind in ("input", "adc")


@pytest.mark.parametrize("name", boards.names())
def test_each_pin_of_micropython_that_is_input_only_is_forbidden(name):
    board = boards.load(name)
    first = chips().first_input_only(board.chip) or 99
    last = 39 if board.chip == "ESP32" else 46
    found = {gpio for gpio in chips().pins(board.chip) if first <= gpio <= last}
    assert found - set(board.forbidden) - set(range(32, 34)) == set()


@pytest.mark.parametrize(
    ("name", "gpios"),
    [("esp32_generic-spiram", (16, 17)), ("esp32_generic_s3-spiram_oct", range(33, 38))],
)
def test_psram_takes_pins_that_the_board_without_has(name, gpios):
    with_it = boards.load(name)
    without = boards.load(name.rpartition("-")[0])
    assert {**without.forbidden, **dict.fromkeys(gpios, "")}.keys() == with_it.forbidden.keys()
    assert all("PSRAM" in with_it.forbidden[gpio] for gpio in gpios)
    assert with_it.pins == without.pins and with_it.usb == without.usb


@pytest.mark.parametrize(
    ("chip", "psram", "name"),
    [
        ("ESP32", None, "esp32_generic"),
        ("ESP32", "quad", "esp32_generic-spiram"),
        ("ESP32S3", None, "esp32_generic_s3"),
        ("ESP32S3", "quad", "esp32_generic_s3"),
        ("ESP32S3", "octal", "esp32_generic_s3-spiram_oct"),
        ("ESP32C6", None, "esp32_generic_c6"),
    ],
)
def test_the_board_for_a_chip(chip, psram, name):
    assert boards.of_chip(chip, psram).name == name


def test_a_chip_that_no_board_has():
    with pytest.raises(ToolError, match="no board here has the chip ESP32P4") as caught:
        boards.of_chip("ESP32P4")
    assert "ESP32C6" in caught.value.hint


def test_boards_by_their_usb_identity():
    assert [board.name for board in boards.of_usb(0x303A, 0x0002)] == ["esp32_generic_s2"]
    assert {board.chip for board in boards.of_usb(0x303A, 0x4001)} == {"ESP32S2", "ESP32S3"}
    assert len(boards.of_usb(0x10C4, 0xEA60)) == len(REAL)
    assert boards.of_usb(0x1234, 0x5678) == []


def test_the_virtual_board_as_the_firmware_gets_it():
    board = boards.load("virtual").board_json()
    assert board["board"] == "virtual" and board["chip"] == "ESP32"
    assert board["pins"]["led"] == {"gpio": 2, "active_low": False}
    assert board["forbidden"]["6"] == "flash"


def test_a_led_at_top_level_and_a_neopixel(tmp_path):
    path = write(tmp_path, GOOD + '[led]\ngpio = 18\nkind = "neopixel"\n')
    assert boards.read(path).board_json()["pins"] == {
        "led": {"gpio": 18, "active_low": False, "kind": "neopixel"}
    }


def test_a_range_of_forbidden_pins(tmp_path):
    path = write(tmp_path, GOOD + '[forbidden]\n6-8 = "flash"\n1 = "console"\n')
    assert boards.read(path).forbidden == {1: "console", 6: "flash", 7: "flash", 8: "flash"}


def test_a_board_of_ones_own_in_one_short_file(tmp_path):
    path = write(
        tmp_path,
        'extends = "esp32_generic"\ndescription = "my bench"\n'
        "[pins.pump]\ngpio = 5\nactive_low = true\n[forbidden]\n5 = false\n33 = 'sensor'\n",
        "bench.toml",
    )
    own, base = boards.load(str(path)), boards.load("esp32_generic")
    assert (own.name, own.description) == ("bench", "my bench")
    assert (own.chip, own.build, own.usb) == (base.chip, base.build, base.usb)
    assert own.pins == {**base.pins, "pump": boards.Pin(5, active_low=True)}
    assert set(base.forbidden) - set(own.forbidden) == {5}
    assert own.forbidden[33] == "sensor"


def test_a_board_can_extend_a_file_beside_it_and_take_back_what_that_has(tmp_path):
    write(
        tmp_path, 'extends = "esp32_generic_c3"\n[led]\ngpio = 8\nactive_low = true\n', "mini.toml"
    )
    path = write(
        tmp_path,
        'extends = "mini.toml"\n[pins]\nrelay = false\n[usb]\n"1a86:7523" = false\n',
        "own.toml",
    )
    own = boards.read(path)
    assert own.pins == {"led": boards.Pin(8, active_low=True)}
    assert "1a86:7523" not in own.usb and "303a:1001" in own.usb


def test_a_board_without_a_led(tmp_path):
    path = write(tmp_path, 'extends = "esp32_generic"\nled = false\n')
    assert set(boards.read(path).pins) == {"relay"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "chip is missing"),
        (GOOD.replace('"b"', '"c"'), "name is 'c'"),
        (GOOD.replace("ESP32", "ESP33", 1), "'ESP33' is not one of"),
        (GOOD + "[pins.led]\n", "'gpio' is a required property"),
        (GOOD + "[pins.led]\ngpio = -1\n", "pins.led.gpio: -1 is less than"),
        (GOOD + "[pins.led]\ngpio = true\n", "pins.led.gpio: True is not of type 'integer'"),
        (GOOD + "[pins.led]\ngpio = 24\n", "pins.led: ESP32 has no GPIO24"),
        (GOOD + "[pins.led]\ngpio = 1\ncolour = 3\n", "unknown key colour in pins.led"),
        (GOOD + '[pins.led]\ngpio = 1\nkind = "bulb"\n', "'bulb' is not one of"),
        (GOOD + '[pins.led]\ngpio = 6\n[forbidden]\n6 = "flash"\n', "forbidden: flash"),
        (GOOD + '[pins]\n"1st" = {gpio = 4}\n', "pins: '1st' is no name for a pin"),
        (GOOD + '[forbidden]\nsix = "flash"\n', "forbidden: 'six' is no GPIO number"),
        (GOOD + '[forbidden]\n9-6 = "flash"\n', "forbidden.9-6: 9 comes after 6"),
        (GOOD + "[forbidden]\n6 = true\n", "forbidden.6: True is not valid"),
        (GOOD + "[forbidden]\n6 = false\n", "forbidden.6 = false takes back what is not there"),
        (GOOD + '[usb]\ncp2102 = "bridge"\n', "usb: 'cp2102' is no USB identity"),
        (GOOD + "colour = 3\n", "unknown key colour; there are extends, name, chip"),
        (GOOD + "[pinz.led]\ngpio = 4\n", "unknown key pinz"),
        ("name = ", "Invalid value"),
        ('extends = "b.toml"\n', "extends itself"),
    ],
)
def test_mistakes_are_named_with_their_file(tmp_path, text, message):
    assert message in refusal(write(tmp_path, text))


def test_a_mistake_in_an_extended_file_is_named_with_that_file(tmp_path):
    base = write(tmp_path, GOOD.replace('"b"', '"base"') + "colour = 3\n", "base.toml")
    path = write(tmp_path, 'extends = "base.toml"\n')
    with pytest.raises(ToolError) as caught:
        boards.read(path)
    assert str(base) in caught.value.message


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "b.toml"
    path.write_bytes(b"\xff\xfe")
    assert "utf-8" in refusal(path)


@pytest.mark.parametrize("name", ["../virtual", "nope", "ESP32_GENERIC", "nope.toml", "", "/"])
def test_an_unknown_board_is_refused_with_the_known_ones(name):
    with pytest.raises(ToolError) as caught:
        boards.load(name)
    assert "virtual" in caught.value.hint and repr(name) in caught.value.message


def test_an_extended_board_that_is_not_there(tmp_path):
    with pytest.raises(ToolError) as caught:
        boards.read(write(tmp_path, 'extends = "nope"\n'))
    assert "'nope'" in caught.value.message and "virtual" in caught.value.hint


def test_the_schema_is_one_and_describes_what_boards_are_read_into():
    schema = json.loads((paths.BOARDS / "board.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    keys = set(boards.load("virtual").as_dict()) | {"extends", "led"}
    assert set(schema["properties"]) == keys
