"""Deploying to what looks like a real board: one without MicroPython, one whose Wi-Fi nobody
knows, one whose port goes and comes back, one whose deploy is killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pexpect
import pytest
import serial
from littlefs import LittleFS
from serial.tools import list_ports

from host_tools import flash as flash_package
from host_tools import paths
from host_tools.board.files import FLASH_SIZE
from host_tools.deploy import Deployed, Options, build, first, raw_repl
from host_tools.deploy.first import Flashing, deploy_first
from host_tools.deploy.raw_repl import RawRepl
from host_tools.deploy.watch import watch
from host_tools.errors import ToolError
from host_tools.flash import Flashed
from host_tools.identity import ThingIdentity, keep, keep_identity
from host_tools.target import Target
from tests.host import flash_bench
from tests.host.deploy_bench import *  # noqa: F403
from tests.host.deploy_bench import CONNECTS, DEVICE, Bench
from tests.host.flash_bench import mock_chip, mock_nursery

__all__ = ["mock_chip", "mock_nursery"]  # fixtures
OPTIONS = Options(wifi_ssid="home", definition="virtual", wait_s=60)


def nothing(sent: int, total: int) -> None:
    pass


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_repl, "_INTERRUPT_S", 0.3)
    monkeypatch.setattr(raw_repl, "_ATTEMPTS", 1)


class Socket:
    """A USB socket, in which first a blank chip is, and after its flashing the bench's board."""

    def __init__(self, bench: Bench, chip: Any, folder: Path) -> None:
        self._bench = bench
        self.chip = chip
        self.tty = folder / "ttyUSB0"
        self.tty.symlink_to(chip.port)
        self.firmware = folder / "fw.bin"
        self.firmware.write_bytes(flash_bench.image("ESP32"))
        self.flashed: list[Flashed] = []

    def flash(self, port: str, options: flash_package.Options, *more: Any) -> Flashed:
        done = self._really(port, options, *more)
        self.flashed.append(done)
        if done.verified:
            self.tty.unlink()
            self.tty.symlink_to(self._bench.board.device)
            raw_repl._INTERRUPT_S, raw_repl._ATTEMPTS = 2.5, 4  # a real board has a right to it
        return done

    _really = staticmethod(flash_package.flash)

    def deploy(self, flash: bool | None) -> Deployed:
        flashing = Flashing(flash, self.firmware)
        return deploy_first(Target(str(self.tty), None), DEVICE, OPTIONS, nothing, flashing)


@pytest.fixture
def usb(
    bench: Bench,
    mock_chip: Callable[[str], Any],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    impatient: None,
) -> Iterator[Socket]:
    made = Socket(bench, mock_chip("ESP32"), tmp_path_factory.mktemp("usb"))
    monkeypatch.setattr(flash_package, "flash", made.flash)
    yield made


def test_blank_chip_gets_micropython_and_then_the_application(
    usb: Socket, capsys: pytest.CaptureFixture[str]
) -> None:
    done = usb.deploy(flash=True)
    assert done.connected and "/sandbox/greeting.mpy" in done.changed
    assert [each.verified for each in usb.flashed] == [False, True]
    assert usb.flashed[1].erased
    said = capsys.readouterr().err
    assert "all of its flash is erased first: files, keys, settings, everything" in said
    assert said.index("erased first") < said.index("writing ") < said.index("starting the sandbox")


def test_nothing_is_flashed_without_consent(usb: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="does not answer as MicroPython does") as caught:
        usb.deploy(flash=None)
    assert caught.value.hint.startswith("--flash")
    with pytest.raises(ToolError, match="does not answer") as caught:
        usb.deploy(flash=False)
    assert "without --no-flash" in caught.value.hint
    asked: list[str] = []
    monkeypatch.setattr(first, "_is_terminal", lambda: True)

    def no(question: str) -> str:
        asked.append(question)
        return "n"

    monkeypatch.setattr(first, "_line", no)
    with pytest.raises(ToolError, match="nothing was changed"):
        usb.deploy(flash=None)
    assert asked == ["All that it holds is lost. Put MicroPython on it? [Y/n] "]
    assert usb.chip.is_blank()


def test_consent_on_a_terminal_is_enough(usb: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first, "_is_terminal", lambda: True)
    monkeypatch.setattr(first, "_line", lambda question: "")
    assert usb.deploy(flash=None).connected


