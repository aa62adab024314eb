"""Flashing chips played by esp32-mock-bootloader, through the real esptool."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import serial
from esptool import cmds

from host_tools import boards
from host_tools.errors import ToolError
from host_tools.flash import Flashed, Options, firmware, flash
from host_tools.flash import esp as esp_module
from tests.host import flash_bench
from tests.host.flash_bench import CHIPS, MockChip, in_flash, mock_chip, mock_nursery, wait_for

__all__ = ["mock_chip", "mock_nursery"]  # fixtures

OLD = ("micropython", "v1.27.0")

# The command as on a terminal: also where the tests run in the background, which ignores Ctrl-C.
_CLI = """
import signal, sys
from host_tools.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""


@pytest.fixture
def fw(tmp_path: Path):
    """fw("ESP32", …) → the path of an image for it, and its bytes."""

    def make(chip: str, **more) -> tuple[Path, bytes]:
        path = tmp_path / f"{chip}.bin"
        path.write_bytes(flash_bench.image(chip, **more))
        return path, path.read_bytes()

    return make


def refusal(port: str, options: Options) -> ToolError:
    with pytest.raises(ToolError) as caught:
        flash(port, options)
    assert caught.value.hint
    return caught.value


def holds(chip: MockChip, name: str, content: bytes) -> bool:
    start = flash_bench.offset(name)
    return chip.flash()[start : start + len(content)] == content


@pytest.mark.parametrize("stub", [True, False])
@pytest.mark.parametrize("name", CHIPS)
def test_a_blank_chip_gets_micropython_at_its_offset(name, stub, mock_chip, fw, capsys):
    chip = mock_chip(name)
    path, content = fw(name)
    steps: list[tuple[str, int, int]] = []
    done = flash(chip.port, Options(firmware=path, stub=stub), lambda *step: steps.append(step))
    assert (done.chip, done.offset, done.held) == (name, flash_bench.offset(name), "nothing")
    assert done.verified and done.erased and done.baud == 460800
    assert done.definition == boards.of_chip(name).name and done.mac.startswith("24:0a:c4:")
    assert holds(chip, name, content)
    assert steps[-1][0] == "writing" and steps[-1][1] == steps[-1][2]
    said = capsys.readouterr().err
    rest = f"--chip {name.lower()} --port {chip.port} --baud 460800 "
    rest += "" if stub else "--no-stub "
    assert f"$ esptool {rest}write-flash {done.offset:#x} {path}\n" in said
    assert f"$ esptool {rest}" + ("erase-flash" if stub else "erase-region 0 0x400000") in said
    assert "micropython v1.28.0 for esp32_generic" in said


@pytest.mark.parametrize("stub", [True, False])
def test_an_upgrade_keeps_files_and_says_what_is_lost(stub, mock_chip, fw, capsys):
    old = in_flash("ESP32", flash_bench.image("ESP32", title=OLD))
    files = b"littlefs".ljust(0x1000, b"\x55")
    chip = mock_chip("ESP32", old.ljust(0x200000, b"\xff") + files)
    path, content = fw("ESP32")
    done = flash(chip.port, Options(firmware=path, stub=stub))
    assert not done.erased and done.held == "micropython v1.27.0"
    assert holds(chip, "ESP32", content) and chip.flash()[0x200000:0x201000] == files
    said = capsys.readouterr().err
    assert "its files are kept, but not its settings in NVS" in said
    assert "erase-flash" not in said and "partition table changes" not in said


def test_an_upgrade_that_moves_partitions_says_so(mock_chip, fw, capsys):
    old = in_flash("ESP32", flash_bench.image("ESP32", title=OLD, flash_end=0x190000))
    chip = mock_chip("ESP32", old)
    flash(chip.port, Options(firmware=fw("ESP32")[0]))
    assert "its partition table changes: if files are missing then, --erase" in (
        capsys.readouterr().err
    )


