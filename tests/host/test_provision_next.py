"""The next step that `provision` names deploys the very thing that was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools import deployed
from host_tools.commands import provision
from host_tools.identity import ThingIdentity, keep_identity


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's sandbox.toml; two things are provisioned."""
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(tmp_path / "sandbox.toml"))
    made("my-thing")
    made("other")
    return tmp_path / "sandbox.toml"


def made(thing: str) -> None:
    keep_identity(
        ThingIdentity(thing, "arn", "arn", "id", "policy", "iot.invalid", 8883, "r", "a", "local")
    )


@pytest.mark.parametrize(
    ("text", "board_has", "options"),
    [
        ("", {}, " --thing other"),
        ("", {"porch": "my-thing"}, ""),
        ("", {"sandbox": "my-thing"}, " --thing other"),
        ("", {"sandbox": "other"}, ""),
        ('thing = "my-thing"', {"sandbox": "other"}, " --thing other"),
        ('thing = "other"', {}, ""),
        ('thing = "gone"', {}, " --thing other"),
        ('board = "other"', {}, ""),
        ('port = "/dev/x"', {"/dev/x": "my-thing"}, " --thing other"),
    ],
)
def test_deploy_names_the_thing_unless_it_would_take_it(
    text: str, board_has: dict[str, str], options: str, file: Path
) -> None:
    file.write_text(text)
    for board, thing in board_has.items():
        deployed.remember(board, thing, "virtual")
    assert provision._deploy("other") == f"`jobs-sandbox deploy{options}`"
