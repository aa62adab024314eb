"""docs/real-board.md and docs/troubleshooting.md: every command in them runs, in their order.

A virtual board stands for the one on USB, and the local IoT Core for AWS.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from host_tools import paths, troubleshooting
from host_tools.__main__ import main
from host_tools.cloud.info import CloudInfo
from host_tools.deploy import deploy as _deploy_function
from host_tools.deploy import settings, watch
from tests.board_fixture import Board

_DOCS = paths.ROOT / "docs"
_LINKS = re.compile(r"\]\(([^)#]+)")
_TTY = "/dev/ttyUSB0"


def commands(page: Path) -> list[str]:
    """Return the lines of a page's sh blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def desk(board: Board, cloud: CloudInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A person's computer with one board on USB."""
    port = SimpleNamespace(
        device=board.device, vid=0x10C4, pid=0xEA60, description="CP2102", serial_number=None
    )
    monkeypatch.setattr(list_ports, "comports", lambda: [port])
    monkeypatch.setattr(sys.modules[_deploy_function.__module__], "_LOCAL_HOSTS", ())
    monkeypatch.setattr(settings, "definition", lambda target, build, asked: "virtual")
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "sandbox.toml"))
    monkeypatch.chdir(tmp_path)

    def interrupted(*more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "watch", interrupted)
    return board


def test_every_command_of_the_page_runs_as_it_says(
    desk: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {}
    for line in commands(_DOCS / "real-board.md"):
        ours = line.replace(_TTY, desk.device).replace("--cloud aws", "--cloud local")
        program, *words = shlex.split(ours.replace("esp32_generic", "virtual"))
        if program == "mpremote":
            desk.erase()
            desk.mpremote(*words[2:])
            continue
        expected = 130 if "--watch" in words else 0
        assert (program, main(words)) == ("jobs-sandbox", expected), capsys.readouterr().err
        printed = capsys.readouterr()
        said[" ".join(words[:2])] = printed.out + printed.err
    assert "MicroPython 1." in said["ports"]
    assert "blinked at GPIO2" in said["identify --port"]
    assert f"board on {desk.device} is connected as my-thing" in said["deploy --flash"]
    assert "would get nothing" in said["deploy --dry-run"]
    assert "thing: my-thing" in said["console --command"]
    # and what plain mpremote has installed comes up
    with desk.line() as tty:
        tty.read_until(b"thing my-thing. Type help.", 20)
        tty.read_until(b"link: ready", 20)
    assert main(["deploy", "--dry-run"]) == 0
    assert "would get nothing" in capsys.readouterr().out, "the same as a deploy would put there"


def test_a_folder_that_deploy_has_not_made_is_left_alone(
    desk: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["provision", "my-thing"]) == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    words = ["deploy", "--to-folder", "mine", "--wifi-ssid", "n", "--thing", "my-thing"]
    assert main(words) == 2
    assert "--to-folder needs --definition" in capsys.readouterr().err
    assert main([*words, "--definition", "virtual"]) == 1
    assert "is no folder that deploy has made" in capsys.readouterr().err
    words[2] = "ours"
    for _ in range(2):  # what an earlier run left goes
        assert main([*words, "--definition", "esp32_generic"]) == 0
        (tmp_path / "ours" / "stray.txt").touch()
    made = {path.name for path in (tmp_path / "ours").rglob("*") if path.is_file()}
    assert "stray.txt" in made and "private_key.der" in made
    assert "simple.mpy" not in made  # a stock build has umqtt
    assert (tmp_path / "ours" / "credentials" / "private_key.der").stat().st_mode & 0o77 == 0


def test_troubleshooting_is_up_to_date_and_has_every_row() -> None:
    text = troubleshooting.PAGE.read_text()
    assert text == troubleshooting.page(), "make docs"
    for code, what, remedy in troubleshooting.rows():
        assert text.count(f"| `{code}` |") == 1
        assert what and remedy


def test_stale_troubleshooting_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "page.md"
    stale.write_text("old")
    monkeypatch.setattr(sys, "argv", ["troubleshooting", "--check"])
    assert troubleshooting.main(stale) == 1
    assert "try: make docs" in capsys.readouterr().err
    assert troubleshooting.main() == 0


def test_commands_of_troubleshooting_are_those_there_are() -> None:
    for line in commands(troubleshooting.PAGE):
        program, *words = shlex.split(line)
        assert program == "jobs-sandbox"
        run = subprocess.run(
            [sys.executable, "-m", "host_tools", words[0], "--help"],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert all(word in run.stdout for word in words if word.startswith("--"))


@pytest.mark.parametrize("name", ["real-board.md", "troubleshooting.md"])
def test_links_lead_somewhere(name: str) -> None:
    page = _DOCS / name
    for link in _LINKS.findall(page.read_text()):
        assert "://" in link or (page.parent / link).exists(), link