def test_an_upgrade_can_be_told_to_erase(mock_chip, fw, capsys):
    old = in_flash("ESP32C3", flash_bench.image("ESP32C3", title=OLD))
    chip = mock_chip("ESP32C3", old.ljust(0x200000, b"\xff") + b"files")
    assert flash(chip.port, Options(firmware=fw("ESP32C3")[0], erase=True)).erased
    assert set(chip.flash()[0x200000:]) == {0xFF}
    assert "files, keys, settings, everything" in capsys.readouterr().err


def test_other_firmware_is_erased_only_when_that_is_said(mock_chip, fw):
    other = in_flash("ESP32", flash_bench.image("ESP32", title=("esp-at", "v4.1")))
    chip = mock_chip("ESP32", other)
    path, content = fw("ESP32")
    error = refusal(chip.port, Options(firmware=path))
    assert "holds esp-at v4.1" in error.message
    assert "--erase" in error.hint and "--no-erase" in error.hint
    assert chip.flash()[: len(other)] == other
    questions: list[str] = []

    def say_no(question: str) -> bool:
        questions.append(question)
        return False

    assert not flash(chip.port, Options(firmware=path, ask=say_no)).erased
    assert "esp-at v4.1" in questions[0] and holds(chip, "ESP32", content)


def test_what_is_neither_blank_nor_known_is_other_firmware(mock_chip, fw):
    chip = mock_chip("ESP32", b"\0" * 0x20000)
    assert "holds other firmware" in refusal(chip.port, Options(firmware=fw("ESP32")[0])).message


def test_a_dry_run_changes_nothing(mock_chip, fw, capsys):
    chip = mock_chip("ESP32S3")
    path, _ = fw("ESP32S3")
    done = flash(chip.port, Options(firmware=path, dry_run=True))
    assert not done.verified and done.erased and done.sha256
    assert chip.is_blank() and "nothing was changed" in capsys.readouterr().err


def test_a_dry_run_without_firmware_downloads_nothing(mock_chip, monkeypatch, tmp_path):
    monkeypatch.setenv(firmware.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(firmware.URL_VARIABLE, "http://127.0.0.1:9")
    chip = mock_chip("ESP32C6")
    done = flash(chip.port, Options(dry_run=True))
    assert done.firmware == (
        "http://127.0.0.1:9/resources/firmware/ESP32_GENERIC_C6-20260406-v1.28.0.bin"
    )
    assert done.sha256 is None and done.offset == 0


def test_a_failed_download_never_reaches_the_board(mock_chip, monkeypatch, tmp_path):
    monkeypatch.setenv(firmware.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(firmware.URL_VARIABLE, "http://127.0.0.1:9")
    chip = mock_chip("ESP32")
    error = refusal(chip.port, Options())
    assert "cannot be reached" in error.message and "incomplete" not in error.message
    assert chip.is_blank()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: flash_bench.image("ESP32C6"), "is made for ESP32C6, the board has ESP32C3"),
        (lambda: flash_bench.image("ESP32C3")[:-100], "damaged or was cut short"),
        (lambda: flash_bench.image("ESP32C3")[:0x9000], "was cut short: 36864 bytes"),
        (lambda: flash_bench.image("ESP32C3", flash_end=8 << 20), "needs 8 MB of flash"),
        (lambda: flash_bench.image("ESP32C3", first_revision=3), "needs revision v0.3 or newer"),
        (lambda: b"", "is empty"),
    ],
)
def test_an_image_that_does_not_fit_never_reaches_the_board(make, message, mock_chip, tmp_path):
    chip = mock_chip("ESP32C3")
    path = tmp_path / "fw.bin"
    path.write_bytes(make())
    error = refusal(chip.port, Options(firmware=path))
    assert message in error.message and "incomplete" not in error.message
    assert chip.is_blank()


