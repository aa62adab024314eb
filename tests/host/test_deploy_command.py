"""The command `deploy`: which board, which thing, how it waits, what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from host_tools import deployed
from host_tools.__main__ import main
from host_tools.cloud.info import CloudInfo
from host_tools.deploy import Device, Options, choose_thing, deploy, port_trouble, raw_repl
from host_tools.errors import ToolError, UsageError
from host_tools.identity import ThingIdentity, keep, keep_identity
from host_tools.output import Ticker
from host_tools.target import Target
from tests.host.deploy_bench import *  # noqa: F403
from tests.host.deploy_bench import DEVICE, Bench


def provisioned(thing: str, endpoint: str = "iot.invalid") -> None:
    """Leave the files of a thing as provision does."""
    for name in ("private_key.der", "certificate.der", "root_ca_1.der"):
        keep(thing, name, name.encode())
    keep_identity(
        ThingIdentity(thing, "arn", "arn", "id", "policy", endpoint, 8883, "r", "a", "local")
    )


def test_command_prints_json_on_stdout_only(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    provisioned("only")
    assert main(["deploy", "--board", "deploy", "--json"]) == 0
    printed = capsys.readouterr()
    done = json.loads(printed.out)
    assert (done["thing"], done["connected"], done["restarted"]) == ("only", True, True)
    assert "plan: " in printed.err
    assert main(["deploy", "--board", "deploy", "--no-wait"]) == 0
    assert "virtual board deploy is started as only, after " in capsys.readouterr().out
    assert main(["deploy", "--board", "deploy", "--dry-run"]) == 0
    assert "virtual board deploy would get nothing" in capsys.readouterr().out


def test_output_holds_no_secret(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    provisioned("only")
    assert main(["deploy", "--board", "deploy"]) == 0
    printed = capfd.readouterr()
    assert "cHJpdmF0ZV9rZXk" not in printed.err + printed.out  # private_key in base64
    assert "cHJpdmF0ZV9rZXk" not in bench.board.files.serial_log.read_text(errors="replace")


def test_thing_is_chosen_where_that_is_clear(bench: Bench) -> None:
    with pytest.raises(ToolError, match="no thing is provisioned") as none:
        choose_thing(bench.target)
    assert none.value.hint == "`jobs-sandbox provision deploy`"
    provisioned("first")
    assert choose_thing(bench.target).thing == "first"
    provisioned("second")
    with pytest.raises(UsageError, match="which thing\\? provisioned are first, second"):
        choose_thing(bench.target)
    assert choose_thing(bench.target, "second").thing == "second"
    provisioned("deploy")
    assert choose_thing(bench.target).thing == "deploy"
    bench.deploy(Device.of(choose_thing(bench.target, "second")))
    assert choose_thing(bench.target).thing == "second"
    assert main(["board", "erase", bench.board.name]) == 0
    assert choose_thing(bench.target).thing == "deploy", "an erased board is nobody"


def test_whom_the_board_becomes_is_said_first_and_why(
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def said(*arguments: str) -> str:
        assert main(["deploy", "--board", "deploy", "--dry-run", *arguments]) == 0
        return capsys.readouterr().err.splitlines()[0]

    provisioned("only")
    assert said() == (
        "virtual board deploy: thing only (the only one provisioned), of the local IoT Core"
    )
    assert "(as asked for)" in said("--thing", "only")
    provisioned("other")
    deployed.remember("/dev/ttyUSB0", "other", "esp32_generic")
    assert "thing only (the only one without a board)" in said()
    deployed.forget("/dev/ttyUSB0")
    deployed.remember("demo", "other", "virtual")
    assert "thing only (the only one without a board)" in said(), "the demo's thing is the demo's"
    (tmp_path / "s.toml").write_text('thing = "other"')
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "s.toml"))
    assert "thing other (as sandbox.toml says)" in said()


def test_one_thing_on_two_boards_is_warned_of(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    provisioned("only")
    deployed.remember("/dev/ttyUSB0", "only", "esp32_generic")
    assert main(["deploy", "--board", "deploy"]) == 2
    said = capsys.readouterr().err
    assert "each has a board already: only on /dev/ttyUSB0" in said
    assert "try: `jobs-sandbox provision deploy`" in said
    assert main(["deploy", "--board", "deploy", "--dry-run", "--thing", "only"]) == 0
    said = capsys.readouterr().err
    assert "warning: only is on /dev/ttyUSB0, too: two boards with one client id drive" in said
    own = "`jobs-sandbox deploy --thing deploy --board deploy`"
    assert f"`jobs-sandbox provision deploy`, then {own}" in said
    deployed.remember("gone", "only", "virtual")
    deployed.forget("/dev/ttyUSB0")
    assert main(["deploy", "--board", "deploy", "--dry-run", "--thing", "only"]) == 0
    assert "warning" not in capsys.readouterr().err


def test_a_wait_is_told_with_its_seconds_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr("host_tools.output.time.monotonic", lambda: now[0])
    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda shown=terminal: shown)
        ticker = Ticker("waiting until it is connected", 60)
        for _ in range(6):
            ticker.tick()
            now[0] += 0.5
        ticker.clear()
        said = capsys.readouterr().err
        if terminal:
            waits = [f"\r  waiting until it is connected: {n} of 60 s\x1b[K" for n in (1, 2)]
            assert said == "".join(waits) + "\r\x1b[K"
        else:
            assert said == "  waiting until it is connected, at most 60 s\n"


def test_ctrl_c_tells_what_is_left(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    provisioned("only")
    monkeypatch.setattr("host_tools.deploy.running.Application.wait_until_connected", interrupt)
    assert main(["deploy", "--board", "deploy"]) == 130
    said = capsys.readouterr().err
    assert "interrupted; the files are there, the board goes on" in said
    assert "`jobs-sandbox console --board deploy` watches it" in said
    with pytest.raises(KeyboardInterrupt) as caught:
        deploy(replace(bench.target, lasts=False), DEVICE)
    assert not hasattr(caught.value, "__notes__"), "of a private board, its command tells"
    bench.write(greeting="def greet():\n    return 1\n")
    monkeypatch.setattr("host_tools.deploy.upload.send", interrupt)
    assert main(["deploy", "--board", "deploy"]) == 130
    said = capsys.readouterr().err
    assert "interrupted; the board has its old files or the new ones" in said
    assert "`jobs-sandbox deploy --thing only --board deploy` goes on" in said


@pytest.mark.parametrize(
    ("arguments", "status", "cause"),
    [
        (["--wait-s", "0"], 2, "--wait-s must be more than 0"),
        (["--thing", "a b"], 2, "cannot be a thing's name"),
        (["--thing", "nobody"], 1, "thing nobody has no identity on this computer"),
        (["--definition", "nonesuch"], 1, "nonesuch"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], status: int, cause: str, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    provisioned("only")
    assert main(["deploy", "--board", "deploy", *arguments]) == status
    printed = capsys.readouterr().err
    assert cause in printed
    assert "  try: " in printed


def test_application_that_ends_is_told_with_its_last_words(bench: Bench) -> None:
    bench.write(main="print('begun')\n{}['missing']\n")
    with pytest.raises(ToolError, match="the application on the board has ended") as caught:
        bench.deploy()
    assert 'File "main.py", line 2' in caught.value.message
    assert "KeyError: missing" in caught.value.message


def test_board_that_does_not_connect_is_told_with_the_cause(bench: Bench) -> None:
    bench.write(
        main="import time\n"
        "print('W 0.1 link: TCP_REFUSED: nothing listens (x)')\n"
        "print('W 0.1 link: try: check endpoint and port 8883')\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(ToolError, match="did not connect within 1 s") as caught:
        bench.deploy(wait_s=1)
    assert "TCP_REFUSED: nothing listens" in caught.value.message
    assert caught.value.hint == "check endpoint and port 8883"


def test_endpoint_that_nothing_listens_at_is_told_before_the_board_is_touched(
    bench: Bench,
) -> None:
    boot = bench.board.require_running().boot
    device = Device("thing", "thing", "127.0.0.1", 9, {})
    with pytest.raises(ToolError, match=r"nothing listens at 127\.0\.0\.1:9") as caught:
        bench.deploy(device)
    assert caught.value.hint == "`jobs-sandbox cloud start`: it keeps what is provisioned"
    assert bench.board.require_running().boot == boot


def test_cloud_that_listens_elsewhere_by_now_needs_a_new_identity(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = CloudInfo("http://127.0.0.1:1", "localhost", 9999, "", "r", "a", 1, "")
    monkeypatch.setattr("host_tools.cloud.local.status", lambda: elsewhere)
    with pytest.raises(ToolError, match="nothing listens") as caught:
        bench.deploy(Device("t", "t", "127.0.0.1", 9, {}))
    assert caught.value.hint == "`jobs-sandbox provision t`: the cloud is at 9999 now"


def test_real_board_cannot_use_a_local_endpoint(bench: Bench) -> None:
    device = Device("thing", "thing", "localhost", 8883, {})
    with pytest.raises(ToolError, match="a real board cannot reach localhost"):
        deploy(Target(bench.board.device, None), device)


def test_real_board_needs_wifi(bench: Bench) -> None:
    with pytest.raises(ToolError, match="no Wi-Fi network is known") as caught:
        deploy(Target(bench.board.device, None), DEVICE, Options(definition="virtual"))
    assert "--wifi-ssid" in caught.value.hint


def test_board_that_is_off_or_unknown_is_told(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", "--board", "another"]) == 1
    assert "jobs-sandbox board start another" in capsys.readouterr().err
    assert main(["deploy", "--port", str(tmp_path / "ttyUSB9")]) == 1
    assert "ttyUSB9" in capsys.readouterr().err
    with pytest.raises(ToolError, match="ttyUSB9 does not exist"):
        deploy(Target(str(tmp_path / "ttyUSB9"), None), DEVICE)


def test_missing_permission_is_told_with_the_group(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may do anything
    monkeypatch.setattr(sys, "platform", "linux")
    error = port_trouble.cannot_open(bench.board.device, "board")
    assert "no permission to use" in error.message
    assert "sudo usermod -a -G " in error.hint


def test_port_in_use_is_told_with_the_program_that_uses_it(bench: Bench) -> None:
    program = (
        "import serial, sys\n"
        f"port = serial.Serial({bench.board.device!r}, exclusive=True)\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(ToolError, match=rf"in use by .*python.*\(process {holder.pid}\)"):
            bench.deploy()
        assert holder.stdin is not None
        holder.stdin.close()


def test_who_holds_a_port_is_told_as_it_was_typed_the_board_itself_is_not(
    bench: Bench,
) -> None:
    shown = port_trouble.cannot_open(bench.board.device, "board").message
    assert shown.endswith("is in use by another program"), "not by the board's own supervisor"
    program = (
        "import os, sys\n"
        f"sys.stdin = open({bench.board.device!r})\n"
        "print('open', flush=True)\n"
        "os.read(0, 1)\n"
    )
    command = [sys.executable, "-c", program, "host_tools", "console"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == b"open\n"
        shown = port_trouble.cannot_open(bench.board.device, "board").message
        assert "`python" in shown and f"(process {holder.pid})" in shown and "\n" not in shown
        holder.stdin.close()


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A serial device on which nobody answers, or whoever reads and writes the descriptor."""
    ours, theirs = os.openpty()
    link = tmp_path / "tty"
    link.symlink_to(os.ttyname(theirs))
    yield str(link), ours
    os.close(ours)
    os.close(theirs)


def test_silent_device_is_told(stranger: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_repl, "_INTERRUPT_S", 0.3)
    with pytest.raises(ToolError, match="does not answer as MicroPython does") as caught:
        deploy(Target(stranger[0], None), DEVICE)
    assert "reset button" in caught.value.hint


def test_device_that_is_no_micropython_is_told(
    stranger: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_repl, "_INTERRUPT_S", 0.3)

    def echo() -> None:  # as a modem does
        try:
            while content := os.read(stranger[1], 100):
                os.write(stranger[1], content)
        except OSError:
            pass

    threading.Thread(target=echo, daemon=True).start()
    with pytest.raises(ToolError, match="does not answer as MicroPython does"):
        deploy(Target(stranger[0], None), DEVICE)
