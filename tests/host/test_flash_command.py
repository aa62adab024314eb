"""jobs-sandbox flash."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from host_tools.__main__ import main
from host_tools.commands import flash as command
from host_tools.errors import ToolError
from host_tools.flash import DEFAULT_BAUD, DEFAULT_VERSION, firmware, ports
from tests.host import flash_bench
from tests.host.flash_bench import mock_chip, mock_nursery
from tests.host.test_flash_firmware import FILES, Site, site

__all__ = ["mock_chip", "mock_nursery", "site"]  # fixtures


def port(device: str, vid: int | None = 0x10C4, pid: int = 0xEA60) -> SimpleNamespace:
    return SimpleNamespace(
        device=device, vid=vid, pid=pid, description="CP2102 bridge", serial_number=None
    )


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[SimpleNamespace]]:
    """The serial ports there seem to be."""
    found: list[SimpleNamespace] = []
    monkeypatch.setattr(list_ports, "comports", lambda: found)
    yield found


def test_from_the_download_page_to_the_chip_and_the_second_time_from_the_cache(
    mock_chip, site: Site, capsys
):
    chip = mock_chip("ESP32C6")
    content = flash_bench.image("ESP32C6")
    site.pages[FILES + "ESP32_GENERIC_C6-20260406-v1.28.0.bin"] = content
    assert main(["flash", "--port", chip.port, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["verified"] and done["title"] == "micropython v1.28.0" and done["erased"]
    assert chip.flash()[: len(content)] == content
    assert main(["flash", "--port", chip.port]) == 0
    output = capsys.readouterr()
    assert f"ESP32C6 on {chip.port} has micropython v1.28.0, after" in output.out
    assert "downloading" not in output.err and len(site.asked) == 1


def test_a_download_for_another_chip_is_neither_kept_nor_written(
    mock_chip, site: Site, tmp_path, capsys
):
    chip = mock_chip("ESP32C6")
    site.pages[FILES + "ESP32_GENERIC_C6-20260406-v1.28.0.bin"] = flash_bench.image("ESP32C3")
    assert main(["flash", "--port", chip.port]) == 1
    assert "is made for ESP32C3, the board has ESP32C6" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "cache" / "firmware").iterdir()] == [".lock"]
    assert chip.is_blank()


def test_the_only_port_is_taken(mock_chip, plugged, tmp_path, capsys):
    chip = mock_chip("ESP32")
    plugged += [port("/dev/ttyS0", vid=None), port(chip.port)]
    path = tmp_path / "fw.bin"
    path.write_bytes(flash_bench.image("ESP32"))
    assert main(["flash", "--firmware", str(path), "--dry-run"]) == 0
    output = capsys.readouterr()
    assert f"the only board is on {chip.port}" in output.err
    assert f"ESP32 on {chip.port} would get micropython v1.28.0" in output.out


def test_no_port_and_several(plugged, capsys):
    assert main(["flash"]) == 1
    assert "no board is plugged in" in capsys.readouterr().err
    plugged += [port("/dev/ttyUSB0"), port("/dev/ttyUSB1")]
    assert main(["flash"]) == 2
    error = capsys.readouterr().err
    assert "/dev/ttyUSB0  CP2102 bridge: " in error and "/dev/ttyUSB1  " in error
    assert "--port /dev/ttyUSB0" in error


def test_boards_by_the_identity_of_their_port(plugged):
    plugged += [port("/dev/ttyACM3", 0x303A, 0x0002), port("/dev/ttyACM4", 0x1111, 0x2222)]
    assert [board.chip for board in ports.boards_on("/dev/ttyACM3")] == ["ESP32S2"]
    assert ports.boards_on("/dev/ttyACM4") == ports.boards_on("/dev/ttyACM5") == []


@pytest.mark.parametrize(
    "words",
    [
        ["--erase", "--no-erase"],
        ["--firmware", "x", "--version", "1.28.0"],
        ["--baud", "fast"],
        ["surplus"],
    ],
)
def test_wrong_usage(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["flash", *words])
    assert caught.value.code == 2


def test_wrong_values(plugged, capsys):
    assert main(["flash", "--baud", "0"]) == 2
    assert main(["flash", "--port", "/dev/null", "--version", "lates"]) == 2
    assert main(["flash", "--port", "/dev/null", "--definition", "nope"]) == 1
    assert main(["flash", "--port", "/dev/null", "--firmware", "/nope.bin"]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "answer"),
    [("\n", True), ("y\n", True), ("Yes\n", True), ("n\n", False), ("what?\nNO\n", False)],
)
def test_the_question(lines, answer, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    assert command._ask("Erase?") == answer
    assert capsys.readouterr().err == "Erase? [Y/n] " * lines.count("\n")


def test_a_question_that_nobody_answers(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(ToolError, match="no answer") as caught:
        command._ask("Erase?")
    assert "--no-erase" in caught.value.hint


def test_help_names_the_defaults_and_does_not_load_esptool():
    code = (
        "import sys\nfrom host_tools.__main__ import main\n"
        "try: main(['flash', '--help'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('esptool', 'rich', 'serial'))])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert shown.endswith("[]\n")
    assert f"({DEFAULT_VERSION})" in shown and f"({DEFAULT_BAUD})" in shown


def test_errors_of_an_unusable_cache_end_with_status_1(mock_chip, monkeypatch, capsys):
    monkeypatch.setenv(firmware.CACHE_VARIABLE, "/dev/null")
    chip = mock_chip("ESP32")
    assert main(["flash", "--port", chip.port]) == 1
    error = capsys.readouterr().err
    assert "cannot keep firmware in /dev/null/firmware" in error and "try: " in error