def test_a_definition_of_another_board(mock_chip, fw):
    chip = mock_chip("ESP32C3")
    options = Options(firmware=fw("ESP32C3")[0], definition="esp32_generic_s3")
    error = refusal(chip.port, options)
    assert "a board with ESP32S3, this one has ESP32C3" in error.message
    assert "--definition esp32_generic_c3" in error.hint and chip.is_blank()


def test_a_definition_of_ones_own_chooses_the_build(mock_chip, monkeypatch, tmp_path):
    monkeypatch.setenv(firmware.CACHE_VARIABLE, str(tmp_path / "cache"))
    own = tmp_path / "own.toml"
    own.write_text('extends = "esp32_generic"\nbuild = "ESP32_GENERIC-OTA"\n')
    chip = mock_chip("ESP32")
    done = flash(chip.port, Options(definition=str(own), dry_run=True))
    assert done.definition == "own" and "ESP32_GENERIC-OTA-2026" in done.firmware


def test_a_chip_that_no_board_here_has(mock_chip, fw):
    chip = mock_chip("ESP32H2")
    error = refusal(chip.port, Options(firmware=fw("ESP32H2")[0]))
    assert "no board here has the chip ESP32H2" in error.message and chip.is_blank()


def test_a_write_that_fails_is_retried_slowly(mock_chip, fw, capsys):
    chip = mock_chip("ESP32S3", fault="corrupt once")
    path, content = fw("ESP32S3")
    done = flash(chip.port, Options(firmware=path))
    assert done.verified and done.baud == 115200 and holds(chip, "ESP32S3", content)
    assert "MD5 of file does not match data in flash!; once more, at 115200 baud" in (
        capsys.readouterr().err
    )


def test_a_flash_that_does_not_hold_what_was_written(mock_chip, fw):
    chip = mock_chip("ESP32C3", fault="corrupt")
    error = refusal(chip.port, Options(firmware=fw("ESP32C3")[0]))
    assert "MD5 of file does not match" in error.message
    assert "its MicroPython is incomplete now" in error.message
    assert boards.load("esp32_generic_c3").boot_mode in error.hint


def test_unplugged_in_the_middle_and_plugged_in_again(mock_chip, fw, monkeypatch):
    chip = mock_chip("ESP32C3", fault="unplug")
    path, content = fw("ESP32C3")
    with monkeypatch.context() as patch:
        patch.setattr(cmds, "DEFAULT_CONNECT_ATTEMPTS", 1)  # seconds that esptool waits for it
        error = refusal(chip.port, Options(firmware=path))
    assert "gone" in error.message and chip.port in error.message
    assert "incomplete now" in error.message and "plug it in and flash again" in error.hint
    half = mock_chip("ESP32C3", in_flash("ESP32C3", content[:-5000]))
    assert flash(half.port, Options(firmware=path)).verified
    assert holds(half, "ESP32C3", content)


def test_no_such_port(fw, tmp_path):
    error = refusal(str(tmp_path / "ttyUSB7"), Options(firmware=fw("ESP32")[0]))
    assert "ttyUSB7 does not exist" in error.message and "jobs-sandbox ports" in error.hint


def test_a_file_that_is_no_port(fw):
    path, _ = fw("ESP32")
    assert "is no serial port" in refusal(str(path), Options(firmware=path)).message


def test_an_address_where_nothing_answers(fw):
    error = refusal("socket://127.0.0.1:9", Options(firmware=fw("ESP32")[0]))
    assert "cannot open socket://127.0.0.1:9: Connection refused" in error.message


def test_a_port_that_another_program_holds(mock_chip, fw):
    chip = mock_chip("ESP32")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import serial, sys\np = serial.Serial(sys.argv[1], exclusive=True)\n"
            "print('held', flush=True)\ninput()",
            chip.port,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout and holder.stdin
    holder.stdout.readline()
    try:
        error = refusal(chip.port, Options(firmware=fw("ESP32")[0]))
    finally:
        holder.communicate(b"\n")
    assert f"{chip.port} is in use by" in error.message
    assert f"(process {holder.pid})" in error.message


