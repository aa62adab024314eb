"""Board definitions: boards/*.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools import boards
from host_tools.errors import ToolError

GOOD = 'name = "b"\nchip = "ESP32"\nbuild = "ESP32_GENERIC"\ndescription = "d"\n'


def test_every_definition_in_the_repo_is_good():
    assert "virtual" in boards.names()
    for name in boards.names():
        assert boards.load(name).pins


def test_the_virtual_board_as_the_firmware_gets_it():
    board = boards.load("virtual").board_json()
    assert board["board"] == "virtual" and board["chip"] == "ESP32"
    assert board["pins"]["led"] == {"gpio": 2, "active_low": False}
    assert board["forbidden"]["6"] == "flash"


def test_a_led_at_top_level_and_a_neopixel(tmp_path):
    path = tmp_path / "b.toml"
    path.write_text(GOOD + '[led]\ngpio = 48\nkind = "neopixel"\n')
    assert boards.read(path).board_json()["pins"] == {
        "led": {"gpio": 48, "active_low": False, "kind": "neopixel"}
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "name is missing"),
        (GOOD.replace('"b"', '"c"'), "name is 'c'"),
        (GOOD + "[pins.led]\n", "not a GPIO number"),
        (GOOD + "[pins.led]\ngpio = -1\n", "not a GPIO number"),
        (GOOD + "[pins.led]\ngpio = 1\ncolour = 3\n", "unknown key colour"),
        (GOOD + '[pins.led]\ngpio = 1\nkind = "bulb"\n', "kind is one of"),
        (GOOD + '[pins.led]\ngpio = 6\n[forbidden]\n6 = "flash"\n', "forbidden: flash"),
        (GOOD + "colour = 3\n", "unknown key colour"),
        ("name = ", "Invalid value"),
    ],
)
def test_mistakes_are_named_with_their_file(tmp_path, text, message):
    path: Path = tmp_path / "b.toml"
    path.write_text(text)
    with pytest.raises(ToolError) as caught:
        boards.read(path)
    assert message in caught.value.message and str(path) in caught.value.message


def test_an_unknown_board_is_refused_with_the_known_ones():
    with pytest.raises(ToolError) as caught:
        boards.load("../virtual")
    assert "virtual" in caught.value.hint
