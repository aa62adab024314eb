"""Completion: what Tab offers, asked as a shell asks, and in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import completion, paths
from host_tools.__main__ import main
from host_tools.commands import COMMANDS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JOBS_SANDBOX_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws"))
    (tmp_path / "aws").write_text("[default]\n[profile lab]\nregion = x\n")
    for thing in ("porch", "shed:1"):
        (paths.thing_dir(thing) / "thing.json").write_text("{}")
    paths.board_dir("garden")
    return tmp_path


def _offered(line: str, tmp_path: Path) -> set[str]:
    # the protocol of argcomplete: the line typed in, the words out, with vertical tabs between
    answer = tmp_path / "answer"
    asked = {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\v", "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)),
    }  # fmt: skip
    command = [sys.executable, "-m", "host_tools"]
    subprocess.run(command, cwd=paths.ROOT, env={**os.environ, **asked}, check=True)
    return {word.strip() for word in answer.read_text().split("\v")}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jobs-sandbox ", {*COMMANDS, "-h", "--help", "--debug", "--version"}),
        ("jobs-sandbox prov", {"provision"}),
        ("jobs-sandbox --debug prov", {"provision"}),
        ("jobs-sandbox cloud st", {"start", "stop", "status"}),
        ("jobs-sandbox cloud start --http", {"--http-port"}),
        ("jobs-sandbox provision --tear", {"--teardown"}),
        ("jobs-sandbox provision --teardown po", {"porch"}),
        ("jobs-sandbox provision x --cloud ", {"local", "aws"}),
        ("jobs-sandbox provision x --profile ", {"default", "lab"}),
        ("jobs-sandbox deploy --thing ", {"porch", "shed:1"}),
        ("jobs-sandbox console --board ", {"sandbox", "garden"}),
        ("jobs-sandbox board stop g", {"garden"}),
        ("jobs-sandbox completion ", {"bash", "zsh", "fish"}),
    ],
)
def test_what_is_offered(line: str, words: set[str], home: Path) -> None:
    offered = _offered(line, home)
    assert offered - {"-h", "--help"} == words - {"-h", "--help"}


def test_ports_and_definitions_are_offered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = _offered("jobs-sandbox flash --definition esp32_generic_c", home)
    assert offered == {"esp32_generic_c3", "esp32_generic_c6"}
    monkeypatch.setattr(completion, "_PORTS", ("nul*",))
    assert completion._ports() == ["/dev/null"]


def test_a_broken_settings_file_does_not_disturb(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "s.toml").write_text("broken")
    monkeypatch.setenv("JOBS_SANDBOX_CONFIG", str(home / "s.toml"))
    assert _offered("jobs-sandbox prov", home) == {"provision"}


@pytest.mark.parametrize(
    ("shell", "sign"),
    [
        ("bash", "complete -o nospace"),
        ("zsh", "compdef "),
        ("fish", "complete --command jobs-sandbox"),
    ],
)
def test_each_shell_gets_its_script(
    shell: str, sign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert sign in text and "jobs-sandbox" in text
    if path := shutil.which(shell):  # a shell that is here must take it
        subprocess.run([path, "-n"], input=text, text=True, check=True)


def test_a_real_bash_completes(home: Path, tmp_path: Path) -> None:
    command = tmp_path / "bin" / "jobs-sandbox"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m host_tools "$@"\n')
    command.chmod(0o755)
    script = """
        eval "$(jobs-sandbox completion bash)"
        COMP_LINE="jobs-sandbox provision --teardown po" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
        COMP_POINT=${#COMP_LINE}
        COMP_WORDS=(jobs-sandbox provision --teardown po) COMP_CWORD=3
        _python_argcomplete jobs-sandbox
        printf '%s' "${COMPREPLY[0]}"
    """
    environment = {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(paths.ROOT),
    }
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "porch"