def test_a_port_where_nothing_answers_tells_the_board_s_way_into_its_boot_loader(fw, monkeypatch):
    monkeypatch.setattr(esp_module, "_CONNECT_ATTEMPTS", 2)
    ours, theirs = pty.openpty()
    try:
        port = os.ttyname(theirs)
        options = Options(firmware=fw("ESP32S2")[0], definition="esp32_generic_s2")
        known = refusal(port, options)
        unknown = refusal(port, Options(firmware=options.firmware))
    finally:
        os.close(ours)
        os.close(theirs)
    assert f"no ESP32 answers on {port}" in known.message
    assert known.hint.startswith(boards.load("esp32_generic_s2").boot_mode)
    assert unknown.hint.startswith(boards.BOOT_MODE)


def test_a_board_that_runs_a_program_is_no_boot_loader(fw, monkeypatch):
    monkeypatch.setattr(esp_module, "_CONNECT_ATTEMPTS", 2)
    ours, theirs = pty.openpty()
    stop = threading.Event()

    def echo() -> None:  # as a REPL does with what it is sent
        while not stop.is_set():
            os.write(ours, b"\r\n>>> " + os.read(ours, 100))

    thread = threading.Thread(target=echo, daemon=True)
    thread.start()
    try:
        error = refusal(os.ttyname(theirs), Options(firmware=fw("ESP32")[0]))
        assert "no ESP32 answers" in error.message
    finally:
        stop.set()
        os.write(theirs, b"\n")
        thread.join(5)
        os.close(ours)
        os.close(theirs)


def test_the_port_is_free_afterwards_whatever_happened(mock_chip, fw):
    chip = mock_chip("ESP32")
    refusal(chip.port, Options(firmware=fw("ESP32C3")[0]))
    flash(chip.port, Options(firmware=fw("ESP32")[0]))
    serial.Serial(chip.port, exclusive=True).close()


def test_a_locked_chip_is_left_alone():
    class Locked:
        CHIP_NAME = "ESP32-C3"
        secure_download_mode = False

        def get_flash_encryption_enabled(self) -> bool:
            return False

        def get_secure_boot_enabled(self) -> bool:
            return True

    with pytest.raises(ToolError, match="secure boot"):
        esp_module._check_usable(Locked())


@pytest.mark.parametrize(
    ("features", "psram"),
    [
        ("Wi-Fi, BT 5 (LE), Dual Core, Embedded PSRAM 8MB (AP_3v3)", "octal"),
        ("Wi-Fi, Embedded PSRAM 16MB (AP_1v8)", "octal"),
        ("Wi-Fi, Embedded Flash 4MB (XMC), Embedded PSRAM 2MB (AP_3v3)", "quad"),
        ("Wi-Fi, BT, Dual Core, Embedded Flash, Embedded PSRAM", "quad"),
        ("Wi-Fi, Embedded Flash 8MB (GD)", None),
    ],
)
def test_psram_inside_the_chip(features, psram):
    assert esp_module._psram(features) == psram


def test_ctrl_c_says_how_the_board_is_left(mock_chip, fw):
    chip = mock_chip("ESP32C3", fault="slow")
    path, content = fw("ESP32C3", size_kb=200)
    words = ["flash", "--port", chip.port, "--firmware", str(path)]
    command = [sys.executable, "-c", _CLI, *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    said = ""
    while "writing" not in said:
        said += process.stderr.readline()
    wait_for(lambda: not chip.is_blank())
    process.send_signal(signal.SIGINT)
    said += process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert re.search("interrupted; its MicroPython is incomplete now", said)
    assert "Traceback" not in said and not holds(chip, "ESP32C3", content)


def test_what_is_printed_as_json():
    done = Flashed("p", "c", "m", 4, "d", "b", "f", None, "t", 0, "nothing", erased=True)
    assert done.as_dict()["erased"] is True and done.as_dict()["verified"] is False
