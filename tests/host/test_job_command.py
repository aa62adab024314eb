"""`jobs-sandbox job`: what its options mean, and what it says when the cloud refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.__main__ import main


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's sandbox.toml; nothing else is set up."""
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "sandbox.toml"))
    return tmp_path / "sandbox.toml"


def test_the_files_thing_does_not_count_beside_a_group(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('thing = "t"\n')
    assert main(["job", "run", "report", "--group", "lamps"]) == 1
    assert "the local IoT Core is not running" in capsys.readouterr().err
    assert main(["job", "run", "report", "--group", "lamps", "--thing", "t"]) == 2
    assert "--thing and --group exclude each other" in capsys.readouterr().err


def test_a_command_that_no_board_takes_is_told_so_and_sent_by_force(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outside = "delete-file,/main.py"
    assert main(["job", "lint", outside]) == 1
    assert f"{outside}: INVALID_ARGUMENT: delete-file.path" in capsys.readouterr().out
    assert main(["job", "run", outside, "--thing", "t"]) == 1
    assert "a board would reject this: INVALID_ARGUMENT" in capsys.readouterr().err
    assert main(["job", "run", outside, "--thing", "t", "--force"]) == 1
    assert "the local IoT Core is not running" in capsys.readouterr().err
