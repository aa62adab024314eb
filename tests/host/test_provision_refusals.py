"""Provisioning without what it needs: each cause is named, with what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from host_tools.__main__ import main


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cloud, no credentials, no region, no configuration."""
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv(
        "AWS_MAX_ATTEMPTS", "1"
    )  # retries take ten seconds, and change nothing here


@pytest.mark.parametrize(
    ("arguments", "cause", "fix"),
    [
        ([], "the local IoT Core is not running", "jobs-sandbox cloud start"),
        (["--cloud", "aws"], "no AWS region is configured", "--region"),
        (
            ["--cloud", "aws", "--region", "eu-west-1"],
            "no usable AWS credentials",
            "aws configure",
        ),
        (["--cloud", "aws", "--profile", "nobody"], "nobody", "list-profiles"),
        (["--endpoint-url", "http://127.0.0.1:9"], "http://127.0.0.1:9", "cloud status"),
    ],
)
def test_cause_and_fix_are_named_and_nothing_is_left_behind(
    arguments: list[str], cause: str, fix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["provision", "thing", *arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    *asked, message, hint = printed.err.strip().splitlines()
    assert all(line.startswith("asking http") for line in asked)
    assert cause in message
    assert hint.startswith("  try: ")
    assert fix in hint
    assert not list(tmp_path.rglob("*.pem"))
