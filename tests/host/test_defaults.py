"""sandbox.toml: what it may say, how errors name the place, and that options win."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from host_tools import defaults, paths
from host_tools.__main__ import command_parser, main
from host_tools.board import VirtualBoard
from host_tools.cloud.info import CloudInfo
from host_tools.commands import COMMANDS
from host_tools.deploy import settings as deploy_settings
from host_tools.errors import ToolError
from host_tools.target import Target


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sandbox.toml"
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(path))
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path / "home"))
    return path


def _parsed(command: str, *arguments: str) -> argparse.Namespace:
    known = defaults.load()
    parser = command_parser(command)
    defaults.prepare(parser, command, known)
    args = parser.parse_args(arguments)
    defaults.settle(args, command, known)
    return args


def test_without_a_file_nothing_changes(file: Path) -> None:
    args = _parsed("console")
    assert (args.board, args.port) == ("sandbox", None)
    assert _parsed("provision", "x").cloud == "local"
    assert _parsed("board", "start").name == "sandbox"
    assert _parsed("board", "fault").name == "sandbox"


def test_others_who_can_read_the_password_are_warned_of_once(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('wifi_ssid = "n"\nwifi_password = "geheim"\n')
    file.chmod(0o600)
    defaults.load()
    assert capsys.readouterr().err == ""
    file.chmod(0o644)
    for _ in range(2):
        assert defaults.load()["wifi_password"] == "geheim"
    said = capsys.readouterr().err
    assert said.count("holds the Wi-Fi password, and others can read or change it") == 1
    assert f"try: chmod 600 '{file}'" in said and "geheim" not in said
    file.write_text('thing = "no secret"\n')
    defaults._warn_of_readers.cache_clear()
    defaults.load()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ('board = "porch"', "console", {"board": "porch", "port": None}),
        ('board = "porch"', "console --board shed", {"board": "shed", "port": None}),
        ('board = "porch"', "console --port /dev/x", {"port": "/dev/x"}),
        ('port = "/dev/y"', "console", {"port": "/dev/y"}),
        ('port = "/dev/y"', "console --board shed", {"board": "shed", "port": None}),
        ('port = "/dev/y"', "flash", {"port": "/dev/y"}),
        ('board = "porch"', "board start", {"name": "porch"}),
        ('board = "porch"', "board start shed", {"name": "shed"}),
        ('board = "porch"', "board fault", {"name": "porch"}),
        ('thing = "t"', "deploy", {"thing": "t"}),
        ('thing = "t"', "deploy --thing u", {"thing": "u"}),
        ('thing = "t"', "provision", {"thing": "t"}),
        ('thing = "t"', "sandbox --endpoint e --cert c --key k", {"thing_name": "t"}),
        ('definition = "d"', "deploy", {"definition": "d"}),
        ('cloud = "aws"\nregion = "r"\nprofile = "p"', "provision x",
         {"cloud": "aws", "region": "r", "profile": "p"}),
        ('cloud = "aws"\nregion = "r"\nprofile = "p"', "cloud env",
         {"cloud": "aws", "region": "r", "profile": "p"}),
        ('cloud = "aws"\nregion = "r"\nprofile = "p"', "provision x --cloud local",
         {"cloud": "local", "region": None, "profile": None}),
        ('cloud = "aws"\nregion = "r"\nprofile = "p"', "provision x --cloud aws",
         {"cloud": "aws", "region": "r", "profile": "p"}),
        ('cloud = "aws"\nregion = "r"\nprofile = "p"', "provision x --profile q",
         {"cloud": "aws", "region": "r", "profile": "q"}),
        ('cloud = "aws"\nregion = "r"', "provision x --endpoint-url http://e",
         {"cloud": "local", "region": None, "endpoint_url": "http://e"}),
        ('endpoint_url = "http://e"', "provision x --cloud aws",
         {"cloud": "aws", "endpoint_url": None}),
        ('endpoint_url = "http://e"', "provision x", {"endpoint_url": "http://e"}),
    ],
)  # fmt: skip
def test_options_win_and_a_choice_makes_what_belongs_to_the_other_void(
    text: str, arguments: str, expected: dict[str, Any], file: Path
) -> None:
    file.write_text(text)
    args = vars(_parsed(*arguments.split()))
    assert {name: args[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "line", "cause", "fix"),
    [
        ('# x\n\nbord = "a"', 3, "unknown key bord", "board"),
        ("zzz = 1", 1, "unknown key zzz", "one of board"),
        ('thing = "a"\n[wifi]\nssid = "a"', 2, "unknown key wifi", "wifi"),
        ('wifi.ssid = "a"', 1, "unknown key wifi", "wifi"),
        ("\nport = 3", 2, "port must be a text in quotes, not a number", 'port = "'),
        ("thing = true", 1, "thing must be a text in quotes, not a truth value", "thing ="),
        ("[thing]\nx = 1", 1, "thing must be a text in quotes, not a table", "thing ="),
        ('thing = "a"\ncloud = "azure"', 2, 'cloud must be "local" or "aws"', "cloud ="),
        ('board = "a"\nport = "b"', 2, "port and board exclude each other", "one of"),
        ('endpoint_url = "a"\ncloud = "aws"', 1, "endpoint_url and cloud exclude", "one of"),
        ('profile = "a"', 1, 'profile needs cloud = "aws"', "cloud ="),
        ('thing = ""', 1, "thing is empty", "remove the line"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_key(
    text: str, line: int, cause: str, fix: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text)
    assert main(["provision", "--list"]) == 1
    message, hint = capsys.readouterr().err.strip().splitlines()
    assert message.startswith(f"jobs-sandbox: {file}, line {line}: {cause}")
    assert fix in hint


def test_what_is_no_toml_is_named_with_its_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("thing = my-thing\n")
    assert main([]) == 1
    assert f"{file} is no TOML" in (said := capsys.readouterr().err)
    assert "line 1" in said


def test_a_file_that_cannot_be_read_is_named(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.mkdir()
    assert main([]) == 1
    assert f"{file} cannot be read" in capsys.readouterr().err


def test_help_and_init_work_with_a_broken_file(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("broken")
    with pytest.raises(SystemExit) as done:
        main(["deploy", "--help"])
    assert done.value.code == 0
    assert "sandbox" in capsys.readouterr().out  # the default that the help names


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_can_be_shown(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = command_parser(command)
    defaults.prepare(parser, command, {})
    assert "object at 0x" not in parser.format_help()


def test_the_example_says_all_keys_and_is_valid() -> None:
    text = (paths.ROOT / "docs" / "sandbox.example.toml").read_text()
    assert defaults.parse(text, "example") == {}
    for key in defaults.KEYS:
        line = next(each for each in text.splitlines() if each.startswith(f"# {key} = "))
        assert defaults.parse(line[2:] + '\ncloud = "aws"' * (key == "profile"), "line")


def test_git_ignores_the_file() -> None:
    done = subprocess.run(["git", "check-ignore", "sandbox.toml"], cwd=paths.ROOT, check=False)
    assert done.returncode == 0


def _wifi(board: bool, ssid: str | None = None) -> dict[str, str] | None:
    target = Target("/dev/x", VirtualBoard("sandbox") if board else None)
    return deploy_settings.wifi(target, ssid)


def test_wifi_comes_from_option_environment_and_file_in_that_order(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _wifi(board=False) is None
    file.write_text('wifi_ssid = "home"\nwifi_password = "secret"')
    assert _wifi(board=False) == {"ssid": "home", "password": "secret"}
    assert _wifi(board=False, ssid="home") == {"ssid": "home", "password": "secret"}
    assert _wifi(board=False, ssid="other") == {"ssid": "other", "password": ""}
    assert _wifi(board=True) == {"ssid": "virtual", "password": ""}
    monkeypatch.setenv("JOBS_SANDBOX_WIFI_PASSWORD", "newer")
    assert _wifi(board=False) == {"ssid": "home", "password": "newer"}
    monkeypatch.setenv("JOBS_SANDBOX_WIFI_SSID", "travel")
    assert _wifi(board=False) == {"ssid": "travel", "password": "newer"}


def test_the_aws_cli_goes_to_the_cloud_of_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, strict_cloud: CloudInfo
) -> None:
    seen: list[dict[str, str]] = []

    def run(_argv: list[str], env: dict[str, str], check: bool) -> argparse.Namespace:
        seen.append(env)
        return argparse.Namespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(Path(strict_cloud.state_dir).parents[1]))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    file.write_text('cloud = "aws"\nprofile = "lab"\nregion = "eu-west-1"')
    assert main(["aws", "iot", "list-things"]) == 0
    assert (seen[0]["AWS_PROFILE"], seen[0]["AWS_REGION"]) == ("lab", "eu-west-1")
    assert "AWS_ENDPOINT_URL" not in seen[0]

    assert main(["aws", "--cloud", "local", "iot", "list-things"]) == 0
    assert seen[1]["AWS_ENDPOINT_URL"] == strict_cloud.endpoint_url
    assert (seen[1].get("AWS_PROFILE"), seen[1]["AWS_REGION"]) == (None, "us-east-1")


def test_an_empty_variable_means_the_usual_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", "")
    assert defaults.path() == paths.ROOT / "sandbox.toml"


def test_a_process_reads_the_file(file: Path) -> None:
    file.write_text('thing = "porch"\n')
    done = subprocess.run(
        [sys.executable, "-m", "host_tools", "status", "--json"],
        cwd=paths.ROOT, env=dict(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["settings"] == {"thing": "porch"}


def test_parse_raises_what_load_raises() -> None:
    with pytest.raises(ToolError, match="here, line 1: unknown key x"):
        defaults.parse("x = 1", "here")
