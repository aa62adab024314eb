"""Boards on USB: which ports there are, what is on them, which one is meant, and which blinks.

Virtual boards stand for real ones; what is injected is the listing of ports.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports

from host_tools.__main__ import main
from host_tools.deploy import running
from host_tools.errors import ToolError, UsageError
from host_tools.real import choice, identify, listing, look
from host_tools.target import Target
from tests.board_fixture import Board
from tests.device_fixture import Device
from tests.host.flash_bench import mock_chip, mock_nursery

__all__ = ["mock_chip", "mock_nursery"]  # fixtures
Plug = Callable[..., SimpleNamespace]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch, sandbox_home: Path) -> Plug:
    """plug(device) makes a serial port appear."""
    ports: list[SimpleNamespace] = []
    monkeypatch.setattr(list_ports, "comports", lambda: list(ports))
    monkeypatch.setattr(running, "_HELLO_S", 1.2)  # twice asked

    def one(
        device: str, vid: int | None = 0x10C4, pid: int = 0xEA60, number: str | None = None
    ) -> SimpleNamespace:
        made = SimpleNamespace(
            device=device, vid=vid, pid=pid, description="CP2102", serial_number=number
        )
        ports.append(made)
        return made

    return one


def test_no_port_at_all(plug: Plug, capsys: pytest.CaptureFixture[str]) -> None:
    plug("/dev/ttyS0", vid=None)  # a PC's own
    assert main(["ports"]) == 1
    assert "no board is plugged in: no serial port on USB" in capsys.readouterr().err
    assert main(["ports", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    with pytest.raises(ToolError, match="no board is plugged in") as caught:
        choice.choose()
    assert "cable that carries data" in caught.value.hint


def test_the_only_board_is_taken(
    plug: Plug, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    plug("/dev/ttyACM7", vid=0x1209, pid=1)  # some other thing on USB
    plug(board.device)
    assert main(["console", "--port", "auto", "--command", "status"]) == 1  # no sandbox on it yet
    said = capsys.readouterr().err
    assert f"the only board is on {board.device}" in said
    assert "jobs-sandbox deploy" in said


def test_a_sandbox_file_may_ask_for_it(
    plug: Plug, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    plug(board.device)
    (tmp_path / "sandbox.toml").write_text('port = "auto"\n')
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "sandbox.toml"))
    assert main(["identify", "--seconds", "1", "--definition", "virtual"]) == 0
    assert f"the only board is on {board.device}" in capsys.readouterr().err


def test_several_are_listed_with_what_is_on_them(
    plug: Plug, device: Device, make_board: Callable[..., Board]
) -> None:
    bare = make_board(chip="ESP32C3")
    plug(device.board.device)
    plug(bare.device)
    device.close()
    with pytest.raises(UsageError, match="which board") as caught:
        choice.choose()
    device.open()
    listed = caught.value.message
    assert f"{device.board.device}  ESP32, MAC unknown, Jobs Sandbox 0.1.0 on virtual" in listed
    assert f"thing {device.thing}" in listed
    assert re.search(rf"{bare.device}  ESP32C3, [0-9a-f:]{{17}}, MicroPython 1\.", listed)
    assert "no thing" in listed
    assert caught.value.hint == f"--port {min(bare.device, device.board.device)}"
    assert device.command("status").status == 0  # it was not disturbed


def test_a_port_that_may_not_be_used_tells_the_command(
    plug: Plug, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(board.device)
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != board.device and allowed(path, mode)
    )
    with pytest.raises(ToolError, match="no permission to use") as caught:
        choice.choose()
    assert "sudo usermod -a -G " in caught.value.hint


def test_a_port_in_use_tells_by_whom(
    plug: Plug, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    plug(board.device)
    with serial.Serial(board.device, exclusive=True):
        assert main(["ports", "--json"]) == 0
    (seen,) = json.loads(capsys.readouterr().out)
    assert "is in use" in seen["trouble"]
    assert "end that program" in seen["hint"]
    assert main(["ports"]) == 0
    assert "MicroPython 1." in capsys.readouterr().out


def test_a_chip_without_firmware_is_asked_through_its_boot_loader(
    plug: Plug, mock_chip: Callable[..., SimpleNamespace]
) -> None:
    chip = mock_chip("ESP32C3")
    plug(chip.port)
    (silent,) = look.look_at_all(listing.usb_ports(), boot_loader=False)
    assert (silent.chip, silent.firmware, silent.trouble) == ("", "", "")
    (seen,) = look.look_at_all(listing.usb_ports(), boot_loader=True)
    assert (seen.chip, seen.firmware) == ("ESP32C3", "boot loader (nothing in flash)")
    assert look._MAC.fullmatch(seen.mac)


def test_the_chip_s_own_usb_tells_the_mac(plug: Plug, board: Board) -> None:
    plug(board.device, vid=0x303A, pid=0x1001, number="24:58:7C:00:11:22")
    board.stop()
    (seen,) = look.look_at_all(listing.usb_ports(), boot_loader=False)
    assert seen.mac == "24:58:7c:00:11:22"
    assert "does not exist" in seen.trouble


def test_the_running_sandbox_blinks_and_goes_on(device: Device) -> None:
    device.close()
    before = len(device.board.edges())
    told = identify.identify(Target(device.board.device, None), 1)
    device.open()
    assert told == f"the board of thing {device.thing} blinked"
    levels = [edge["value"] for edge in device.board.edges()[before:] if edge["pin"] == 2]
    assert levels[:8] == [1, 0] * 4
    assert device.command("status").status == 0


def test_a_bare_board_blinks_by_its_definition(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["identify", "--board", board.name, "--seconds", "1"]) == 0
    assert "blinked at GPIO2" in capsys.readouterr().out
    levels = [edge["value"] for edge in board.edges() if edge["pin"] == 2]
    assert levels[-8:] == [1, 0] * 4 or levels[-9:-1] == [1, 0] * 4
    assert board.run("print(1)") == "1"


def test_a_neopixel_blinks(board: Board, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'extends = "virtual"\n[pins.led]\ngpio = 4\nkind = "neopixel"\n[pins]\nrelay = false\n'
    )
    told = identify.identify(Target(board.device, board), 1, str(own))
    assert "blinked at GPIO4 (NeoPixel)" in told


def test_a_board_without_an_led_is_told(board: Board, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "virtual"\n[pins]\nled = false\n')
    with pytest.raises(ToolError, match=r"own\.toml has no pin called led"):
        identify.identify(Target(board.device, board), 1, str(own))


@pytest.mark.parametrize("seconds", ["0", "61"])
def test_seconds_out_of_range(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", "--seconds", seconds]) == 2
    assert "--seconds must be from 1 to 60" in capsys.readouterr().err


def test_a_board_is_found_again_by_its_serial_number(plug: Plug, tmp_path: Path) -> None:
    gone, back = tmp_path / "ttyACM0", tmp_path / "ttyACM1"
    gone.touch()
    made = plug(str(gone), number="A1")
    plug(str(tmp_path / "other"), number="B2")
    assert listing.serial_number(str(gone)) == "A1"
    gone.unlink()
    back.touch()
    made.device = str(back)
    assert listing.find("A1", str(gone)) == str(back)
    assert listing.find(None, str(gone)) == str(gone)
