"""`jobs-sandbox` alone: where things stand, the next step, and how fast it says so."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from host_tools import deployed, overview, paths
from host_tools.__main__ import main
from host_tools.cloud.info import CloudInfo
from host_tools.overview import Overview
from tests.board_fixture import Board, eventually

State = dict[str, Any]

_NOTHING: State = {
    "settings": {}, "cloud": "", "boards": {}, "stopped": [], "things": {}, "deployed": {},
    "deployed_at": None,
}  # fmt: skip
_CLOUD: State = {"cloud": "http://127.0.0.1:4566"}
_BOARD: State = {"boards": {"sandbox": "/x/tty"}}
_THING: State = {"things": {"t": "local"}}
_DEPLOYED: State = {"deployed": {"sandbox": "t"}, "deployed_at": 0.0}
_AWS: State = {"settings": {"cloud": "aws", "port": "/dev/null", "thing": "t"}}
_ANY: State = {"settings": {"cloud": "aws", "port": "auto"}}


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ({}, "demo"),
        (_BOARD, "cloud start"),
        (_CLOUD, "board start"),
        ({**_CLOUD, "settings": {"board": "porch"}}, "board start porch"),
        ({**_CLOUD, **_BOARD}, "provision my-thing"),
        ({**_CLOUD, **_BOARD, "settings": {"thing": "porch"}}, "provision porch"),
        ({**_CLOUD, **_BOARD, "things": {"t": "aws"}}, "provision my-thing"),
        ({**_CLOUD, **_BOARD, **_THING}, "deploy"),
        ({**_CLOUD, **_BOARD, **_THING, "deployed": {"sandbox": "gone"}}, "deploy"),
        ({**_CLOUD, **_BOARD, "things": {"t": "local", "u": "local"}}, "deploy --thing t"),
        ({**_CLOUD, **_BOARD, "things": {"sandbox": "local", "u": "local"}}, "deploy"),
        ({**_CLOUD, **_BOARD, **_THING, **_DEPLOYED}, "console"),
        ({**_CLOUD, **_BOARD, **_THING, **_DEPLOYED, "at_repl": ["sandbox"]}, "console --start"),
        ({**_CLOUD, **_BOARD, **_THING, **_DEPLOYED, "at_repl": ["porch"]}, "console"),
        ({"settings": {"cloud": "aws", "port": "/dev/nowhere"}}, "ls /dev/nowhere"),
        (_AWS, "provision t"),
        ({**_AWS, "things": {"t": "aws"}}, "deploy"),
        ({**_AWS, "things": {"t": "aws"}, "deployed": {"/dev/null": "t"}}, "console"),
        ({"settings": {"endpoint_url": "http://e"}}, "board start"),
        ({**_ANY, "things": {"t": "aws"}, "deployed": {"sandbox": "t"}}, "provision my-thing"),
        ({**_CLOUD, **_BOARD, **_THING, "deployed": {"demo": "t"}}, "provision my-thing"),
        ({**_ANY, "things": {"t": "aws"}, "deployed": {"/dev/ttyUSB0": "t"}}, "console"),
    ],
)
def test_the_next_step(state: State, step: str) -> None:
    found = Overview(**{**_NOTHING, **state})
    command, why = found.next_step()
    assert command.removeprefix("jobs-sandbox ") == step
    assert why
    assert len(overview.lines(found)) >= 8


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    return tmp_path


def test_what_is_there_is_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c", "d"):
        folder = paths.thing_dir(name)
        (folder / "thing.json").write_text(json.dumps({"thing": name, "cloud": "local"}))
    (paths.thing_dir("broken") / "thing.json").write_text("{")
    deployed.remember("sandbox", "d", "virtual")
    deployed.remember("demo", "c", "virtual")
    (home / "boards" / "sandbox").mkdir(parents=True)
    (home / "boards" / "sandbox" / "flash.img").touch()
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert "things    d (local), a (local), b (local) and 1 more" in shown, "those in use first"
    assert "deployed  just now" in shown
    assert "demo" not in shown, "a board that is no more"
    assert "next      jobs-sandbox cloud start" in shown


def test_boards_that_run_come_first_the_one_meant_before_all_others() -> None:
    found = Overview(
        **{
            **_NOTHING,
            "boards": {"a": "/a", "b": "/b", "c": "/c", "d": "/d", "sandbox": "/s"},
            "stopped": ["old"],
            "deployed": {"sandbox": "t", "/dev/nowhere": "u", "old": "v"},
            "at_repl": ["a", "sandbox"],
        }
    )
    assert found.board_lines() == [
        "sandbox runs as t, at the MicroPython REPL, on /s",
        *(f"{name} runs, nothing deployed, on /{name}" for name in "abcd"),
        "/dev/nowhere as u, not plugged in",
        "off: old; `jobs-sandbox board start NAME`",
    ]


@pytest.mark.parametrize(
    ("settings", "running", "line"),
    [
        ({}, "", "the local IoT Core is not running"),
        ({}, "http://l", "http://l"),
        ({"cloud": "aws"}, "", "AWS"),
        ({"cloud": "aws", "region": "r"}, "http://l",
         "AWS, r; the local IoT Core runs, too, at http://l"),
        ({"endpoint_url": "http://e"}, "", "http://e"),
    ],
)  # fmt: skip
def test_the_cloud_that_commands_mean_is_shown(
    settings: dict[str, str], running: str, line: str
) -> None:
    found = Overview(**{**_NOTHING, "settings": settings, "cloud": running})
    assert f"cloud     {line}" in overview.lines(found)


def test_a_deploy_is_when_a_board_became_something(home: Path) -> None:
    assert overview.look().deployed_at is None
    deployed.remember("porch", "t", "virtual")
    deployed.remember("shed", "u", "virtual")
    then = overview.look().deployed_at
    assert then is not None
    deployed.forget("porch")
    assert overview.look().deployed_at == then, "an erase is no deploy"
    assert deployed.last("shed") == {"thing": "u", "definition": "virtual"}
    deployed.file().write_text('{"shed": {"thing": "u"}}')
    assert "deployed  some time ago" in overview.lines(overview.look()), "as it was kept once"


def test_a_board_whose_sandbox_has_ended_is_told_by_the_last_it_printed(board: Board) -> None:
    assert board.name in overview.look().at_repl
    board.put(main_py="import time\nprint('I run')\ntime.sleep(60)")
    board.reset()
    eventually(lambda: board.name not in overview.look().at_repl)


def test_boards_that_are_off_are_told_those_of_a_killed_command_are_not(home: Path) -> None:
    for name in ("porch", "demo"):
        (home / "boards" / name).mkdir(parents=True)
        (home / "boards" / name / "flash.img").touch()
    (home / "boards" / "demo" / "private").touch()
    assert overview.look().stopped == ["porch"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "just now"), (60, "1 minute ago"), (7200, "2 hours ago"), (90000, "1 day ago")],
)
def test_ages(seconds: float, text: str) -> None:
    assert overview._ago(seconds) == text


def test_what_runs_is_shown(
    strict_cloud: CloudInfo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(Path(strict_cloud.state_dir).parents[1]))
    assert main(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cloud"] == strict_cloud.endpoint_url
    assert told["next"] == "jobs-sandbox board start"


def test_the_password_is_not_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "s.toml").write_text('wifi_ssid = "n"\nwifi_password = "geheim"\n')
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(home / "s.toml"))
    for arguments in ([], ["status", "--json"]):
        assert main(arguments) == 0
        assert "geheim" not in capsys.readouterr().out


def _processor_s(run: Callable[[], object]) -> float:
    # What children used of the processor: the same on a busy machine as on an idle one, where
    # it is all that a start takes.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("arguments", [[], ["--help"], ["provision", "--help"]])
def test_it_answers_within_a_third_of_a_second_and_imports_nothing_heavy(
    arguments: list[str], home: Path
) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "host_tools", *arguments]
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "host_tools.commands" in imported
    heavy = {"boto3", "botocore", "cryptography", "serial", "esptool", "rich", "prompt_toolkit"}
    assert not heavy & imported
    quick = [sys.executable, "-m", "host_tools", *arguments]
    spent = [
        _processor_s(
            lambda: subprocess.run(quick, cwd=paths.ROOT, capture_output=True, check=True)
        )
        for _ in range(3)
    ]
    assert min(spent) < 0.3
