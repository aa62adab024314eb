"""The commands `cloud` and `aws`, run as a person or a script runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import paths
from host_tools.cloud.info import CloudInfo
from tests.cloud_fixture import Registry

_KEYS = {"endpoint_url", "mqtt_host", "mqtt_port", "ca", "region", "account", "pid", "state_dir"}


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "host_tools", *arguments],
        cwd=paths.ROOT, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def elsewhere(tmp_path: Path) -> str:
    """A state folder in which nothing runs."""
    return str(tmp_path)


def test_start_prints_json_and_so_does_status(strict_cloud: CloudInfo) -> None:
    started = json.loads(_run("cloud", "start", "--json").stdout)
    assert (
        started == strict_cloud.as_dict() == json.loads(_run("cloud", "status", "--json").stdout)
    )
    assert set(started) == _KEYS


def test_status_says_what_to_do_next(strict_cloud: CloudInfo) -> None:
    shown = _run("cloud", "status")
    assert shown.returncode == 0
    assert strict_cloud.endpoint_url in shown.stdout
    next_step = json.loads(_run("status", "--json").stdout)["next"]
    assert f"Next: `{next_step}`, `jobs-sandbox aws iot list-things`" in shown.stdout


def test_status_of_nothing_exits_with_1(elsewhere: str) -> None:
    shown = _run("cloud", "status", JOBS_SANDBOX_HOME=elsewhere)
    assert (shown.returncode, shown.stdout) == (1, "The local IoT Core is not running.\n")
    assert "jobs-sandbox cloud start" in shown.stderr
    as_json = _run("cloud", "status", "--json", JOBS_SANDBOX_HOME=elsewhere)
    assert (as_json.returncode, json.loads(as_json.stdout)) == (1, {"running": False})


def test_start_and_stop_from_the_shell(elsewhere: str) -> None:
    home = {"JOBS_SANDBOX_HOME": elsewhere}
    started = _run("cloud", "start", "--http-port", "0", "--mqtt-port", "0", **home)
    assert (started.returncode, "is running" in started.stdout) == (0, True)
    assert "Next: `jobs-sandbox board start`" in started.stdout
    stopped = _run("cloud", "stop", **home)
    assert (stopped.returncode, stopped.stderr) == (0, "stopped; its state is kept\n")
    again = _run("cloud", "stop", **home)
    assert (again.returncode, again.stderr) == (0, "the local IoT Core was not running\n")


def test_a_damaged_state_is_told_at_start(elsewhere: str) -> None:
    data = Path(elsewhere) / "cloud" / "data"
    data.mkdir(parents=True)
    (data / "iot.json").write_text("half of a fi")
    home = {"JOBS_SANDBOX_HOME": elsewhere}
    started = _run("cloud", "start", "--http-port", "0", "--mqtt-port", "0", **home)
    _run("cloud", "stop", **home)
    assert "a damaged state file was set aside as" in started.stderr


def test_env_leads_any_shell_to_the_cloud(strict_cloud: CloudInfo) -> None:
    shown = _run("cloud", "env", AWS_PROFILE="other")
    assert "unset AWS_PROFILE" in shown.stdout
    script = 'eval "$1"; echo "$AWS_ENDPOINT_URL ${AWS_PROFILE-gone}"'
    answer = subprocess.run(
        ["/bin/sh", "-c", script, "sh", shown.stdout],
        capture_output=True, text=True, check=True, env=os.environ | {"AWS_PROFILE": "other"},
    )  # fmt: skip
    assert answer.stdout == f"{strict_cloud.endpoint_url} gone\n"


def test_env_quotes(strict_cloud: CloudInfo) -> None:
    shown = _run("cloud", "env", "--region", "a b'; touch x")
    assert """export AWS_REGION='a b'"'"'; touch x'""" in shown.stdout


def test_the_log_is_shown(strict_cloud: CloudInfo) -> None:
    assert "MQTT listening" in _run("cloud", "log").stdout


def test_refusals_are_shown(registry: Registry) -> None:
    with registry.device("shown").connected() as wire:
        wire.publish("1/2/3/4/5/6/7/8/9")
        assert wire.closed()
    shown = _run("cloud", "log", "--refused").stdout
    assert "client 'shown': more than 7 slashes" in shown


def test_a_fast_minute_that_is_no_number_is_an_error(elsewhere: str) -> None:
    shown = _run("cloud", "start", JOBS_SANDBOX_HOME=elsewhere, JOBS_SANDBOX_CLOUD_MINUTE_S="soon")
    assert shown.returncode == 1
    assert "JOBS_SANDBOX_CLOUD_MINUTE_S is 'soon', not a number of seconds" in shown.stderr


def test_no_action_is_wrong_usage() -> None:
    assert _run("cloud").returncode == 2


def test_aws_runs_the_aws_cli_against_the_cloud(strict_cloud: CloudInfo) -> None:
    arguments = ["--output", "text", "iot", "create-thing", "--thing-name", "lamp"]
    made = _run("aws", "--cloud", "local", *arguments, AWS_PROFILE="other")
    assert (made.returncode, made.stderr) == (0, "")
    assert "thing/lamp" in made.stdout


def test_aws_passes_options_on_untouched(strict_cloud: CloudInfo) -> None:
    assert _run("aws", "--version").stdout.startswith("aws-cli/")
    shown = _run("aws", "iot", "create-job", "--help")
    assert "aws <command> <subcommand> help" in shown.stderr


def test_aws_returns_the_exit_status(strict_cloud: CloudInfo) -> None:
    missing = _run("aws", "iot", "describe-thing", "--thing-name", "nope")
    assert missing.returncode not in (0, 1)
    assert "ResourceNotFoundException" in missing.stderr


def test_aws_without_arguments_explains_itself() -> None:
    for arguments in (["aws"], ["aws", "--help"]):
        shown = _run(*arguments)
        assert shown.returncode == 0
        assert "--cloud aws" in shown.stdout


@pytest.mark.parametrize(
    "arguments", [["--cloud", "mars", "iot"], ["--cloud"], ["--cloud=", "iot"]]
)
def test_aws_with_an_unknown_cloud_is_wrong_usage(arguments: list[str]) -> None:
    shown = _run("aws", *arguments)
    assert shown.returncode == 2
    assert "--cloud must be local or aws" in shown.stderr


def test_aws_needs_a_running_cloud(elsewhere: str) -> None:
    shown = _run("aws", "iot", "list-things", JOBS_SANDBOX_HOME=elsewhere)
    assert shown.returncode == 1
    assert "the local IoT Core is not running" in shown.stderr


def test_aws_uses_real_aws_when_told(elsewhere: str) -> None:
    shown = _run(
        "aws", "--cloud=aws", "configure", "list",
        AWS_ACCESS_KEY_ID="AKIDOFAUSER", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="eu-west-3",
        JOBS_SANDBOX_HOME=elsewhere,
    )  # fmt: skip
    assert shown.returncode == 0
    assert "eu-west-3" in shown.stdout
    assert "USER" in shown.stdout