def test_port_without_any_chip_tells_both(bench: Bench, impatient: None, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    (tmp_path / "ttyS9").symlink_to(os.ttyname(theirs))
    target = Target(str(tmp_path / "ttyS9"), None)
    try:
        with pytest.raises(
            ToolError, match=r"as MicroPython does.*nor can it be flashed"
        ) as error:
            deploy_first(target, DEVICE, OPTIONS, nothing, Flashing(True))
    finally:
        os.close(ours)
        os.close(theirs)
    assert "BOOT" in error.value.hint


def test_too_old_a_micropython_is_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    board_abi = [5, 6]
    check = build.check_abi
    monkeypatch.setattr(
        build, "check_abi", lambda files, abi, name: check(files, board_abi.pop(0), name)
    )
    held = SimpleNamespace(erased=False, chip="ESP32", title="micropython", build="", seconds=1.0)
    monkeypatch.setattr(flash_package, "flash", lambda port, options, *more: held)
    target = Target(bench.board.device, None)
    assert deploy_first(target, DEVICE, OPTIONS, nothing, Flashing(True)).connected
    board_abi.append(5)
    bench.write(greeting="def greet():\n    print(1)\n")
    with pytest.raises(ToolError, match=r"loads version 5, but mpy-cross makes version 6"):
        deploy_first(target, DEVICE, OPTIONS, nothing, Flashing(None))


# Wi-Fi


def cli(bench: Bench, *words: str) -> list[str]:
    """Return the command that deploys to the bench's board as if it were a real one."""
    for name in ("private_key.der", "certificate.der", "root_ca_1.der"):
        keep("mine", name, name.encode())
    keep_identity(
        ThingIdentity("mine", "a", "a", "id", "p", "iot.invalid", 8883, "r", "a", "local")
    )
    program = (
        "import sys; from pathlib import Path; from host_tools import paths; "
        f"paths.FIRMWARE = Path({str(bench.firmware)!r}); "
        "from host_tools.__main__ import main; sys.exit(main())"
    )
    deploy = ["deploy", "--port", bench.board.device, "--definition", "virtual", *words]
    return [sys.executable, "-c", program, *deploy]


def test_wifi_is_asked_for_and_the_password_is_never_shown(bench: Bench) -> None:
    python, *words = cli(bench, "--no-wait")
    child = pexpect.spawn(python, words, cwd=str(paths.ROOT), encoding="utf-8", timeout=30)
    child.expect("SSID.*: ")
    child.sendline("attic")
    child.expect("password.*: ")
    child.sendline("s3cr3t-w0rd")
    child.expect("is started as mine")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    config = json.loads(bench.mpremote("fs", "cat", ":/config.json"))
    assert config["wifi"] == {"ssid": "attic", "password": "s3cr3t-w0rd"}
    again = subprocess.run(
        [python, *words], cwd=paths.ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert "Wi-Fi" not in again.stderr  # what is on the board is kept
    assert "s3cr3t" not in again.stdout + again.stderr


def test_without_a_terminal_the_missing_wifi_is_an_error(bench: Bench) -> None:
    with pytest.raises(ToolError, match="no Wi-Fi network is known"):
        deploy_first(
            Target(bench.board.device, None),
            DEVICE,
            replace(OPTIONS, wifi_ssid=None),
            nothing,
            Flashing(),
        )


# Ports that go and come back


def test_board_that_leaves_usb_at_its_reset_is_found_under_its_new_name(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("dev")
    old, new = folder / "ttyACM0", folder / "ttyACM1"
    # what it says before the port is open again is lost
    bench.write(
        main="import time\nwhile True:\n    print('I 0.001 link: ready')\n    time.sleep(1)\n"
    )
    old.symlink_to(bench.board.device)
    port = SimpleNamespace(
        device=str(old), vid=0x303A, pid=0x4001, description="", serial_number="A1"
    )
    monkeypatch.setattr(list_ports, "comports", lambda: [port])
    start_main = RawRepl.start_main

    def re_enumerate(self: RawRepl) -> None:
        start_main(self)
        old.unlink()
        bench.board.stop()
        bench.board.start()
        new.symlink_to(bench.board.device)
        port.device = str(new)

    monkeypatch.setattr(RawRepl, "start_main", re_enumerate)
    target = Target(str(old), None)
    assert deploy_first(target, DEVICE, OPTIONS, nothing, Flashing()).connected


def test_board_that_stays_away_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_repl, "_REOPEN_S", 0.5)
    start_main = RawRepl.start_main

    def pulled(self: RawRepl) -> None:
        start_main(self)
        bench.board.stop()

    monkeypatch.setattr(RawRepl, "start_main", pulled)
    with pytest.raises(ToolError, match="is gone"):
        bench.deploy()
    bench.board.start()


# Deploys that are killed


def deploy_killed(bench: Bench, at: int, counted: Path) -> None:
    """Deploy in a process that kills itself when it has sent `at` bytes; leaves their number."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        sent = 0
        write = serial.Serial.write

        def counting(self: serial.Serial, data: bytes) -> Any:
            nonlocal sent
            sent += len(data)
            if sent >= at:
                write(self, data[: len(data) - (sent - at)])
                os.kill(os.getpid(), signal.SIGKILL)
            return write(self, data)

        serial.Serial.write = counting
        bench.deploy(wait_s=0)
        counted.write_text(str(sent))
    finally:
        os._exit(0)


def on_flash(bench: Bench) -> dict[str, bytes]:
    """Return the files in the board's flash, read from its image."""
    block = 4096
    flash = LittleFS(block_size=block, block_count=FLASH_SIZE // block, mount=False)
    flash.context.buffer = bytearray(bench.board.files.flash.read_bytes())
    flash.mount()
    found = {}
    for folder, _, names in flash.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with flash.open(path, "rb") as file:
                found[path] = file.read()
    return found


def test_killed_at_any_byte_leaves_one_whole_application_and_the_next_finishes(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The board is left in its raw REPL; what lies on it runs after a reset."""
    counted = tmp_path_factory.mktemp("sent") / "bytes"

    def write(number: int) -> None:
        bench.write(
            greeting=f"WHICH = {number}\ndef greet(): pass\n",
            main=f"# {number}\n" + CONNECTS.replace("ready", f"ready {number}"),
        )
        for each in range(3):
            text = f"{number} " * 1500
            (bench.firmware / "sandbox" / f"data{each}.txt").write_text(text)

    write(0)
    bench.deploy(wait_s=0)
    write(1)
    deploy_killed(bench, sys.maxsize, counted)
    whole, running, news = int(counted.read_text()), 1, 0
    for number in range(2, 12, 2):
        write(number)
        deploy_killed(bench, whole * number // 11 - whole // 11 + 1, counted)
        with serial.Serial(bench.board.device, timeout=0.05) as port:
            port.reset_input_buffer()
            bench.board.power_cut()
            seen, end = b"", time.monotonic() + 60
            while not (found := re.search(rb"link: ready (\d+)\r", seen)):
                assert time.monotonic() < end, seen
                seen += port.read(1000)
        now = int(found[1])
        files = on_flash(bench)
        assert now in (running, number)
        assert all(files[f"/sandbox/data{each}.txt"] == b"%d " % now * 1500 for each in range(3))
        news += now == number
        running = now
    assert news < 4, "most were killed before the switch"
    bench.write(main=CONNECTS)
    assert bench.deploy().connected
    left = on_flash(bench)
    assert not [name for name in left if name.endswith((".new", "/switch.txt"))]
    assert left["/sandbox/data2.txt"] == b"%d " % number * 1500


# --watch


def test_watch_deploys_again_when_files_are_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "main.py").write_text("1")
    deployed: list[str] = []
    saves = iter(["", "22", "22", "333", "", "", None])

    def sleep(seconds: float) -> None:
        text = next(saves)
        if text is None:
            raise KeyboardInterrupt
        if text:
            (tmp_path / "main.py").write_text(text)

    def again() -> None:
        deployed.append((tmp_path / "main.py").read_text())
        raise ToolError("it does not compile", "mend it")

    with pytest.raises(KeyboardInterrupt):
        watch(tmp_path, again, sleep)
    assert deployed == ["333"]
    assert "it does not compile\n  try: mend it" in capsys.readouterr().err


def test_watch_by_the_command(bench: Bench) -> None:
    python, *words = cli(bench, "--no-wait", "--wifi-ssid", "home", "--watch")
    child = pexpect.spawn(python, words, cwd=str(paths.ROOT), encoding="utf-8", timeout=30)
    child.expect("watching .*firmware|watching ")
    bench.write(greeting="def greet():\n    return 2\n")
    child.expect("plan: 2 changed, ")
    child.expect("is started as mine")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
