"""jobs-sandbox boards."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from host_tools import boards, paths
from host_tools.__main__ import main


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["boards", *words]) == 0
    return capsys.readouterr().out


def test_the_list_has_a_line_per_board(capsys):
    lines = shown(capsys).splitlines()
    assert [line.split()[0] for line in lines] == boards.names()
    assert "ESP32C3  led GPIO8 (NeoPixel)" in lines[2]


def test_one_board_with_ranges_and_reasons(capsys):
    text = shown(capsys, "esp32_generic")
    assert "6-11       flash" in text and "34-39      input only" in text
    assert "0          strapping: BOOT button" in text
    assert "10c4:ea60  CP2102" in text and "hold BOOT (IO0)" in text


def test_json_of_all_and_of_one(capsys):
    every = json.loads(shown(capsys, "--json"))
    one = json.loads(shown(capsys, "--json", "esp32_generic_s3-spiram_oct"))
    assert one in every and len(every) == len(boards.names())
    assert one["pins"]["led"] == {"gpio": 48, "kind": "neopixel", "active_low": False}
    assert one["forbidden"]["33"] == "octal PSRAM" and one["psram"] == "octal"


def test_a_file_of_ones_own(capsys, tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text('extends = "esp32_generic"\nled = false\ndescription = "my bench"\n')
    assert shown(capsys, str(path)).startswith("bench: my bench")
    path.write_text('extends = "esp32_generic"\nled = flase\n')
    assert main(["boards", str(path)]) == 1
    error = capsys.readouterr().err
    assert str(path) in error and "Traceback" not in error


def test_an_unknown_board(capsys):
    assert main(["boards", "nope"]) == 1
    assert "esp32_generic_c6" in capsys.readouterr().err


def test_the_readme_s_examples_are_boards_and_its_commands_work(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    readme = (paths.BOARDS / "README.md").read_text()
    first, second = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    Path("bench.toml").write_text(first)
    Path("devkit.toml").write_text(second)
    assert boards.load("bench.toml").forbidden[33] == "the sensor drives it"
    assert boards.load("devkit.toml").pins["led"] == boards.Pin(38, "neopixel")
    commands = re.findall(r"^    jobs-sandbox (boards.*?)(?:  .*)?$", readme, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert main(command.split()) == 0
