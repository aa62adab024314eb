"""`jobs-sandbox doctor` as a user types it, and the checks of this computer."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from host_tools.__main__ import main
from host_tools.doctor import Check, Verdict, bundle, host
from host_tools.paths import ROOT
from tests.board_fixture import Board
from tests.host.doctor_bench import expect

OK, WARN, FAIL, SKIP = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.SKIP


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "sandbox.toml"))
    return tmp_path / "home"


def _host(device: str | None = None) -> dict[str, Check]:
    return {check.name: check for check in host.checks(device, needs_interpreter=True)}


def test_nothing_set_up_yet_is_told_with_the_next_steps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "ok    host   python: " in lines[0]
    at = next(n for n, line in enumerate(lines) if line.startswith("FAIL  board  reachable: "))
    assert lines[at + 1] == "        try: jobs-sandbox board start sandbox"
    at = next(n for n, line in enumerate(lines) if line.startswith("FAIL  cloud  credentials: "))
    assert "`jobs-sandbox cloud start`" in lines[at + 1]
    assert lines[-1].endswith("2 FAIL")


def test_json_has_every_check_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["failed"] is True
    first = found["checks"][0]
    assert set(first) == {"world", "name", "verdict", "text", "fix"}
    assert {each["verdict"] for each in found["checks"]} == {"ok", "FAIL"}


def test_bundle_is_written_though_all_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.zip"
    assert main(["doctor", "--bundle", str(file)]) == 1
    assert "look into it before you send it" in capsys.readouterr().err
    with zipfile.ZipFile(file) as archive:
        assert {"checks.json", "computer.json", "sandbox.json"} <= set(archive.namelist())


def test_options_that_contradict_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--profile", "p"]) == 2
    assert "--profile needs --cloud aws" in capsys.readouterr().err


def test_no_name_of_a_thing_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--thing", "a/b"]) == 2
    assert "cannot be a thing's name" in capsys.readouterr().err


def test_make_calls_it() -> None:
    made = subprocess.run(
        ["make", "--dry-run", "doctor", "BOARD=b1", "THING_NAME=t1", "CLOUD=local"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    wanted = "jobs-sandbox doctor --board b1 --thing t1 --cloud local"
    assert wanted in " ".join(made.stdout.replace("'", "").split())


# This computer


def test_python_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    expect(_host()["python"], FAIL, "Python 3.9.2", "3.11 or newer")


def test_tool_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "esptool":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    expect(_host()["tools"], FAIL, "not installed: esptool", "make setup")


def test_interpreter_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", "/bin/false")
    expect(_host()["micropython"], FAIL, "/bin/false does not run", "make setup")


def test_port_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch(mode=0o000)
    # root may do anything: ask as another user would be answered
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != port)
    expect(_host(str(port))["port"], FAIL, "no permission to use", "")
    assert "usermod" in _host(str(port))["port"].fix or sys.platform == "darwin"


def test_port_that_another_program_holds(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True); "
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, board.device], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == b"open\n"
        assert main(["doctor", "--port", board.device, "--json"]) == 1
        holder.stdin.close()
    checks = json.loads(capsys.readouterr().out)["checks"]
    found = next(each for each in checks if each["name"] == "reachable")
    assert found["verdict"] == "FAIL" and "in use" in found["text"], found


# Redaction, piece by piece


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"password": "a b\'c"}', '{"password": [removed]}'),
        ('{\\"password\\": \\"a b\\"}', '{\\"password\\": [removed]}'),
        ("wifi_password = 'x y'", "wifi_password = [removed]"),
        ("token: abc, next", "token: [removed], next"),
        ("key AKIAIOSFODNN7EXAMPLE.", "key [removed]."),
        ("-----BEGIN EC PRIVATE KEY-----\nAA", "[removed]"),
        ("a" * 64, "[removed]"),
        ("link: ready", "link: ready"),
    ],
)
def test_redaction(text: str, left: str) -> None:
    assert bundle.redacted(text, []) == left


def test_redaction_keeps_digests_where_they_are_files() -> None:
    assert bundle.redacted(f'"{"a" * 64}"', [], keep_digests=True) == f'"{"a" * 64}"'
    assert bundle.redacted("A" * 64, [], keep_digests=True) == "[removed]"
